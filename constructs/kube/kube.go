// Package kube holds the Kubernetes side of a deployment: the app as typed
// objects, and the versions of what talks to the cluster.
package kube

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	eks "github.com/aws/aws-cdk-go/awscdk/v2/awseksv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/kube/manifest"
	"refdeploy/internal/project"
	"refdeploy/internal/versions"
)

// minor is the Kubernetes minor version. The cluster's version and the kubectl
// layer follow it, because kubectl supports clusters one minor version away at
// most. package.json pins the layer's npm package of the same number.
const minor = versions.KubernetesMinor

// Version is the Kubernetes version of every cluster.
func Version() eks.KubernetesVersion {
	return eks.KubernetesVersion_Of(jsii.Sprintf("1.%d", minor))
}

// KubectlLayer defines the Lambda layer with kubectl and helm that the CDK
// applies manifests with. It comes from an npm package, because the Go modules
// of the layers do not compile with current CDK versions. Before `npm ci` the
// package is missing: an error on scope, so that other stacks still synthesize.
func KubectlLayer(scope constructs.Construct, id string) awslambda.ILayerVersion {
	zip := project.Path("node_modules", "@aws-cdk", fmt.Sprintf("lambda-layer-kubectl-v%d", minor), "lib", "layer.zip")
	if _, err := os.Stat(zip); err != nil {
		awscdk.Annotations_Of(scope).AddError(jsii.Sprintf("kubectl layer: %v; run `npm ci`", err))
		return awslambda.LayerVersion_FromLayerVersionArn(scope, jsii.String(id),
			jsii.String("arn:aws:lambda:us-east-1:000000000000:layer:missing:1"))
	}
	return awslambda.NewLayerVersion(scope, jsii.String(id), &awslambda.LayerVersionProps{
		Code:        awslambda.Code_FromAsset(jsii.String(zip), nil),
		Description: jsii.Sprintf("kubectl 1.%d and helm", minor),
	})
}

// Apply defines the objects as manifests, one each, to be created in the order
// given and removed in the reverse. An object that is no longer given, or gets
// another name, is removed from the cluster: with one manifest for all, kubectl's
// pruning would leave those of most kinds behind, budgets and bindings among
// them. Strings in the objects may be CDK tokens; names may not. It panics when
// an object cannot be encoded, which no valid object does.
func Apply(cluster eks.Cluster, id string, objects ...manifest.Object) constructs.Construct {
	group := constructs.NewConstruct(awscdk.Stack_Of(cluster), jsii.String(id))
	var before eks.KubernetesManifest
	for _, object := range objects {
		applied := eks.NewKubernetesManifest(group, jsii.String(object.GetObjectKind().GroupVersionKind().Kind+"-"+object.GetName()), &eks.KubernetesManifestProps{
			Cluster:  cluster,
			Manifest: &[]*map[string]any{manifest.Fields(object)},
			Prune:    jsii.Bool(false),
		})
		if before != nil {
			applied.Node().AddDependency(before)
		}
		before = applied
	}
	return group
}

// AddOn defines an add-on that EKS packages, in the version that it takes for
// the cluster's by default. Without a version here, a newer one comes with `aws
// eks update-addon`, not with a deploy. A nil configuration is the add-on's own.
// It goes with the stack.
func AddOn(cluster eks.Cluster, id, name string, configuration map[string]any) eks.Addon {
	props := &eks.AddonProps{
		Cluster:          cluster,
		AddonName:        jsii.String(name),
		PreserveOnDelete: jsii.Bool(false),
	}
	if configuration != nil {
		props.ConfigurationValues = &configuration
	}
	return eks.NewAddon(awscdk.Stack_Of(cluster), jsii.String(id), props)
}
