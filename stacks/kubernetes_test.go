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

// onKubernetes are the deployments whose app is a set of Kubernetes objects, and
// the architecture that their pods ask for in a sandbox.
var onKubernetes = map[string]string{"EksEc2": "arm64", "EksAuto": "arm64", "EksFargate": "amd64"}

// What is promised here stands on the page of each of them.
func TestOnKubernetes(t *testing.T) {
	all := synth(t, "profile", "sandbox")
	for id, architecture := range onKubernetes {
		t.Run(id, func(t *testing.T) {
			stack := all[id]
			objects := manifests(t, stack)
			checkApp(t, objects, architecture)
			checkTraffic(t, stack, objects)
		})
	}
}

// checkApp looks at the app's objects, wherever their cluster is.
func checkApp(t *testing.T, objects map[string]object, architecture string) {
	pod := objects["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
	container := pod["containers"].([]any)[0].(object)

	t.Run("the app is a Deployment with all that keeps it running", func(t *testing.T) {
		for _, kind := range []string{"Namespace", "ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"} {
			assert.Contains(t, objects, kind)
		}
	})

	t.Run("the app's namespace refuses pods that could reach the node", func(t *testing.T) {
		labels := objects["Namespace"]["metadata"].(object)["labels"].(object)
		assert.Equal(t, "restricted", labels["pod-security.kubernetes.io/enforce"])
	})

	t.Run("the app's pods meet the restricted level of Kubernetes' pod security standards", func(t *testing.T) {
		assert.Equal(t, object{"runAsNonRoot": true, "runAsUser": 65532.0, "runAsGroup": 65532.0, "seccompProfile": object{"type": "RuntimeDefault"}}, pod["securityContext"])
		assert.Equal(t, object{
			"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": object{"drop": []any{"ALL"}},
		}, container["securityContext"])
	})

	t.Run("pods ask for nodes of the image's architecture", func(t *testing.T) {
		assert.Equal(t, object{"kubernetes.io/arch": architecture}, pod["nodeSelector"])
	})

	t.Run("the autoscaler alone sets the number of pods", func(t *testing.T) {
		assert.NotContains(t, objects["Deployment"]["spec"], "replicas")
		scaler := objects["HorizontalPodAutoscaler"]["spec"].(object)
		assert.EqualValues(t, 1, scaler["minReplicas"])
		assert.EqualValues(t, 4, scaler["maxReplicas"])
	})

	t.Run("a node can always be drained", func(t *testing.T) {
		budget := objects["PodDisruptionBudget"]["spec"].(object)
		assert.EqualValues(t, 1, budget["maxUnavailable"])
		assert.Equal(t, "AlwaysAllow", budget["unhealthyPodEvictionPolicy"], "a pod that fails its probe would hold its node")
	})

	t.Run("pods of one release are spread over zones and nodes", func(t *testing.T) {
		var over []any
		for _, c := range pod["topologySpreadConstraints"].([]any) {
			constraint := c.(object)
			assert.Equal(t, []any{"pod-template-hash"}, constraint["matchLabelKeys"], "pods that are about to leave would count")
			over = append(over, constraint["topologyKey"])
		}
		assert.Equal(t, []any{"topology.kubernetes.io/zone", "kubernetes.io/hostname"}, over)
	})

	t.Run("a busy pod has five seconds to say that it is alive", func(t *testing.T) {
		assert.EqualValues(t, 5, container["livenessProbe"].(object)["timeoutSeconds"])
	})
}

// registersOnly looks at what the open source load balancer controller may do.
func registersOnly(t *testing.T, stack *cdktest.Stack) {
	t.Helper()
	targets := id(t, stack, "AWS::ElasticLoadBalancingV2::TargetGroup", "")
	for policyID, policy := range stack.Of("AWS::IAM::Policy") {
		if !strings.Contains(policyID, "AlbController") {
			continue
		}
		for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
			statement := s.(object)
			for _, action := range list(statement["Action"]) {
				if strings.Contains(action, ":Describe") {
					continue
				}
				assert.Contains(t, []string{"elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"}, action)
				assert.Equal(t, object{"Ref": targets}, statement["Resource"])
			}
		}
	}
}

// appRole returns the logical id of the role that may touch the notes.
func appRole(t *testing.T, stack *cdktest.Stack) string {
	t.Helper()
	return target(stack.Template.Resources[id(t, stack, "AWS::IAM::Policy", "s3:GetObject")].Properties["Roles"].([]any)[0])
}

// manifests returns the stack's Kubernetes objects by kind, except those of the
// load balancer controller. References to other resources read as their
// logical id.
func manifests(t *testing.T, stack *cdktest.Stack) map[string]object {
	t.Helper()
	objects := map[string]object{}
	for id, r := range stack.Of("Custom::AWSCDK-EKS-KubernetesResource") {
		if strings.Contains(id, "AlbController") {
			continue
		}
		text := plain(r.Properties["Manifest"])
		var list []object
		require.NoError(t, json.Unmarshal([]byte(text), &list), text)
		for _, o := range list {
			if namespace := o["metadata"].(object)["name"]; o["kind"] == "Namespace" && namespace != "notes" {
				continue // not the app's
			}
			objects[o["kind"].(string)] = o
		}
	}
	return objects
}

// plain returns a manifest's text, with the logical id in place of a reference.
func plain(manifest any) string {
	if literal, ok := manifest.(string); ok {
		return literal
	}
	var text strings.Builder
	for _, part := range manifest.(object)["Fn::Join"].([]any)[1].([]any) {
		if literal, ok := part.(string); ok {
			text.WriteString(literal)
		} else if ref := target(part); ref != "" {
			text.WriteString(ref)
		} else {
			text.WriteString("image") // the Fn::Sub of an image's URI
		}
	}
	return text.String()
}

// id returns the logical id of the one resource of a type whose properties
// contain text.
func id(t *testing.T, stack *cdktest.Stack, resource, text string) string {
	t.Helper()
	var ids []string
	for id, r := range stack.Of(resource) {
		if strings.Contains(fmt.Sprint(r.Properties), text) {
			ids = append(ids, id)
		}
	}
	require.Len(t, ids, 1, "%s with %s", resource, text)
	return ids[0]
}

// text returns a property as JSON, to look for words in.
func text(value any) string {
	encoded, _ := json.Marshal(value) // it came from JSON
	return string(encoded)
}
