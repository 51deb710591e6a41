// Package notes defines the S3 bucket that the app keeps its notes in.
package notes

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/app/contract"
	"refdeploy/constructs/nag"
)

// Props configures [New]. A nil *Props selects every default.
type Props struct {
	// Keep lets the bucket outlive the stack and the notes stay until somebody
	// deletes them; what was deleted or replaced can be had back for three
	// months. Default: false, notes expire after a day, and the bucket is emptied
	// and deleted with the stack.
	Keep bool

	// None leaves the bucket out, for an app that keeps nothing in one. Default:
	// false.
	None bool
}

// Notes is the bucket and the way to use it.
type Notes struct {
	// Bucket is nil when there is none; nobody is then allowed anything.
	Bucket awss3.Bucket

	// TTL is how long a note lives, as a Go duration, or "" when it stays. The
	// app tells its visitors.
	TTL *string
}

// New defines a private, encrypted bucket. In a sandbox its notes expire after
// a day: anyone can write there, and nobody has to clean up after them.
func New(scope constructs.Construct, id string, props *Props) Notes {
	if props != nil && props.None {
		return Notes{TTL: jsii.String("")}
	}
	keep := props != nil && props.Keep
	removal, ttl := awscdk.RemovalPolicy_DESTROY, contract.SandboxTTL
	lifecycle := &awss3.LifecycleRule{
		AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
	}
	if keep {
		removal, ttl = awscdk.RemovalPolicy_RETAIN, ""
		lifecycle.NoncurrentVersionExpiration = awscdk.Duration_Days(jsii.Number(90))
		lifecycle.ExpiredObjectDeleteMarker = jsii.Bool(true)
	} else {
		lifecycle.Expiration = awscdk.Duration_Days(jsii.Number(1))
	}
	bucket := awss3.NewBucket(scope, jsii.String(id), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     removal,
		AutoDeleteObjects: jsii.Bool(!keep),
		Versioned:         jsii.Bool(keep),
		LifecycleRules:    &[]*awss3.LifecycleRule{lifecycle},
	})
	nag.Suppress(bucket, nag.Reasons{"AwsSolutions-S1": "The app alone reads and writes here, and logs each request with its id; S3's own access log would cost more than it adds."})
	if !keep {
		LetGo(bucket)
	}
	return Notes{Bucket: bucket, TTL: jsii.String(ttl)}
}

// Name is the bucket's name, or "" when there is none.
func (n Notes) Name() string {
	if n.Bucket == nil {
		return ""
	}
	return *n.Bucket.BucketName()
}

// LetGo lets the function that empties a bucket see that it has nothing to
// do. On an update from sandbox to production the bucket loses its mark and its
// policy the grant to that function, before CloudFormation removes the function's
// resource; without a permission of its own it then fails, and stays behind
// (aws-cdk#37257).
func LetGo(bucket awss3.Bucket) {
	emptier := awscdk.Stack_Of(bucket).Node().FindChild(jsii.String("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
	emptier.(awscdk.CustomResourceProviderBase).AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("s3:GetBucketTagging"),
		Resources: &[]*string{bucket.BucketArn()},
	}).ToJSON())
}

// Outlive keeps the bucket, and what empties it, until app is gone: a note that
// is written after the bucket was emptied would stop `cdk destroy`.
func (n Notes) Outlive(app constructs.IConstruct) {
	if n.Bucket != nil {
		app.Node().AddDependency(n.Bucket)
	}
}

// GrantApp allows exactly what the app does: list the notes, and read, write
// and delete each one. The platforms differ in whom they grant it to.
func (n Notes) GrantApp(app awsiam.IRole) {
	if n.Bucket == nil {
		return
	}
	principal := app.GrantPrincipal()
	principal.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("s3:ListBucket"),
		Resources: &[]*string{n.Bucket.BucketArn()},
	}))
	principal.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
		Resources: &[]*string{n.Bucket.ArnForObjects(jsii.String("*"))},
	}))
	nag.Suppress(app, nag.Reasons{"AwsSolutions-IAM5": "The app names its own notes, so the grant covers every key of its own bucket."})
}
