package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestECSExpress(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EcsExpress"]
	check(t, stack, []claim{
		{
			name:     "a task has the smallest size: a quarter vCPU and half a gigabyte",
			resource: "AWS::ECS::ExpressGatewayService",
			props:    object{"Cpu": "256", "Memory": "512"},
		},
		{
			name:     "the load balancer sends requests to port 8080, and asks the app itself whether it is healthy",
			resource: "AWS::ECS::ExpressGatewayService",
			props:    object{"HealthCheckPath": "/healthz", "PrimaryContainer": object{"ContainerPort": 8080}},
		},
		{
			name:     "one to four tasks run, and one is added when their CPU passes 60 percent",
			resource: "AWS::ECS::ExpressGatewayService",
			props: object{"ScalingTarget": object{
				"AutoScalingMetric": "AVERAGE_CPU", "AutoScalingTargetValue": 60, "MinTaskCount": 1, "MaxTaskCount": 4,
			}},
		},
		{
			name:     "the service has no fixed name, which a removed service keeps for a while",
			resource: "AWS::ECS::ExpressGatewayService",
			props:    object{"ServiceName": nothing},
		},
		{
			name:     "the public subnets of the default VPC are used, so that the load balancer faces the internet",
			resource: "AWS::ECS::ExpressGatewayService",
			props:    object{"NetworkConfiguration": nothing},
		},
		{
			name:     "what Express Mode creates, it creates with a role of its own",
			resource: "AWS::IAM::Role",
			props: object{
				"AssumeRolePolicyDocument": object{"Statement": []any{object{"Principal": object{"Service": "ecs.amazonaws.com"}}}},
				"ManagedPolicyArns": []any{object{"Fn::Join": []any{"", []any{
					"arn:", object{"Ref": "AWS::Partition"}, ":iam::aws:policy/service-role/AmazonECSInfrastructureRoleforExpressGatewayServices",
				}}}},
			},
		},
	})

	service := stack.Only(t, "AWS::ECS::ExpressGatewayService").Properties
	t.Run("logs go to the group of the stack, and not to one that nobody removes", func(t *testing.T) {
		logging := service["PrimaryContainer"].(object)["AwsLogsConfiguration"].(object)
		assert.Contains(t, stack.Of("AWS::Logs::LogGroup"), target(logging["LogGroup"]))
	})
	t.Run("the app, ECS and Express Mode each have a role of their own", func(t *testing.T) {
		roles := map[string]bool{}
		for _, property := range []string{"TaskRoleArn", "ExecutionRoleArn", "InfrastructureRoleArn"} {
			assert.Contains(t, stack.Of("AWS::IAM::Role"), target(service[property]), property)
			roles[target(service[property])] = true
		}
		assert.Len(t, roles, 3)
	})
	t.Run("the service waits for its permissions, and goes before them", func(t *testing.T) {
		for id := range stack.Of("AWS::ECS::ExpressGatewayService") {
			needs := stack.Needs(id)
			for policy, r := range stack.Of("AWS::IAM::Policy") {
				assert.Contains(t, needs, policy, r.Properties["Roles"])
			}
		}
	})
	t.Run("there is no network, load balancer or certificate in the template", func(t *testing.T) {
		for _, resource := range []string{"AWS::EC2::VPC", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::CertificateManager::Certificate"} {
			stack.Count(t, resource, 0)
		}
	})
	t.Run("the address begins with https:// once, whether or not AWS returns it so", func(t *testing.T) {
		assert.Equal(t, object{"Fn::Join": []any{"", []any{"https://", object{"Fn::Join": []any{"", object{"Fn::Split": []any{
			"https://", object{"Fn::GetAtt": []any{only(stack.Of("AWS::ECS::ExpressGatewayService")), "Endpoint"}},
		}}}}}}}, stack.Template.Outputs["Url"].Value)
	})
}

func TestECSExpressInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EcsExpress"]
	check(t, stack, []claim{
		{
			name:     "two to eight tasks run",
			resource: "AWS::ECS::ExpressGatewayService",
			props:    object{"ScalingTarget": object{"MinTaskCount": 2, "MaxTaskCount": 8}},
		},
		{
			name:     "an alarm rings when a task is missing for five minutes",
			resource: "AWS::CloudWatch::Alarm",
			props: object{
				"MetricName": "RunningTaskCount", "Namespace": "ECS/ContainerInsights", "Threshold": 2,
				"EvaluationPeriods": 5, "Period": 60, "TreatMissingData": "breaching",
			},
		},
		{
			name:     "alarms ring on the errors of the load balancer that Express Mode made",
			resource: "AWS::CloudWatch::Alarm",
			props: object{"MetricName": "HTTPCode_Target_5XX_Count", "Dimensions": []any{object{
				"Name": "LoadBalancer",
				"Value": object{"Fn::Select": []any{1, object{"Fn::Split": []any{"loadbalancer/", object{"Fn::GetAtt": []any{
					only(stack.Of("AWS::ECS::ExpressGatewayService")), "ECSManagedResourceArns.IngressPath.LoadBalancerArn",
				}}}}}},
			}}},
		},
	})
}
