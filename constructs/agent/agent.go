// Package agent lets the ECS agent on a machine do its work.
package agent

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/nag"
)

// Grant lets the agent register its machine with one cluster, ask for tasks and
// tell how they are. Images are pulled and logs written by the task's roles: the
// CDK's own statements, and AWS's managed policy, would let a machine write to
// every log group of the account.
func Grant(machine awsiam.Role, cluster *string) {
	machine.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("ecs:RegisterContainerInstance", "ecs:DeregisterContainerInstance", "ecs:Submit*"),
		Resources: &[]*string{cluster},
	}))
	machine.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:    jsii.Strings("ecs:Poll", "ecs:StartTelemetrySession"),
		Resources:  jsii.Strings("*"),
		Conditions: &map[string]any{"ArnEquals": map[string]any{"ecs:cluster": cluster}},
	}))
	machine.AddToPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("ecs:DiscoverPollEndpoint"),
		Resources: jsii.Strings("*"),
	}))
	nag.Suppress(machine, nag.Reasons{
		"AwsSolutions-IAM4": "AWS keeps this managed policy in line with what the Session Manager agent needs.",
		"AwsSolutions-IAM5": "The agent polls for the tasks of its own cluster, which a condition says; asking where to poll has no resource level, and Submit* is bound to the cluster.",
	})
}
