package stacks_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/kube/manifest"
	"refdeploy/internal/bundle"
	"refdeploy/internal/settings"
)

func TestEKSAnywhere(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EksAnywhere"]
	check(t, stack, []claim{
		{
			name:     "the issuer of your cluster's tokens is known to IAM, for tokens made out to AWS",
			resource: "AWS::IAM::OIDCProvider",
			props:    object{"ClientIdList": []any{"sts.amazonaws.com"}},
		},
		{
			name:     "its keys are read over HTTPS only, and new keys at once",
			resource: "AWS::CloudFront::Distribution",
			props: object{"DistributionConfig": object{"DefaultCacheBehavior": object{
				"ViewerProtocolPolicy": "https-only",
				"CachePolicyId":        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad", // AWS's policy that caches nothing
			}}},
		},
	})

	t.Run("nothing that runs by the hour is on AWS", func(t *testing.T) {
		for _, resource := range []string{"AWS::EC2::VPC", "AWS::EKS::Cluster", "AWS::EC2::Instance", "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::EC2::NatGateway"} {
			stack.Count(t, resource, 0)
		}
	})

	t.Run("the app's role trusts one service account's tokens, made out to AWS", func(t *testing.T) {
		trust := stack.Template.Resources[appRole(t, stack)].Properties["AssumeRolePolicyDocument"].(object)["Statement"].([]any)[0].(object)
		assert.Equal(t, "sts:AssumeRoleWithWebIdentity", trust["Action"])
		assert.Equal(t, object{"Federated": object{"Ref": id(t, stack, "AWS::IAM::OIDCProvider", "")}}, trust["Principal"])
		condition := stack.Template.Resources[target(trust["Condition"].(object)["StringEquals"])].Properties["Value"]
		assert.Contains(t, text(condition), `:aud\":\"sts.amazonaws.com\"`)
		assert.Contains(t, text(condition), `:sub\":\"system:serviceaccount:notes:app\"`)
	})

	t.Run("IAM, the role and the cluster's file name one issuer", func(t *testing.T) {
		distribution := id(t, stack, "AWS::CloudFront::Distribution", "")
		host := object{"Fn::GetAtt": []any{distribution, "DomainName"}}
		url := object{"Fn::Join": []any{"", []any{"https://", host}}}
		assert.Equal(t, url, stack.Only(t, "AWS::IAM::OIDCProvider").Properties["Url"])
		assert.Equal(t, any(url), stack.Template.Outputs["IssuerUrl"].Value)
		trust := id(t, stack, "Custom::AWSCDKCfnJson", "")
		assert.Contains(t, stack.Needs(trust), distribution)
	})

	t.Run("CloudFront alone reads the bucket with the keys", func(t *testing.T) {
		keys := target(stack.Only(t, "AWS::CloudFront::Distribution").Properties["DistributionConfig"].(object)["Origins"].([]any)[0].(object)["DomainName"])
		for _, policy := range stack.Of("AWS::S3::BucketPolicy") {
			if target(policy.Properties["Bucket"]) != keys {
				continue
			}
			for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
				if statement := s.(object); statement["Effect"] == "Allow" && slices.Contains(list(statement["Action"]), "s3:GetObject") {
					assert.Equal(t, object{"Service": "cloudfront.amazonaws.com"}, statement["Principal"])
					assert.Contains(t, text(statement["Condition"]), "AWS:SourceArn")
				}
			}
		}
	})

	t.Run("the outputs are all that the files need, and the commands", func(t *testing.T) {
		for _, name := range []string{"NotesBucket", "Region", "ImageUri", "IssuerUrl", "AppRoleArn", "PublishDiscovery", "PublishKeys", "StopWriting"} {
			assert.Contains(t, stack.Template.Outputs, name)
		}
		assert.Contains(t, fmt.Sprint(stack.Template.Outputs["PublishKeys"].Value), "kubectl get --raw /openid/v1/jwks | aws s3 cp - s3://")
	})

	objects := map[string]object{}
	for _, o := range appFiles(t, stack) {
		objects[o["kind"].(string)] = o
	}
	checkApp(t, objects, "arm64")

	t.Run("the app reads its token from a file, and assumes its own role", func(t *testing.T) {
		pod := objects["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
		container := pod["containers"].([]any)[0].(object)
		assert.Contains(t, container["env"], object{"name": "AWS_ROLE_ARN", "value": appRole(t, stack)})
		assert.Contains(t, container["env"], object{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": "/var/run/secrets/aws/token"})
	})

	t.Run("pods wait for no load balancer, and pull the image with a password", func(t *testing.T) {
		assert.NotContains(t, text(objects["Namespace"]), "readiness-gate")
		assert.Equal(t, []any{object{"name": "registry"}}, objects["ServiceAccount"]["imagePullSecrets"])
	})
}

func TestEKSAnywhereInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EksAnywhere"]
	t.Run("the keys and the notes outlive the stack", func(t *testing.T) {
		stack.Count(t, "AWS::S3::Bucket", 2)
		for id, bucket := range stack.Of("AWS::S3::Bucket") {
			assert.Equal(t, "Retain", bucket.DeletionPolicy, id)
		}
	})
}

// appFiles returns the app's objects as `refdeploy bundles` writes them, with
// logical ids in place of what a deploy tells.
func appFiles(t *testing.T, stack *cdktest.Stack) []object {
	t.Helper()
	outputs := map[string]string{}
	for name, output := range stack.Template.Outputs {
		outputs[name] = target(output.Value)
	}
	outputs["ImageUri"] = "image"
	chosen := settings.FromMetadata(stack.Template.Setting)
	require.NotEmpty(t, chosen.Profile)
	var objects []object
	for _, o := range bundle.App(chosen, outputs).Objects() {
		objects = append(objects, *manifest.Fields(o))
	}
	return objects
}
