// Package capacity orders what ECS capacity providers need ordered.
package capacity

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsecs"
	"github.com/aws/constructs-go/constructs/v10"
)

// HoldFor keeps cluster associated with its capacity providers for as long as
// service exists. Without, CloudFormation may remove the association first on
// `cdk destroy`, and ECS refuses: the capacity provider is in use.
func HoldFor(cluster awsecs.Cluster, service constructs.IConstruct) {
	awscdk.Aspects_Of(cluster).Add(&hold{service}, nil)
}

// hold is an aspect because the CDK defines the association as late as during
// synthesis.
type hold struct{ service constructs.IConstruct }

func (h *hold) Visit(node constructs.IConstruct) {
	if association, ok := node.(awsecs.CfnClusterCapacityProviderAssociations); ok {
		h.service.Node().AddDependency(association)
	}
}
