// Package tmp gives a container of ECS a /tmp, which many programs take for
// granted, beside a root file system that nobody can write to.
package tmp

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// New defines a /tmp of so many MiB at most, in the container's memory, or none
// when it is 0. Everyone in the container may write to it, which they may not to a
// volume of the task: ECS gives that to root, unless the image says otherwise
// (Amazon ECS developer guide, bind mounts, read 2026-11-27). On Fargate and
// Managed Instances tmpfs is there since 2026-01-06 (AWS, What's New).
func New(scope constructs.Construct, id string, mib int) awsecs.LinuxParameters {
	if mib == 0 {
		return nil
	}
	parameters := awsecs.NewLinuxParameters(scope, jsii.String(id), nil)
	parameters.AddTmpfs(&awsecs.Tmpfs{ContainerPath: jsii.String("/tmp"), Size: jsii.Number(mib)})
	return parameters
}
