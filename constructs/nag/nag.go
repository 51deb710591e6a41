// Package nag records why a cdk-nag rule does not apply.
package nag

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Reasons are sentences by rule, such as AwsSolutions-S1.
type Reasons map[string]string

// concerns are the types of resources that a rule speaks of (cdk-nag 2.38,
// README). A reason stands only on those: elsewhere it would say nothing, and
// accept what nobody has looked at.
var concerns = map[string][]string{
	"AwsSolutions-CFR1": {"AWS::CloudFront::Distribution"},
	"AwsSolutions-CFR2": {"AWS::CloudFront::Distribution"},
	"AwsSolutions-CFR3": {"AWS::CloudFront::Distribution"},
	"AwsSolutions-CFR4": {"AWS::CloudFront::Distribution"},
	"AwsSolutions-AS3":  {"AWS::AutoScaling::AutoScalingGroup"},
	"AwsSolutions-EC23": {"AWS::EC2::SecurityGroup"},
	"AwsSolutions-ECS2": {"AWS::ECS::TaskDefinition"},
	"AwsSolutions-ECS4": {"AWS::ECS::Cluster"},
	"AwsSolutions-EKS1": {"AWS::EKS::Cluster"},
	"AwsSolutions-ELB2": {"AWS::ElasticLoadBalancingV2::LoadBalancer"},
	"AwsSolutions-IAM4": {"AWS::IAM::Role"},
	"AwsSolutions-IAM5": {"AWS::IAM::Policy", "AWS::IAM::Role"},
	"AwsSolutions-L1":   {"AWS::Lambda::Function"},
	"AwsSolutions-S1":   {"AWS::S3::Bucket"},
	"AwsSolutions-S10":  {"AWS::S3::Bucket", "AWS::S3::BucketPolicy"},
	"AwsSolutions-VPC7": {"AWS::EC2::VPC"},
}

// Suppress accepts findings on the resources that c consists of so far and that
// the rule concerns. The reasons end up in the template's metadata, where
// reviewers, and the documentation, read them. It panics when the rule is not
// known here.
//
// It writes what cdk-nag's own NagSuppressions writes, without loading cdk-nag,
// which takes seconds and is needed only by the tests that run the rules.
func Suppress(c constructs.IConstruct, reasons Reasons) {
	for _, child := range *c.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		resource, ok := child.(awscdk.CfnResource)
		if !ok {
			continue
		}
		for _, rule := range slices.Sorted(maps.Keys(reasons)) {
			types, known := concerns[rule]
			if !known {
				panic(fmt.Errorf("nag %q: no rule that is accepted anywhere; add it, with the types it concerns", rule))
			}
			if slices.Contains(types, *resource.CfnResourceType()) {
				accept(resource, rule, reasons[rule])
			}
		}
	}
}

func accept(resource awscdk.CfnResource, rule, reason string) {
	var rules []any
	if metadata, ok := resource.GetMetadata(jsii.String(metadataKey)).(map[string]any); ok {
		rules, _ = metadata["rules_to_suppress"].([]any)
	}
	rules = append(rules, map[string]any{"id": rule, "reason": reason})
	resource.AddMetadata(jsii.String(metadataKey), map[string]any{"rules_to_suppress": rules})
}

const metadataKey = "cdk_nag"
