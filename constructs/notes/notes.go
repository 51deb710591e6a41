// Package notes defines the S3 bucket that the app keeps its notes in.
package notes

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/logs"
	"refdeploy/constructs/nag"
)

// Props configures [New].
type Props struct {
	// Keep lets the bucket outlive the stack. Default: false, the bucket is
	// emptied and deleted with the stack.
	Keep bool

	// Provisioning receives the logs of the function that empties the bucket.
	// Required unless Keep is set.
	Provisioning awslogs.ILogGroup
}

// Notes is the bucket and the way to use it.
type Notes struct {
	Bucket awss3.Bucket
}

// New defines a private, encrypted bucket whose objects expire after a day:
// anyone can write to a public sandbox, and nobody has to clean up after them.
func New(scope constructs.Construct, id string, props *Props) Notes {
	removal := awscdk.RemovalPolicy_DESTROY
	if props.Keep {
		removal = awscdk.RemovalPolicy_RETAIN
	}
	bucket := awss3.NewBucket(scope, jsii.String(id), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     removal,
		AutoDeleteObjects: jsii.Bool(!props.Keep),
		LifecycleRules: &[]*awss3.LifecycleRule{{
			Expiration:                          awscdk.Duration_Days(jsii.Number(1)),
			AbortIncompleteMultipartUploadAfter: awscdk.Duration_Days(jsii.Number(1)),
		}},
	})
	nag.Suppress(bucket, nag.Reasons{"AwsSolutions-S1": "Notes are public sample data that expires after a day; access logs would cost more than they tell."})

	if !props.Keep {
		emptier := awscdk.Stack_Of(scope).Node().FindChild(jsii.String("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
		logs.Adopt(props.Provisioning, emptier)
	}
	return Notes{Bucket: bucket}
}

// GrantApp allows exactly what the app does: list the notes, and read, write
// and delete each one. The platforms differ in whom they grant it to.
func (n Notes) GrantApp(app awsiam.IGrantable) {
	principal := app.GrantPrincipal()
	principal.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("s3:ListBucket"),
		Resources: &[]*string{n.Bucket.BucketArn()},
	}))
	principal.AddToPrincipalPolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings("s3:GetObject", "s3:PutObject", "s3:DeleteObject"),
		Resources: &[]*string{n.Bucket.ArnForObjects(jsii.String("*"))},
	}))
}
