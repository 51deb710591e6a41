package logs_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
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

// aFunction defines a function, with a log group of its own unless group is nil.
func aFunction(stack awscdk.Stack, group awslogs.ILogGroup) {
	awslambda.NewFunction(stack, jsii.String("Function"), &awslambda.FunctionProps{
		Runtime:  awslambda.Runtime_NODEJS_LATEST(),
		Handler:  jsii.String("index.handler"),
		Code:     awslambda.Code_FromInline(jsii.String("exports.handler = async () => {}")),
		LogGroup: group,
	})
}

func TestAFunctionWithoutAGroupGetsOneAndMayMakeNone(t *testing.T) {
	stack := cdktest.NewStack(t)
	aFunction(stack, nil)
	logs.Adopt(stack, nil)
	got := cdktest.SynthStack(t, stack)
	got.Count(t, "AWS::Logs::LogGroup", 1)
	for id := range got.Of("AWS::Logs::LogGroup") {
		got.Has(t, "AWS::Lambda::Function", map[string]any{"LoggingConfig": map[string]any{"LogGroup": map[string]any{"Ref": id}}})
	}
	got.Has(t, "AWS::IAM::Policy", map[string]any{"PolicyDocument": map[string]any{"Statement": []any{
		map[string]any{"Effect": "Deny", "Action": "logs:CreateLogGroup", "Resource": "*"},
	}}})
}

func TestAFunctionWithAGroupKeepsItAndTheStackGetsNoOther(t *testing.T) {
	stack := cdktest.NewStack(t)
	aFunction(stack, logs.NewGroup(stack, "Group", nil))
	logs.Adopt(stack, nil)
	got := cdktest.SynthStack(t, stack)
	got.Count(t, "AWS::Logs::LogGroup", 1)
	got.Count(t, "AWS::IAM::Policy", 0)
}
