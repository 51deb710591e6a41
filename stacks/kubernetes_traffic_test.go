package stacks_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
)

// checkTraffic looks at how requests reach the pods of a cluster on AWS, and how
// a deploy and a destroy go about it.
func checkTraffic(t *testing.T, stack *cdktest.Stack, objects map[string]object) {
	pod := objects["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
	group := stack.Only(t, "AWS::ElasticLoadBalancingV2::TargetGroup").Properties

	t.Run("the target group takes pod addresses", func(t *testing.T) {
		assert.Equal(t, []any{"ip", 8080.0, "/healthz"}, []any{group["TargetType"], group["Port"], group["HealthCheckPath"]})
	})

	t.Run("a pod stops only after the load balancer has stopped sending to it, and then has ten seconds to finish", func(t *testing.T) {
		wait := pod["containers"].([]any)[0].(object)["lifecycle"].(object)["preStop"].(object)["sleep"].(object)["seconds"].(float64)
		delay := ""
		for _, a := range group["TargetGroupAttributes"].([]any) {
			if a.(object)["Key"] == "deregistration_delay.timeout_seconds" {
				delay = a.(object)["Value"].(string)
			}
		}
		assert.Equal(t, fmt.Sprint(wait), delay)
		assert.Greater(t, pod["terminationGracePeriodSeconds"].(float64), wait+10)
	})

	t.Run("an object that leaves the code leaves the cluster: each is a resource of its own", func(t *testing.T) {
		for id, r := range stack.Of("Custom::AWSCDK-EKS-KubernetesResource") {
			var list []object
			require.NoError(t, json.Unmarshal([]byte(plain(r.Properties["Manifest"])), &list), id)
			assert.Len(t, list, 1, id)
		}
	})

	t.Run("the binding's name carries what its target group is replaced for", func(t *testing.T) {
		assert.Equal(t, strings.ToLower(fmt.Sprintf("app-%v-%v-%v", group["TargetType"], group["Protocol"], group["Port"])),
			objects["TargetGroupBinding"]["metadata"].(object)["name"])
	})

	t.Run("a new pod is ready once the load balancer has found it healthy", func(t *testing.T) {
		// A registrar reads its own label and no other's.
		api, _, _ := strings.Cut(objects["TargetGroupBinding"]["apiVersion"].(string), "/")
		labels := objects["Namespace"]["metadata"].(object)["labels"].(object)
		assert.Equal(t, "enabled", labels[api+"/pod-readiness-gate-inject"])
	})

	t.Run("a destroy removes the binding before the listener and the app", func(t *testing.T) {
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		binding := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `"kind":"TargetGroupBinding"`)
		listener := id(t, stack, "AWS::ElasticLoadBalancingV2::Listener", "")
		assert.Contains(t, stack.Needs(binding), app)
		assert.Contains(t, stack.Needs(binding), listener)
	})

	t.Run("an output gives kubectl access", func(t *testing.T) {
		assert.Contains(t, fmt.Sprint(stack.Template.Outputs["Kubeconfig"].Value), "aws eks update-kubeconfig")
	})
}
