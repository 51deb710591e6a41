// Package nag records why a cdk-nag rule does not apply.
package nag

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Suppress accepts the finding of a rule such as AwsSolutions-S1 on every
// resource that c consists of so far. The reason ends up in the template's
// metadata, where reviewers, and the documentation, read it.
//
// It writes what cdk-nag's own NagSuppressions writes, without loading cdk-nag,
// which takes seconds and is needed only by the tests that run the rules.
func Suppress(c constructs.IConstruct, rule, reason string) {
	for _, child := range *c.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		resource, ok := child.(awscdk.CfnResource)
		if !ok {
			continue
		}
		var rules []any
		if metadata, ok := resource.GetMetadata(jsii.String(metadataKey)).(map[string]any); ok {
			rules, _ = metadata["rules_to_suppress"].([]any)
		}
		rules = append(rules, map[string]any{"id": rule, "reason": reason})
		resource.AddMetadata(jsii.String(metadataKey), map[string]any{"rules_to_suppress": rules})
	}
}

const metadataKey = "cdk_nag"
