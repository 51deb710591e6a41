package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestECSManagedInstances(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EcsManagedInstances"]
	check(t, stack, []claim{
		{
			name:     "the instances are of one type, m7g.medium, so that the bill can be told before",
			resource: "AWS::ECS::CapacityProvider",
			props: object{"ManagedInstancesProvider": object{"InstanceLaunchTemplate": object{
				"InstanceRequirements": object{"AllowedInstanceTypes": []any{"m7g.medium"}},
			}}},
		},
		{
			name:     "an instance has a disk of 30 GiB for images, logs and temporary files",
			resource: "AWS::ECS::CapacityProvider",
			props: object{"ManagedInstancesProvider": object{"InstanceLaunchTemplate": object{
				"StorageConfiguration": object{"StorageSizeGiB": 30},
			}}},
		},
		{
			name:     "tasks are written for managed instances, with a quarter vCPU and half a gigabyte",
			resource: "AWS::ECS::TaskDefinition",
			props:    object{"Cpu": "256", "Memory": "512", "RequiresCompatibilities": []any{"MANAGED_INSTANCES"}},
		},
		{
			name:     "each task has an address of its own",
			resource: "AWS::ECS::TaskDefinition",
			props:    object{"NetworkMode": "awsvpc"},
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
			name:     "one to four tasks run",
			resource: "AWS::ApplicationAutoScaling::ScalableTarget",
			props:    object{"MinCapacity": 1, "MaxCapacity": 4},
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

	t.Run("ECS may start instances with the stack's own instance role and with no other", func(t *testing.T) {
		profile := stack.Only(t, "AWS::IAM::InstanceProfile")
		role := target(profile.Properties["Roles"].([]any)[0])
		stack.Has(t, "AWS::IAM::Policy", object{"PolicyDocument": object{"Statement": []any{object{
			"Action": "iam:PassRole", "Resource": object{"Fn::GetAtt": []any{role, "Arn"}},
		}}}})
	})
	t.Run("on destroy the service goes first, then the instances, and their roles and the way out last", func(t *testing.T) {
		stack.Count(t, "AWS::ECS::ClusterCapacityProviderAssociations", 0) // the provider belongs to the cluster
		stack.Count(t, "AWS::ECS::CapacityProvider", 1)
		for provider := range stack.Of("AWS::ECS::CapacityProvider") {
			for service := range stack.Of("AWS::ECS::Service") {
				assert.Contains(t, stack.Needs(service), provider)
			}
			needs := stack.Needs(provider)
			for _, resource := range []string{"AWS::ECS::Cluster", "AWS::IAM::InstanceProfile", "AWS::EC2::Route", "AWS::EC2::VPCGatewayAttachment"} {
				require.NotEmpty(t, stack.Of(resource), resource)
				for id := range stack.Of(resource) {
					assert.Contains(t, needs, id)
				}
			}
			passing := 0
			for id, policy := range stack.Of("AWS::IAM::Policy") {
				if strings.Contains(fmt.Sprint(policy.Properties), "iam:PassRole") {
					assert.Contains(t, needs, id, "ECS could not replace instances any more")
					passing++
				}
			}
			assert.NotZero(t, passing)
		}
	})
}

func TestECSManagedInstancesInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EcsManagedInstances"]
	check(t, stack, append(inProduction, claim{
		name:     "two to eight tasks run",
		resource: "AWS::ApplicationAutoScaling::ScalableTarget",
		props:    object{"MinCapacity": 2, "MaxCapacity": 8},
	}))
	t.Run("instances and tasks have no public address", func(t *testing.T) {
		provider := stack.Only(t, "AWS::ECS::CapacityProvider").Properties["ManagedInstancesProvider"].(object)
		network := provider["InstanceLaunchTemplate"].(object)["NetworkConfiguration"].(object)
		for _, subnet := range network["Subnets"].([]any) {
			assert.Equal(t, false, stack.Template.Resources[target(subnet)].Properties["MapPublicIpOnLaunch"])
		}
		stack.Has(t, "AWS::ECS::Service", object{"NetworkConfiguration": object{
			"AwsvpcConfiguration": object{"AssignPublicIp": "DISABLED", "Subnets": network["Subnets"]},
		}})
	})
	t.Run("each zone has a NAT gateway of its own", func(t *testing.T) { stack.Count(t, "AWS::EC2::NatGateway", 2) })
}
