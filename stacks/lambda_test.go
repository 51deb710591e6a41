package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestLambda(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["Lambda"]
	check(t, stack, []claim{
		{
			name:     "the function is the app's own program on provided.al2023",
			resource: "AWS::Lambda::Function",
			props:    object{"Runtime": "provided.al2023", "Handler": "bootstrap", "PackageType": nothing, "Architectures": []any{"arm64"}},
		},
		{
			name:     "256 MiB and ten seconds bound what a request can cost",
			resource: "AWS::Lambda::Function",
			props:    object{"Runtime": "provided.al2023", "MemorySize": 256, "Timeout": 10},
		},
		{
			name:     "the public address needs no credentials",
			resource: "AWS::Lambda::Url",
			props:    object{"AuthType": "NONE", "Qualifier": "live"},
		},
	})

	t.Run("a new version takes over at once", func(t *testing.T) {
		stack.Count(t, "AWS::CodeDeploy::DeploymentGroup", 0)
	})

	t.Run("a function URL needs both permissions", func(t *testing.T) {
		var actions []any
		for _, permission := range stack.Of("AWS::Lambda::Permission") {
			assert.Equal(t, "*", permission.Properties["Principal"])
			actions = append(actions, permission.Properties["Action"])
		}
		assert.ElementsMatch(t, []any{"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}, actions)
	})

	t.Run("nothing runs while nobody calls", func(t *testing.T) {
		for _, running := range []string{"AWS::EC2::VPC", "AWS::EC2::Instance", "AWS::ECS::Service", "AWS::ElasticLoadBalancingV2::LoadBalancer"} {
			stack.Count(t, running, 0)
		}
	})
}

func TestLambdaInProduction(t *testing.T) {
	check(t, synth(t, "profile", "production")["Lambda"], []claim{
		{
			name:     "a new version first gets a tenth of the requests, for five minutes",
			resource: "AWS::CodeDeploy::DeploymentGroup",
			props: object{
				"DeploymentConfigName":      "CodeDeployDefault.LambdaCanary10Percent5Minutes",
				"AutoRollbackConfiguration": object{"Enabled": true, "Events": []any{"DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"}},
			},
		},
		{
			name:     "an answer of 5xx in that time undoes the release, and tells the topic of alarms",
			resource: "AWS::CloudWatch::Alarm",
			props: object{
				"MetricName": "Url5xxCount", "Namespace": "AWS/Lambda", "Statistic": "Sum", "Threshold": 1, "Period": 60,
				"ComparisonOperator": "GreaterThanOrEqualToThreshold", "TreatMissingData": "notBreaching",
			},
		},
		{
			name:     "logs stay for three months",
			resource: "AWS::Logs::LogGroup",
			props:    object{"RetentionInDays": 90},
		},
	})
}
