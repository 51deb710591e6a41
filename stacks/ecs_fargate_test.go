package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestECSFargate(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EcsFargate"]
	check(t, stack, []claim{
		{
			name:     "a task has the smallest size: a quarter vCPU and half a gigabyte",
			resource: "AWS::ECS::TaskDefinition",
			props:    object{"Cpu": "256", "Memory": "512", "RequiresCompatibilities": []any{"FARGATE"}},
		},
		{
			name:     "tasks run on Graviton",
			resource: "AWS::ECS::TaskDefinition",
			props:    object{"RuntimePlatform": object{"CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX"}},
		},
		{
			name:     "the app cannot write to its disk",
			resource: "AWS::ECS::TaskDefinition",
			props:    object{"ContainerDefinitions": []any{object{"Name": "App", "ReadonlyRootFilesystem": true}}},
		},
		{
			name:     "a failed release rolls back without dropping capacity",
			resource: "AWS::ECS::Service",
			props: object{"DeploymentConfiguration": object{
				"MinimumHealthyPercent":    100,
				"MaximumPercent":           200,
				"DeploymentCircuitBreaker": object{"Enable": true, "Rollback": true},
			}},
		},
		{
			name:     "ECS keeps as many tasks running as the autoscaler says, and gives each a minute to become healthy",
			resource: "AWS::ECS::Service",
			props:    object{"DesiredCount": nothing, "LaunchType": "FARGATE", "HealthCheckGracePeriodSeconds": 60},
		},
		{
			name:     "one to four tasks run",
			resource: "AWS::ApplicationAutoScaling::ScalableTarget",
			props:    object{"MinCapacity": 1, "MaxCapacity": 4},
		},
		{
			name:     "tasks have a public address instead of a NAT gateway",
			resource: "AWS::ECS::Service",
			props:    object{"NetworkConfiguration": object{"AwsvpcConfiguration": object{"AssignPublicIp": "ENABLED"}}},
		},
		{
			name:     "tasks are added when their CPU passes 60 percent",
			resource: "AWS::ApplicationAutoScaling::ScalingPolicy",
			props: object{"TargetTrackingScalingPolicyConfiguration": object{
				"PredefinedMetricSpecification": object{"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
				"TargetValue":                   60,
			}},
		},
		{
			name:     "the load balancer sends requests to tasks, and asks the app itself whether it is healthy",
			resource: "AWS::ElasticLoadBalancingV2::TargetGroup",
			props:    object{"HealthCheckPath": "/healthz", "TargetType": "ip", "Port": 8080},
		},
	})
	t.Run("there is no host to patch", func(t *testing.T) {
		for _, host := range []string{"AWS::EC2::LaunchTemplate", "AWS::AutoScaling::AutoScalingGroup", "AWS::EC2::Instance"} {
			assert.Empty(t, stack.Of(host), host)
		}
	})
}

func TestECSFargateInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EcsFargate"]
	check(t, stack, append(inProduction, claim{
		name:     "two to eight tasks run",
		resource: "AWS::ApplicationAutoScaling::ScalableTarget",
		props:    object{"MinCapacity": 2, "MaxCapacity": 8},
	}, claim{
		name:     "tasks have no public address",
		resource: "AWS::ECS::Service",
		props: object{"NetworkConfiguration": object{
			"AwsvpcConfiguration": object{"AssignPublicIp": "DISABLED"},
		}},
	}))
	t.Run("each zone has a NAT gateway of its own", func(t *testing.T) { stack.Count(t, "AWS::EC2::NatGateway", 2) })
}
