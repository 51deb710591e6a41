// Package nag records why a cdk-nag rule does not apply.
package nag

import (
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Reasons are sentences by rule, such as AwsSolutions-S1.
type Reasons map[string]string

// Suppress accepts findings on every resource that c consists of so far. The
// reasons end up in the template's metadata, where reviewers, and the
// documentation, read them.
//
// It writes what cdk-nag's own NagSuppressions writes, without loading cdk-nag,
// which takes seconds and is needed only by the tests that run the rules.
func Suppress(c constructs.IConstruct, reasons Reasons) {
	for _, child := range *c.Node().FindAll(constructs.ConstructOrder_PREORDER) {
		resource, ok := child.(awscdk.CfnResource)
		if !ok {
			continue
		}
		var rules []any
		if metadata, ok := resource.GetMetadata(jsii.String(metadataKey)).(map[string]any); ok {
			rules, _ = metadata["rules_to_suppress"].([]any)
		}
		for _, rule := range slices.Sorted(maps.Keys(reasons)) {
			rules = append(rules, map[string]any{"id": rule, "reason": reasons[rule]})
		}
		resource.AddMetadata(jsii.String(metadataKey), map[string]any{"rules_to_suppress": rules})
	}
}

const metadataKey = "cdk_nag"
