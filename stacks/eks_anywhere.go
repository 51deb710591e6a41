package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/image"
	"refdeploy/constructs/issuer"
	"refdeploy/constructs/kube"
	"refdeploy/constructs/kube/manifest"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
	"refdeploy/constructs/notes"
	"refdeploy/constructs/secrets"
	"refdeploy/internal/settings"
)

// NewEKSAnywhere is what a cluster of EKS Anywhere, on servers of your own, needs
// from AWS to run the app. The cluster itself is not on AWS: `refdeploy bundles`
// writes its files, and the outputs are the commands.
//
//	your network ─▶ your cluster ─▶ pod ─▶ S3
//
// Choose it when Kubernetes has to run where you are. When to prefer another
// pattern, and who runs what, is in docs/patterns/eks-anywhere.md.
func NewEKSAnywhere(scope constructs.Construct, id string, props *Props) awscdk.Stack {
	p := props.withDefaults()
	production := p.Settings.IsProduction()
	// No alarm of AWS sees the app, so there is nobody to tell.
	stack := plainStack(scope, id, "What the app needs from AWS in a cluster of EKS Anywhere", p)
	warnOwnServers(stack, p.Settings)

	// 1. What runs: the same image as everywhere else, from a registry that your
	// nodes have to log in to.
	img := image.New(stack, "Image", &image.Props{Architecture: p.Settings.Architecture, Registry: p.Settings.Image, Directory: p.Settings.App})

	// 2. Where it keeps its notes.
	bucket := notes.New(stack, "Notes", &notes.Props{Keep: production, None: p.Settings.Bucket == settings.NoBucket})

	// 3. How AWS knows a pod of your cluster: the cluster signs a token for the
	// app's service account, and AWS checks it with keys that the issuer publishes.
	// The cluster has to be created with the issuer's address, so this stack comes
	// first, and the keys after the cluster.
	keys := issuer.New(stack, "Issuer", &issuer.Props{Audience: manifest.Audience, Keep: production})

	// 4. What it may touch.
	role := kube.NewRole(stack, "AppRole", *keys.ProviderARN, *keys.Host)
	bucket.GrantApp(role)

	logs.Adopt(stack, &logs.Props{Keep: production}) // the functions that the CDK brings
	nag.Suppress(stack, nag.Reasons{
		"AwsSolutions-L1": "The CDK chooses the runtime of the functions that it brings.",
	})

	// 5. What to do with it, in this order.
	output := func(id, value, description string) {
		if value == "" {
			return // an app without a bucket
		}
		awscdk.NewCfnOutput(stack, jsii.String(id), &awscdk.CfnOutputProps{Value: jsii.String(value), Description: jsii.String(description)})
	}
	output("NotesBucket", bucket.Name(), "The files need it: where the app keeps notes")
	output("Region", *stack.Region(), "The files need it: where the bucket is")
	output("ImageUri", *img.URI, "The files need it: what runs")
	output("IssuerUrl", "https://"+*keys.Host, "The files need it: whose tokens AWS trusts")
	output("AppRoleArn", *role.RoleArn(), "The files need it: what the app may do on AWS")
	output("PublishDiscovery", "aws s3 cp bundles/eks-anywhere/openid-configuration.json s3://"+*keys.Bucket.BucketName()+"/.well-known/openid-configuration --content-type application/json",
		"Run where you deploy from, when the files are written")
	output("PublishKeys", "kubectl get --raw /openid/v1/jwks | aws s3 cp - s3://"+*keys.Bucket.BucketName()+"/keys.json --content-type application/json",
		"Run where you deploy from, when the cluster runs, and whenever its keys change")
	kube.TellSecrets(stack, secrets.New(stack, "Secret", p.Settings.Secrets))
	output("StopWriting", "kubectl delete namespace "+manifest.Namespace, "Run where you deploy from, before cdk destroy, or a late note keeps the bucket")
	return stack
}
