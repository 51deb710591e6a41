package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
	t.Run("the service goes before the cluster lets its capacity go, and that before the roles and the way out", func(t *testing.T) {
		for service := range stack.Of("AWS::ECS::Service") {
			needs := stack.Needs(service)
			for association := range stack.Of("AWS::ECS::ClusterCapacityProviderAssociations") {
				assert.Contains(t, needs, association)
				needs = stack.Needs(association)
			}
			for provider := range stack.Of("AWS::ECS::CapacityProvider") {
				assert.Contains(t, needs, provider)
				needs = stack.Needs(provider)
			}
			for _, resource := range []string{"AWS::IAM::InstanceProfile", "AWS::EC2::Route", "AWS::EC2::VPCGatewayAttachment"} {
				assert.NotEmpty(t, stack.Of(resource), resource)
				for id := range stack.Of(resource) {
					assert.Contains(t, needs, id)
				}
			}
			for id, policy := range stack.Of("AWS::IAM::Policy") {
				if stack.Template.Resources[target(policy.Properties["Roles"].([]any)[0])].Properties["ManagedPolicyArns"] != nil {
					assert.Contains(t, needs, id, "ECS would lose the right to stop instances first")
				}
			}
		}
	})
}
