package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/internal/settings"
)

// Props configures a deployment. A nil *Props deploys the sandbox.
type Props struct {
	awscdk.StackProps

	// Settings is what the user chose. Default: [settings.Default].
	Settings settings.Settings
}

// withDefaults returns a copy of p in which everything is set.
func (p *Props) withDefaults() Props {
	var out Props
	if p != nil {
		out = *p
	}
	if out.Settings.Profile == "" {
		out.Settings = settings.Default()
	}
	return out
}

// newStack defines the stack of a deployment, with a warning in production when
// nobody would hear of its alarms.
func newStack(scope constructs.Construct, id, description string, p Props) awscdk.Stack {
	stack := plainStack(scope, id, description, p)
	warnUntold(stack, p.Settings)
	watchSpending(scope, stack, p)
	return stack
}

// plainStack defines a stack with what all of them share: tags to find its bill
// and its leftovers by, and in production a refusal to be deleted.
func plainStack(scope constructs.Construct, id, description string, p Props) awscdk.Stack {
	p.Description = jsii.String(description)
	p.TerminationProtection = jsii.Bool(p.Settings.IsProduction())
	p.Tags = &map[string]*string{
		"refdeploy:stack":        jsii.String(id),
		"refdeploy:profile":      jsii.String(string(p.Settings.Profile)),
		"refdeploy:architecture": jsii.String(string(p.Settings.Architecture)),
	}
	stack := awscdk.NewStack(scope, jsii.String(id), &p.StackProps)
	stack.AddMetadata(jsii.String("refdeploy:settings"), p.Settings.Metadata())
	tellSize(stack, id, p.Settings)
	return stack
}

// capacityName is a name for a stack's capacity provider. CloudFormation's own
// would begin with the stack's, and ECS refuses one that begins with aws, ecs or
// fargate in any spelling (aws-cdk#36584).
func capacityName() *string { return jsii.Sprintf("capacity-%s", *awscdk.Aws_STACK_NAME()) }

// keepTags takes from a stack the tags that change with a setting, for a service
// that takes tags only when it is created: CloudFormation would replace it, and
// with it the public address.
func keepTags(stack awscdk.Stack) {
	for _, varies := range []string{"refdeploy:profile", "refdeploy:architecture"} {
		stack.Tags().RemoveTag(jsii.String(varies), jsii.Number(100))
	}
}

// tagInstances gives the instances that template starts, and their disks, the
// tags of the stack. CloudFormation tags what it creates itself; these are
// created by an auto scaling group, and bill.
func tagInstances(template awsec2.LaunchTemplate) {
	for key, value := range *awscdk.Stack_Of(template).Tags().TagValues() {
		awscdk.Tags_Of(template).Add(jsii.String(key), value, nil)
	}
}
