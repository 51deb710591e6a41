package kube

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	eks "github.com/aws/aws-cdk-go/awscdk/v2/awseksv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"
)

// NewRole defines a role for the app's service account ("IRSA"): it trusts the
// tokens that cluster signs, and of these only the one of that account, made out
// to AWS. Without the account's name, every pod of the cluster could have it.
func NewRole(cluster eks.Cluster, id string) awsiam.Role {
	stack := awscdk.Stack_Of(cluster)
	provider := cluster.OpenIdConnectProvider()
	// The name of a condition holds the issuer, which is known only on deploy. A
	// template has no way to compute a name, so a function does.
	issuer := provider.OpenIdConnectProviderIssuer()
	conditions := awscdk.NewCfnJson(stack, jsii.String(id+"Trust"), &awscdk.CfnJsonProps{Value: map[string]any{
		*issuer + ":aud": Audience,
		*issuer + ":sub": Subject,
	}})
	return awsiam.NewRole(stack, jsii.String(id), &awsiam.RoleProps{
		AssumedBy: awsiam.NewOpenIdConnectPrincipal(provider, &map[string]any{"StringEquals": conditions}),
	})
}
