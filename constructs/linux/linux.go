// Package linux says what the kernel gives a container of ECS: no capabilities,
// and a /tmp where the app asks for one.
package linux

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// New takes from a container the 14 capabilities that Docker would leave it
// (Amazon ECS API reference, KernelCapabilities, read 2026-11-27): an app that
// listens above port 1024 uses none, and whoever breaks into it gains none.
//
// It defines a /tmp of so many MiB at most, in the container's memory, or none
// when that is 0. Many programs take one for granted, and the root file system
// cannot be written to. Everyone in the container may write to it, which they may
// not to a volume of the task: ECS gives that to root, unless the image says
// otherwise (Amazon ECS developer guide, bind mounts, read 2026-11-27). On Fargate
// and Managed Instances tmpfs is there since 2026-01-06 (AWS, What's New).
func New(scope constructs.Construct, id string, tmpMiB int) awsecs.LinuxParameters {
	parameters := awsecs.NewLinuxParameters(scope, jsii.String(id), nil)
	parameters.DropCapabilities(awsecs.Capability_ALL)
	if tmpMiB > 0 {
		parameters.AddTmpfs(&awsecs.Tmpfs{ContainerPath: jsii.String("/tmp"), Size: jsii.Number(tmpMiB)})
	}
	return parameters
}
