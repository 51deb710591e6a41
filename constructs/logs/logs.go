// Package logs makes log groups that go away with their stack, or outlive it on
// purpose.
package logs

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Props configures [NewGroup]. A nil *Props selects every default.
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

// Adopt sends the logs of Lambda functions that the CDK makes for its own
// custom resources to group. It covers every function below c that exists so
// far and has no group of its own.
func Adopt(group awslogs.ILogGroup, c constructs.IConstruct) {
	for _, child := range *c.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		if fn, ok := child.(awscdk.CfnResource); ok && *fn.CfnResourceType() == "AWS::Lambda::Function" {
			fn.AddPropertyOverride(jsii.String("LoggingConfig"), map[string]any{"LogGroup": group.LogGroupName()})
		}
	}
}
