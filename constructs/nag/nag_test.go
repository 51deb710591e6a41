package nag_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/nag"
)

// findings returns the number of findings of cdk-nag on a bucket without access
// logs and without TLS, after suppress.
func findings(t *testing.T, suppress func(awss3.Bucket)) int {
	stack := cdktest.NewStack(t)
	suppress(awss3.NewBucket(stack, jsii.String("Bucket"), nil))
	awscdk.Aspects_Of(stack).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
	return len(*assertions.Annotations_FromStack(stack).FindError(jsii.String("*"), assertions.Match_AnyValue()))
}

func TestCDKNagAcceptsWhatIsSuppressedAndNothingElse(t *testing.T) {
	const reason = "Nobody reads the access logs of this bucket."
	all := findings(t, func(awss3.Bucket) {})
	assert.Equal(t, 2, all)
	assert.Equal(t, 1, findings(t, func(b awss3.Bucket) { nag.Suppress(b, nag.Reasons{"AwsSolutions-S1": reason}) }))
	assert.Equal(t, 0, findings(t, func(b awss3.Bucket) {
		nag.Suppress(b, nag.Reasons{"AwsSolutions-S1": reason})
		nag.Suppress(b, nag.Reasons{"AwsSolutions-S10": reason})
	}))
}

func TestAReasonStandsOnlyOnWhatItsRuleConcerns(t *testing.T) {
	stack := cdktest.NewStack(t)
	bucket := awss3.NewBucket(stack, jsii.String("Bucket"), &awss3.BucketProps{EnforceSSL: jsii.Bool(true)})
	nag.Suppress(stack, nag.Reasons{"AwsSolutions-S1": "Nobody reads the access logs of this bucket.", "AwsSolutions-IAM5": "No role is here that this could be said of."})
	require.NotNil(t, bucket.Policy())
	for id, r := range cdktest.SynthStack(t, stack).Template.Resources {
		if r.Type == "AWS::S3::Bucket" {
			require.Len(t, r.Suppressions(), 1, id)
			assert.Equal(t, "AwsSolutions-S1", r.Suppressions()[0].Rule)
		} else {
			assert.Empty(t, r.Suppressions(), id)
		}
	}
}

func TestARuleThatNobodyKnowsPanics(t *testing.T) {
	stack := cdktest.NewStack(t)
	awss3.NewBucket(stack, jsii.String("Bucket"), nil)
	assert.Contains(t, cdktest.Panic(func() { nag.Suppress(stack, nag.Reasons{"AwsSolutions-X1": "x"}) }), `nag "AwsSolutions-X1"`)
}
