// Package environment holds what the app finds when it starts: the variables that
// it is told, and on ECS what the kernel gives its container.
package environment

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapprunner"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/notes"
	"refdeploy/internal/settings"
)

// A Variable is a name with a value, which may be a CDK token.
type Variable struct {
	Name  string
	Value *string
}

// Environment is what the app is told, in order.
type Environment []Variable

// New returns what tells the app of its bucket, if it has one, and after that
// what the user gave it.
func New(bucket notes.Notes, given []settings.Variable) Environment {
	var all Environment
	if bucket.Bucket != nil {
		all = all.With("NOTES_BUCKET", bucket.Bucket.BucketName()).With("NOTES_TTL", bucket.TTL)
	}
	for _, v := range given {
		all = all.With(v.Name, jsii.String(v.Value))
	}
	return all
}

// With returns the environment with one variable more.
func (e Environment) With(name string, value *string) Environment {
	return append(e[:len(e):len(e)], Variable{name, value})
}

// In returns the environment with the region before all else, for a platform that
// does not tell it.
func (e Environment) In(region *string) Environment {
	return append(Environment{{"AWS_REGION", region}}, e...)
}

// Map returns the environment as most of the CDK's classes take it.
func (e Environment) Map() *map[string]*string {
	all := map[string]*string{}
	for _, v := range e {
		all[v.Name] = v.Value
	}
	return &all
}

// Express returns the environment as Express Mode takes it.
func (e Environment) Express() []any {
	var all []any
	for _, v := range e {
		all = append(all, &awsecs.CfnExpressGatewayService_KeyValuePairProperty{Name: jsii.String(v.Name), Value: v.Value})
	}
	return all
}

// AppRunner returns the environment as App Runner takes it.
func (e Environment) AppRunner() []any {
	var all []any
	for _, v := range e {
		all = append(all, &awsapprunner.CfnService_KeyValuePairProperty{Name: jsii.String(v.Name), Value: v.Value})
	}
	return all
}

// Reason says why a task definition may hold the environment in the open.
func (e Environment) Reason() string {
	if len(e) == 2 && e[0].Name == "NOTES_BUCKET" {
		return "The environment holds a region, a bucket's name and how long notes live, and no secret."
	}
	return "The environment holds what the env setting says, which is not for secrets: the secrets setting is."
}

// Linux takes from a container the 14 capabilities that Docker would leave it
// (Amazon ECS API reference, KernelCapabilities, read 2026-11-27): an app that
// listens above port 1024 uses none, and whoever breaks into it gains none.
//
// It defines a /tmp of so many MiB at most, in the container's memory, or none
// when that is 0. Many programs take one for granted, and the root file system
// cannot be written to. Everyone in the container may write to it, which they may
// not to a volume of the task: ECS gives that to root, unless the image says
// otherwise (Amazon ECS developer guide, bind mounts, read 2026-11-27). On Fargate
// and Managed Instances tmpfs is there since 2026-01-06 (AWS, What's New).
func Linux(scope constructs.Construct, id string, tmpMiB int) awsecs.LinuxParameters {
	parameters := awsecs.NewLinuxParameters(scope, jsii.String(id), nil)
	parameters.DropCapabilities(awsecs.Capability_ALL)
	if tmpMiB > 0 {
		parameters.AddTmpfs(&awsecs.Tmpfs{ContainerPath: jsii.String("/tmp"), Size: jsii.Number(tmpMiB)})
	}
	return parameters
}
