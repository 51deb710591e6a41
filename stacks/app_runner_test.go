package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/stacks"
)

func TestAppRunner(t *testing.T) {
	check(t, synth(t, "profile", "sandbox")["AppRunner"], []claim{
		{
			name:     "the image comes from ECR, with a role that only pulls",
			resource: "AWS::AppRunner::Service",
			props: object{"SourceConfiguration": object{
				"ImageRepository": object{"ImageRepositoryType": "ECR", "ImageConfiguration": object{"Port": "8080"}},
			}},
		},
		{
			name:     "a release is a deploy, not a push to the registry",
			resource: "AWS::AppRunner::Service",
			props:    object{"SourceConfiguration": object{"AutoDeploymentsEnabled": false}},
		},
		{
			name:     "an instance has the smallest size: a quarter vCPU and half a gigabyte",
			resource: "AWS::AppRunner::Service",
			props:    object{"InstanceConfiguration": object{"Cpu": "256", "Memory": "512"}},
		},
		{
			name:     "one to four instances run, and each takes a hundred requests at a time",
			resource: "AWS::AppRunner::AutoScalingConfiguration",
			props:    object{"MinSize": 1, "MaxSize": 4, "MaxConcurrency": 100},
		},
		{
			name:     "the app has the instance role",
			resource: "AWS::IAM::Role",
			props: object{"AssumeRolePolicyDocument": object{"Statement": []any{
				object{"Principal": object{"Service": "tasks.apprunner.amazonaws.com"}},
			}}},
		},
	})
	stack := synth(t, "profile", "sandbox")["AppRunner"]
	t.Run("the service waits for the permission to pull", func(t *testing.T) {
		for id := range stack.Of("AWS::AppRunner::Service") {
			needs := stack.Needs(id)
			for policy, r := range stack.Of("AWS::IAM::Policy") {
				assert.Contains(t, needs, policy, r.Properties["Roles"])
			}
		}
	})
}

func TestAppRunnerInProduction(t *testing.T) {
	check(t, synth(t, "profile", "production")["AppRunner"], []claim{{
		name:     "two to eight instances run",
		resource: "AWS::AppRunner::AutoScalingConfiguration",
		props:    object{"MinSize": 2, "MaxSize": 8},
	}})
}

func TestAppRunnerFromGitHub(t *testing.T) {
	stack := synth(t, "stacks", "AppRunner",
		"appRunnerConnectionArn", connection, "appRunnerRepository", "https://github.com/example/refdeploy")["AppRunner"]
	check(t, stack, []claim{
		{
			name:     "a push to main is a release",
			resource: "AWS::AppRunner::Service",
			props: object{"SourceConfiguration": object{
				"AutoDeploymentsEnabled":      true,
				"AuthenticationConfiguration": object{"ConnectionArn": connection},
				"CodeRepository": object{
					"RepositoryUrl":     "https://github.com/example/refdeploy",
					"SourceCodeVersion": object{"Type": "BRANCH", "Value": "main"},
				},
			}},
		},
		{
			name:     "the build brings its own Go",
			resource: "AWS::AppRunner::Service",
			props: object{"SourceConfiguration": object{"CodeRepository": object{"CodeConfiguration": object{
				"CodeConfigurationValues": object{"Runtime": "PYTHON_311", "Port": "8080"},
			}}}},
		},
	})
	t.Run("nothing is built where you deploy from", func(t *testing.T) { assert.Empty(t, stack.ImagePlatforms) })
}

func TestAppRunnerRefusesImagesFromElsewhere(t *testing.T) {
	app, chosen := newApp(t, "image", "ghcr.io/stefanprodan/podinfo:6.14.1")
	stack := stacks.NewAppRunner(app, "AppRunner", &stacks.Props{Settings: chosen})
	cdktest.HasError(t, stack, "App Runner pulls from ECR only")
}
