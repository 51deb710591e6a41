package kube

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/kube/manifest"
	"refdeploy/constructs/secrets"
)

// TellSecrets defines the output with the command that makes the Secret which the
// app's pods wait for, if the app has secrets. AWS's driver, which would fetch
// them, runs on no Fargate machine (Amazon EKS user guide, Secrets Manager secrets
// in pods, read 2026-11-27), and as an add-on of EKS it does not make variables of
// them (secrets-store-csi-driver-provider-aws#597, open on 2026-11-27).
func TellSecrets(stack awscdk.Stack, all secrets.Secrets) {
	if len(all) == 0 {
		return
	}
	awscdk.NewCfnOutput(stack, jsii.String("MakeSecrets"), &awscdk.CfnOutputProps{
		Value:       jsii.String(all.Command(stack, manifest.Namespace, manifest.SecretName)),
		Description: jsii.String("Run where you deploy from, in bash, when the app's namespace is there, and whenever a value changes: the app's pods wait for it"),
	})
}
