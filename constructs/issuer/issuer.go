// Package issuer publishes the keys of a cluster that is not on AWS, so that AWS
// can tell which tokens that cluster signed.
package issuer

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfront"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudfrontorigins"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/nag"
	"refdeploy/constructs/notes"
)

// Props configures [New]. A nil *Props selects every default.
type Props struct {
	// Audience is whom the tokens are made out to. Required.
	Audience string

	// Keep lets the bucket outlive the stack. Default: false, it is emptied and
	// deleted with the stack.
	Keep bool
}

// Issuer is an OpenID Connect issuer, and IAM's trust in it.
type Issuer struct {
	// Bucket takes two files: the discovery document under
	// .well-known/openid-configuration, and the keys that it points to.
	Bucket awss3.Bucket

	// Host is the issuer's name: its URL without https://, and the prefix of
	// conditions on its tokens.
	Host *string

	// ProviderARN is the provider in IAM.
	ProviderARN *string
}

// New defines a private bucket, CloudFront in front of it, because AWS has to
// read the keys from an address that everybody can read, and the provider in IAM.
// A bucket that everybody can read would do as well, where an account still
// allows one.
func New(scope constructs.Construct, id string, props *Props) Issuer {
	removal := awscdk.RemovalPolicy_DESTROY
	if props.Keep {
		removal = awscdk.RemovalPolicy_RETAIN
	}
	bucket := awss3.NewBucket(scope, jsii.String(id+"Keys"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		EnforceSSL:        jsii.Bool(true),
		RemovalPolicy:     removal,
		AutoDeleteObjects: jsii.Bool(!props.Keep),
	})
	nag.Suppress(bucket, nag.Reasons{"AwsSolutions-S1": "It holds public keys; who reads them tells nothing."})
	if !props.Keep {
		notes.LetGo(bucket)
	}
	distribution := awscloudfront.NewDistribution(scope, jsii.String(id), &awscloudfront.DistributionProps{
		Comment: jsii.String("Public keys of a cluster's service accounts"),
		DefaultBehavior: &awscloudfront.BehaviorOptions{
			Origin:               awscloudfrontorigins.S3BucketOrigin_WithOriginAccessControl(bucket, nil),
			ViewerProtocolPolicy: awscloudfront.ViewerProtocolPolicy_HTTPS_ONLY,
			// New keys have to be found at once, and few ask.
			CachePolicy: awscloudfront.CachePolicy_CACHING_DISABLED(),
		},
		PriceClass: awscloudfront.PriceClass_PRICE_CLASS_100,
	})
	nag.Suppress(distribution, nag.Reasons{
		"AwsSolutions-CFR1": "AWS's security token service reads the keys, from wherever it runs.",
		"AwsSolutions-CFR2": "Two public files need no firewall.",
		"AwsSolutions-CFR3": "It holds public keys; who reads them tells nothing.",
		"AwsSolutions-CFR4": "CloudFront's own certificate comes with its own choice of TLS versions; the files are public.",
	})
	provider := awsiam.NewOidcProviderNative(scope, jsii.String(id+"Trust"), &awsiam.OidcProviderNativeProps{
		Url:       jsii.Sprintf("https://%s", *distribution.DistributionDomainName()),
		ClientIds: jsii.Strings(props.Audience),
	})
	return Issuer{Bucket: bucket, Host: distribution.DistributionDomainName(), ProviderARN: provider.OidcProviderArn()}
}
