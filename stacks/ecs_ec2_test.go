package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestECSEC2(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EcsEc2"]
	check(t, stack, []claim{
		{
			name:     "instances start from a launch template, and their metadata service answers IMDSv2 requests from one hop only",
			resource: "AWS::EC2::LaunchTemplate",
			props: object{"LaunchTemplateData": object{
				"MetadataOptions": object{"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
			}},
		},
		{
			name:     "instance disks are encrypted",
			resource: "AWS::EC2::LaunchTemplate",
			props: object{"LaunchTemplateData": object{
				"BlockDeviceMappings": []any{object{"Ebs": object{"Encrypted": true, "VolumeType": "gp3"}}},
			}},
		},
		{
			name:     "the capacity provider sizes the group, and drains instances before they are removed",
			resource: "AWS::ECS::CapacityProvider",
			props: object{"AutoScalingGroupProvider": object{
				"ManagedScaling":  object{"Status": "ENABLED", "TargetCapacity": 100},
				"ManagedDraining": "ENABLED",
			}},
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
			name:     "ECS keeps as many tasks running as the autoscaler says",
			resource: "AWS::ECS::Service",
			props:    object{"DesiredCount": nothing, "SchedulingStrategy": "REPLICA"},
		},
		{
			name:     "tasks are added when their CPU passes 60 percent",
			resource: "AWS::ApplicationAutoScaling::ScalingPolicy",
			props: object{"PolicyType": "TargetTrackingScaling", "TargetTrackingScalingPolicyConfiguration": object{
				"PredefinedMetricSpecification": object{"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
				"TargetValue":                   60,
			}},
		},
		{
			name:     "one to four tasks run",
			resource: "AWS::ApplicationAutoScaling::ScalableTarget",
			props:    object{"MinCapacity": 1, "MaxCapacity": 4},
		},
		{
			name:     "the load balancer sends requests to a port of each task on the instance",
			resource: "AWS::ElasticLoadBalancingV2::TargetGroup",
			props:    object{"TargetType": "instance", "HealthCheckPath": "/healthz", "HealthCheckPort": "traffic-port"},
		},
	})

	containers := stack.Only(t, "AWS::ECS::TaskDefinition").Properties["ContainerDefinitions"].([]any)
	byName := map[string]object{}
	for _, container := range containers {
		byName[container.(object)["Name"].(string)] = container.(object)
	}

	t.Run("the app's log lines go through the log router", func(t *testing.T) {
		assert.Equal(t, "awsfirelens", byName["App"]["LogConfiguration"].(object)["LogDriver"])
		assert.Equal(t, "fluentbit", byName["LogRouter"]["FirelensConfiguration"].(object)["Type"])
		assert.Equal(t, []any{object{"Condition": "START", "ContainerName": "LogRouter"}}, byName["App"]["DependsOn"])
	})

	t.Run("a log line is stored as the app wrote it, with nothing added that bills", func(t *testing.T) {
		options := byName["App"]["LogConfiguration"].(object)["Options"].(object)
		assert.Equal(t, "log", options["log_key"])
		assert.Equal(t, object{"enable-ecs-log-metadata": "false"}, byName["LogRouter"]["FirelensConfiguration"].(object)["Options"])
	})

	t.Run("the instance's role is for its agents: it pulls no image and writes no log", func(t *testing.T) {
		var actions []string
		for _, policy := range stack.Of("AWS::IAM::Policy") {
			for _, role := range policy.Properties["Roles"].([]any) {
				if strings.HasPrefix(target(role), "InstanceRole") {
					for _, statement := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
						actions = append(actions, list(statement.(object)["Action"])...)
					}
				}
			}
		}
		assert.ElementsMatch(t, []string{
			"ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance", "ecs:Submit*",
			"ecs:Poll", "ecs:StartTelemetrySession", "ecs:DiscoverPollEndpoint",
		}, actions)
	})

	t.Run("the app cannot write to its disk", func(t *testing.T) {
		assert.Equal(t, true, byName["App"]["ReadonlyRootFilesystem"])
	})

	t.Run("a new release can start beside the old one on the same instance", func(t *testing.T) {
		assert.Equal(t, []any{object{"ContainerPort": 8080.0, "HostPort": 0.0, "Protocol": "tcp"}}, byName["App"]["PortMappings"])
	})

	t.Run("instances accept connections from the load balancer only, on the ports of tasks", func(t *testing.T) {
		rule := stack.Only(t, "AWS::EC2::SecurityGroupIngress").Properties
		assert.EqualValues(t, 32768, rule["FromPort"])
		assert.EqualValues(t, 65535, rule["ToPort"])
		assert.Equal(t, loadBalancerGroups(stack)[0], target(rule["SourceSecurityGroupId"]))
	})

	t.Run("a destroy removes the service before the capacity that it runs on", func(t *testing.T) {
		var association string
		for id := range stack.Of("AWS::ECS::ClusterCapacityProviderAssociations") {
			association = id
		}
		assert.Contains(t, stack.Only(t, "AWS::ECS::Service").DependsOn, association)
	})

	t.Run("the AMI is Amazon Linux 2023, looked up on deploy", func(t *testing.T) {
		found := false
		for _, parameter := range stack.Template.Parameters {
			found = found || strings.HasPrefix(parameter.Default, "/aws/service/ecs/optimized-ami/amazon-linux-2023/")
		}
		assert.True(t, found)
	})
}

func TestECSEC2InProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EcsEc2"]
	check(t, stack, append(inProduction, claim{
		name:     "instances with tasks are not scaled in",
		resource: "AWS::ECS::CapacityProvider",
		props:    object{"AutoScalingGroupProvider": object{"ManagedTerminationProtection": "ENABLED"}},
	}, claim{
		name:     "two to eight tasks run",
		resource: "AWS::ApplicationAutoScaling::ScalableTarget",
		props:    object{"MinCapacity": 2, "MaxCapacity": 8},
	}, claim{
		name:     "tasks are spread over zones",
		resource: "AWS::ECS::Service",
		props: object{"PlacementStrategies": []any{
			object{"Field": "attribute:ecs.availability-zone", "Type": "spread"},
			object{"Field": "MEMORY", "Type": "binpack"},
		}},
	}, claim{
		name:     "instances have no public address",
		resource: "AWS::EC2::LaunchTemplate",
		props: object{"LaunchTemplateData": object{
			"NetworkInterfaces": []any{object{"AssociatePublicIpAddress": false}},
		}},
	}))
	t.Run("each zone has a NAT gateway of its own", func(t *testing.T) { stack.Count(t, "AWS::EC2::NatGateway", 2) })
}
