package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/catalog"
)

const secret = "quotes/api-token" // what the Python app asks for as API_TOKEN

// readers are the roles with which a platform reads a secret for the app, by the
// property that names them.
var readers = map[string]struct{ resource, property string }{
	"EcsEc2":              {"AWS::ECS::TaskDefinition", "ExecutionRoleArn"},
	"EcsFargate":          {"AWS::ECS::TaskDefinition", "ExecutionRoleArn"},
	"EcsManagedInstances": {"AWS::ECS::TaskDefinition", "ExecutionRoleArn"},
	"EcsAnywhere":         {"AWS::ECS::TaskDefinition", "ExecutionRoleArn"},
	"EcsExpress":          {"AWS::ECS::ExpressGatewayService", "ExecutionRoleArn"},
	"AppRunner":           {"AWS::AppRunner::Service", "InstanceConfiguration"},
}

func TestThePlatformReadsTheSecretThatTheAppNamesAndNoOther(t *testing.T) {
	for id, stack := range python(t) {
		t.Run(id, func(t *testing.T) {
			d, known := catalog.ByID(id)
			require.True(t, known)
			says := d.OwnApp().Secrets
			granted := readersOf(t, stack)
			reader, ok := readers[id]
			if !ok {
				assert.Empty(t, granted, "nobody of the stack reads it")
				assert.Regexp(t, "MakeSecrets|CloudFormation reads them", says)
				return
			}
			assert.Regexp(t, "execution role|instance role", says)
			property := stack.Only(t, reader.resource).Properties[reader.property]
			if id == "AppRunner" {
				property = property.(object)["InstanceRoleArn"]
			}
			assert.Equal(t, []string{target(property)}, granted)
			assert.Contains(t, appOf(t, stack).told, `"API_TOKEN"`)
			assert.Contains(t, appOf(t, stack).told, ":secret:"+secret)
		})
	}
}

// readersOf returns the roles that may read a secret, and fails when one may read
// another.
func readersOf(t *testing.T, stack *cdktest.Stack) []string {
	t.Helper()
	var roles []string
	for id, policy := range stack.Of("AWS::IAM::Policy") {
		for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
			statement := s.(object)
			if !strings.Contains(fmt.Sprint(statement["Action"]), "GetSecretValue") {
				continue
			}
			assert.Contains(t, fmt.Sprint(statement["Resource"]), ":secret:"+secret+"-??????", id)
			for _, role := range policy.Properties["Roles"].([]any) {
				roles = append(roles, target(role))
			}
		}
	}
	return roles
}

// CloudFormation reads the value when it sets the function's environment.
func TestLambdaGetsSecretsByReference(t *testing.T) {
	assert.Equal(t, "{{resolve:secretsmanager:"+secret+"}}", appOf(t, python(t)["Lambda"]).variable(t, "API_TOKEN"))
}

func TestOnKubernetesPodsWaitForASecretThatACommandMakes(t *testing.T) {
	for id := range onKubernetes {
		t.Run(id, func(t *testing.T) {
			stack := python(t)[id]
			container := podOf(t, stack)["containers"].([]any)[0].(object)
			assert.Contains(t, container["env"], object{"name": "API_TOKEN", "valueFrom": object{
				"secretKeyRef": object{"name": "app-secrets", "key": "API_TOKEN"},
			}})
			assert.NotContains(t, manifests(t, stack), "Secret", "its value would be in the template")
			command := fmt.Sprint(stack.Template.Outputs["MakeSecrets"].Value)
			assert.Contains(t, command, "kubectl -n notes create secret generic app-secrets --from-file=API_TOKEN=")
			assert.Contains(t, command, "--secret-id "+secret+" ")
		})
	}
	assert.Contains(t, python(t)["EksAnywhere"].Template.Outputs, "MakeSecrets")
}

func TestAParameterIsReadWhereThePlatformCan(t *testing.T) {
	own := []string{"app", "tests/apps/static", "secrets", "TOKEN=/quotes/token", "stacks", "EcsFargate,EcsExpress,AppRunner,EksEc2,Lambda"}
	for id, stack := range synth(t, own...) {
		t.Run(id, func(t *testing.T) {
			switch id {
			case "Lambda":
				require.Len(t, stack.Annotations, 1)
				assert.Equal(t, "error", stack.Annotations[0].Level)
				assert.Contains(t, stack.Annotations[0].Says, "secrets: TOKEN is the parameter /quotes/token; Lambda takes secrets of Secrets Manager only")
			case "EksEc2":
				assert.Contains(t, fmt.Sprint(stack.Template.Outputs["MakeSecrets"].Value), "--with-decryption --name /quotes/token ")
			default:
				assert.Contains(t, appOf(t, stack).told, ":parameter/quotes/token")
				assert.Contains(t, fmt.Sprint(stack.Of("AWS::IAM::Policy")), "ssm:GetParameters")
			}
		})
	}
}
