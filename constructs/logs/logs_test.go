package logs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/logs"
)

func TestGroupsGoAwayAfterAWeekOrStayForThreeMonths(t *testing.T) {
	stack := cdktest.NewStack(t)
	logs.NewGroup(stack, "Gone", nil)
	logs.NewGroup(stack, "Kept", &logs.Props{Keep: true})
	for _, group := range cdktest.SynthStack(t, stack).Of("AWS::Logs::LogGroup") {
		if group.DeletionPolicy == "Delete" {
			assert.EqualValues(t, 7, group.Properties["RetentionInDays"])
		} else {
			assert.Equal(t, "Retain", group.DeletionPolicy)
			assert.EqualValues(t, 90, group.Properties["RetentionInDays"])
		}
	}
}

func TestAdoptSendsAFunctionsLogsToTheGroup(t *testing.T) {
	stack := cdktest.NewStack(t)
	group := logs.NewGroup(stack, "Group", nil)
	awslambda.NewFunction(stack, jsii.String("Function"), &awslambda.FunctionProps{
		Runtime: awslambda.Runtime_NODEJS_LATEST(),
		Handler: jsii.String("index.handler"),
		Code:    awslambda.Code_FromInline(jsii.String("exports.handler = async () => {}")),
	})
	logs.Adopt(group, stack)
	got := cdktest.SynthStack(t, stack)
	for id := range got.Of("AWS::Logs::LogGroup") {
		got.Has(t, "AWS::Lambda::Function", map[string]any{"LoggingConfig": map[string]any{"LogGroup": map[string]any{"Ref": id}}})
	}
}
