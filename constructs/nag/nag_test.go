package nag_test

import (
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/assert"

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
