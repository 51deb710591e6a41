// Package catalog lists the deployments and what is known of each beside its
// template. The CDK app, the tests and the documentation all range over it: a
// new deployment is one stack file, one entry here and one page.
package catalog

import (
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"

	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

// A Deployment is one way to run the app on AWS.
type Deployment struct {
	// ID is the stack's id, as in `cdk deploy EcsFargate`.
	ID string

	// ControlPlane decides what runs where: ECS, EKS or none that you see.
	ControlPlane string

	// DataPlane is what the app's processes run on.
	DataPlane string

	// Source is the stack file and Page its documentation, from the root.
	Source, Page string

	// ClosedSince is the day, as YYYY-MM-DD, from which AWS takes no new
	// customers, or "" while it does.
	ClosedSince string

	// Needs lists what an account has to have, beside permissions and a
	// bootstrapped region, for the deploy to succeed.
	Needs []string

	// New defines the stack.
	New func(scope constructs.Construct, id string, props *stacks.Props) awscdk.Stack
}

// All returns every deployment, in the order of the documentation.
func All() []Deployment {
	const (
		docker = "a Docker-compatible builder where you deploy from, unless the image setting names an image"
		vpc    = "room for one more VPC (quota: 5 a region)"
	)
	return []Deployment{
		{
			ID:           "EcsEc2",
			ControlPlane: "ECS",
			DataPlane:    "EC2 instances you patch",
			Source:       "stacks/ecs_ec2.go",
			Page:         "docs/patterns/ecs-ec2.md",
			Needs:        []string{docker, vpc},
			New:          stacks.NewECSEC2,
		},
		{
			ID:           "EcsFargate",
			ControlPlane: "ECS",
			DataPlane:    "Fargate",
			Source:       "stacks/ecs_fargate.go",
			Page:         "docs/patterns/ecs-fargate.md",
			Needs:        []string{docker, vpc},
			New:          stacks.NewECSFargate,
		},
		{
			ID:           "EksEc2",
			ControlPlane: "EKS",
			DataPlane:    "EC2 managed node group",
			Source:       "stacks/eks_ec2.go",
			Page:         "docs/patterns/eks-ec2.md",
			Needs:        []string{docker, vpc},
			New:          stacks.NewEKSEC2,
		},
		{
			ID:           "Lambda",
			ControlPlane: "none",
			DataPlane:    "Firecracker, from a zip",
			Source:       "stacks/lambda.go",
			Page:         "docs/patterns/lambda.md",
			New:          stacks.NewLambda,
		},
		{
			ID:           "AppRunner",
			ControlPlane: "none",
			DataPlane:    "App Runner",
			Source:       "stacks/app_runner.go",
			Page:         "docs/patterns/app-runner.md",
			ClosedSince:  "2026-04-30",
			Needs:        []string{docker, "an account that used App Runner before 2026-04-30"},
			New:          stacks.NewAppRunner,
		},
	}
}

// IDs returns the id of every deployment, in the same order.
func IDs() []string {
	var ids []string
	for _, d := range All() {
		ids = append(ids, d.ID)
	}
	return ids
}

// Selected returns the deployments that the stacks setting names, or all.
func Selected(s settings.Settings) []Deployment {
	if len(s.Stacks) == 0 {
		return All()
	}
	return slices.DeleteFunc(All(), func(d Deployment) bool { return !slices.Contains(s.Stacks, d.ID) })
}
