// Package logs makes log groups that go away with their stack, or outlive it on
// purpose.
package logs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Props configures [NewGroup] and [Adopt]. A nil *Props selects every default.
type Props struct {
	// Keep lets the group outlive the stack, with three months of logs. Default:
	// false, one week, deleted with the stack.
	Keep bool
}

// NewGroup defines a log group. A service that is left to make its own group
// makes one without expiry that no stack owns and `cdk destroy` leaves behind.
func NewGroup(scope constructs.Construct, id string, props *Props) awslogs.LogGroup {
	retention, removal := awslogs.RetentionDays_ONE_WEEK, awscdk.RemovalPolicy_DESTROY
	if props != nil && props.Keep {
		retention, removal = awslogs.RetentionDays_THREE_MONTHS, awscdk.RemovalPolicy_RETAIN
	}
	return awslogs.NewLogGroup(scope, jsii.String(id), &awslogs.LogGroupProps{
		Retention:     retention,
		RemovalPolicy: removal,
	})
}

// Adopt sends the logs of the functions that the CDK brings to a stack for its
// own work to one group, Provisioning, of that stack. A stack without such a
// function gets no group. Call it last: it covers what exists so far.
func Adopt(stack awscdk.Stack, props *Props) {
	var group awslogs.ILogGroup
	for _, child := range *stack.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		fn, ok := child.(awscdk.CfnResource)
		if !ok || *fn.CfnResourceType() != "AWS::Lambda::Function" || logsElsewhere(fn) {
			continue
		}
		if group == nil {
			group = NewGroup(stack, "Provisioning", props)
		}
		fn.AddPropertyOverride(jsii.String("LoggingConfig.LogGroup"), group.LogGroupName())
		denyGroups(fn)
	}
}

// logsElsewhere reports whether a function has a group already.
func logsElsewhere(fn awscdk.CfnResource) bool {
	l1, ok := fn.(awslambda.CfnFunction)
	if !ok || l1.LoggingConfig() == nil {
		return false // the CDK writes most of its own functions without a type
	}
	config, _ := awscdk.Stack_Of(fn).Resolve(l1.LoggingConfig()).(map[string]any)
	return config["logGroup"] != nil
}

// denyGroups keeps a function from making a log group. Lambda makes the group
// of a line that arrives late with the function's own role: after `cdk destroy`
// has removed the group, it would be back, without expiry and without an owner
// (aws-cdk#31487).
func denyGroups(fn awscdk.CfnResource) {
	deny := awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Effect:    awsiam.Effect_DENY,
		Actions:   jsii.Strings("logs:CreateLogGroup"),
		Resources: jsii.Strings("*"),
	})
	switch owner := fn.Node().Scope().(type) {
	case awslambda.Function:
		owner.AddToRolePolicy(deny)
	case awscdk.CustomResourceProviderBase:
		owner.AddToRolePolicy(deny.ToJSON())
	}
}
