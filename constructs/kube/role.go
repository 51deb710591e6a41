package kube

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/kube/manifest"
)

// NewRole defines a role for the app's service account ("IRSA"): it trusts the
// tokens that a cluster signs, and of these only the ones of that account, made
// out to AWS. Without the account's name, every pod of the cluster could have it.
// The provider is IAM's of that cluster, and issuer its URL without https://.
func NewRole(scope constructs.Construct, id string, providerARN, issuer string) awsiam.Role {
	// The name of a condition holds the issuer, which is known only on deploy. A
	// template has no way to compute a name, so a function does.
	conditions := awscdk.NewCfnJson(scope, jsii.String(id+"Trust"), &awscdk.CfnJsonProps{Value: map[string]any{
		issuer + ":aud": manifest.Audience,
		issuer + ":sub": manifest.Subject,
	}})
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy: awsiam.NewFederatedPrincipal(jsii.String(providerARN), &map[string]any{"StringEquals": conditions},
			jsii.String("sts:AssumeRoleWithWebIdentity")),
	})
}
