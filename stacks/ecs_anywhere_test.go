package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
)

func TestECSAnywhere(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EcsAnywhere"]
	check(t, stack, []claim{
		{
			name:     "tasks run on servers of your own, one on each",
			resource: "AWS::ECS::Service",
			props:    object{"LaunchType": "EXTERNAL", "SchedulingStrategy": "DAEMON"},
		},
		{
			name:     "the app listens on port 8080 of the server",
			resource: "AWS::ECS::TaskDefinition",
			props: object{"NetworkMode": "bridge", "ContainerDefinitions": []any{object{
				"PortMappings": []any{object{"ContainerPort": 8080, "HostPort": 8080}},
			}}},
		},
		{
			name:     "a server of another architecture than the image gets no task",
			resource: "AWS::ECS::TaskDefinition",
			props: object{"PlacementConstraints": []any{object{
				"Type": "memberOf", "Expression": "attribute:ecs.cpu-architecture == arm64",
			}}},
		},
		{
			name:     "the app cannot write to its disk, and has a quarter vCPU and 256 MiB",
			resource: "AWS::ECS::TaskDefinition",
			props: object{"ContainerDefinitions": []any{object{
				"Name": "App", "ReadonlyRootFilesystem": true, "Cpu": 256, "Memory": 256,
			}}},
		},
		{
			name:     "a failed release rolls back, and on the one server of a sandbox the old copy makes way for the new one first",
			resource: "AWS::ECS::Service",
			props: object{"DeploymentConfiguration": object{
				"MinimumHealthyPercent": 0, "MaximumPercent": 100,
				"DeploymentCircuitBreaker": object{"Enable": true, "Rollback": true},
			}},
		},
		{
			name:     "only Systems Manager of this account hands the server's role out",
			resource: "AWS::IAM::Role",
			props: object{"AssumeRolePolicyDocument": object{"Statement": []any{object{
				"Principal": object{"Service": "ssm.amazonaws.com"},
				"Condition": object{"StringEquals": object{"aws:SourceAccount": object{"Ref": "AWS::AccountId"}}},
			}}}},
		},
	})

	t.Run("there is no network, load balancer, instance or scaling in the template", func(t *testing.T) {
		for id, r := range stack.Template.Resources {
			for _, service := range []string{"EC2", "ElasticLoadBalancingV2", "AutoScaling", "ApplicationAutoScaling"} {
				assert.False(t, strings.HasPrefix(r.Type, "AWS::"+service+"::"), "%s is a %s", id, r.Type)
			}
		}
	})
	t.Run("the outputs are the commands that bring a server in and take it out", func(t *testing.T) {
		cluster := "${" + only(stack.Of("AWS::ECS::Cluster")) + "}"
		region := "--region ${AWS::Region}"
		var role string
		for id, r := range stack.Of("AWS::IAM::Role") {
			if strings.Contains(fmt.Sprint(r.Properties), "ssm.amazonaws.com") {
				role = "${" + id + "}"
			}
		}
		assert.Equal(t, map[string]string{
			"Activate": "aws ssm create-activation " + region + " --iam-role " + role + " --registration-limit 1 --tags Key=refdeploy:stack,Value=EcsAnywhere",
			"BringIn": "curl --proto https --fail -o ecs-anywhere-install.sh https://amazon-ecs-agent.s3.amazonaws.com/ecs-anywhere-install-latest.sh" +
				" && sudo bash ecs-anywhere-install.sh " + region + " --cluster " + cluster + " --activation-id ACTIVATION_ID --activation-code ACTIVATION_CODE",
			"Servers": "aws ecs describe-container-instances " + region + " --cluster " + cluster +
				" --container-instances $(aws ecs list-container-instances " + region + " --cluster " + cluster + " --query containerInstanceArns --output text)" +
				" --query 'containerInstances[].[containerInstanceArn,ec2InstanceId,agentConnected]' --output text",
			"TakeOut": "aws ecs deregister-container-instance --force " + region + " --cluster " + cluster + " --container-instance CONTAINER_INSTANCE_ARN" +
				" && aws ssm deregister-managed-instance " + region + " --instance-id MI_ID",
		}, commands(t, stack))
	})
}

// commands returns the outputs of a stack as text, with each reference in braces.
func commands(t *testing.T, stack *cdktest.Stack) map[string]string {
	t.Helper()
	all := map[string]string{}
	for id, output := range stack.Template.Outputs {
		joined, ok := output.Value.(object)["Fn::Join"].([]any)
		require.True(t, ok, id)
		for _, part := range joined[1].([]any) {
			if text, ok := part.(string); ok {
				all[id] += text
			} else {
				all[id] += "${" + target(part) + "}"
			}
		}
	}
	return all
}

func TestECSAnywhereInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EcsAnywhere"]
	check(t, stack, []claim{
		{
			name:     "half of the servers go on while the others take a release",
			resource: "AWS::ECS::Service",
			props:    object{"DeploymentConfiguration": object{"MinimumHealthyPercent": 50, "MaximumPercent": 100}},
		},
		{
			name:     "errors are counted in the app's log, for there is no load balancer to count them",
			resource: "AWS::Logs::MetricFilter",
			props:    object{"FilterPattern": "{ $.status >= 500 }"},
		},
		{
			name:     "an alarm rings when fewer than two copies report for five minutes",
			resource: "AWS::CloudWatch::Alarm",
			props: object{
				"MetricName": "CPUUtilization", "Namespace": "AWS/ECS", "Statistic": "SampleCount", "Period": 60,
				"Threshold": 2, "EvaluationPeriods": 5, "ComparisonOperator": "LessThanThreshold", "TreatMissingData": "breaching",
			},
		},
	})
}
