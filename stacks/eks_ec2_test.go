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

func TestEKSEC2(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EksEc2"]
	check(t, stack, []claim{
		{
			name:     "the cluster runs Kubernetes 1.36, with access entries only",
			resource: "AWS::EKS::Cluster",
			props: object{"Version": "1.36", "AccessConfig": object{
				"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": false,
			}},
		},
		{
			name:     "nodes are yours to update: Auto Mode is off",
			resource: "AWS::EKS::Cluster",
			props:    object{"ComputeConfig": object{"Enabled": false}},
		},
		{
			name:     "one to two nodes run, with Amazon Linux 2023",
			resource: "AWS::EKS::Nodegroup",
			props:    object{"AmiType": "AL2023_ARM_64_STANDARD", "ScalingConfig": object{"MinSize": 1, "MaxSize": 2, "DesiredSize": 1}},
		},
		{
			name:     "the metadata service of nodes answers IMDSv2 requests from one hop only",
			resource: "AWS::EC2::LaunchTemplate",
			props:    object{"LaunchTemplateData": object{"MetadataOptions": object{"HttpTokens": "required", "HttpPutResponseHopLimit": 1}}},
		},
		{
			name:     "Pod Identity gives the bucket to the app's service account and to no other pod",
			resource: "AWS::EKS::PodIdentityAssociation",
			props:    object{"Namespace": "notes", "ServiceAccount": "app"},
		},
		{
			name:     "the app's role trusts Pod Identity only",
			resource: "AWS::IAM::Role",
			props: object{"AssumeRolePolicyDocument": object{"Statement": []any{object{
				"Action":    []any{"sts:AssumeRole", "sts:TagSession"},
				"Principal": object{"Service": "pods.eks.amazonaws.com"},
			}}}},
		},
		{
			name:     "the Pod Identity agent is installed",
			resource: "AWS::EKS::Addon",
			props:    object{"AddonName": "eks-pod-identity-agent"},
		},
		{
			name:     "the autoscaler has a metrics server to ask",
			resource: "AWS::EKS::Addon",
			props:    object{"AddonName": "metrics-server"},
		},
		{
			name:     "the target group takes pod addresses",
			resource: "AWS::ElasticLoadBalancingV2::TargetGroup",
			props:    object{"TargetType": "ip", "Port": 8080, "HealthCheckPath": "/healthz"},
		},
	})

	objects := manifests(t, stack)
	pod := objects["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
	container := pod["containers"].([]any)[0].(object)

	t.Run("the app is a Deployment with all that keeps it running", func(t *testing.T) {
		for _, kind := range []string{"Namespace", "ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget", "TargetGroupBinding"} {
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
		assert.Equal(t, object{"kubernetes.io/arch": "arm64"}, pod["nodeSelector"])
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

	t.Run("a pod stops only after the load balancer has stopped sending to it, and then has ten seconds to finish", func(t *testing.T) {
		wait := container["lifecycle"].(object)["preStop"].(object)["sleep"].(object)["seconds"].(float64)
		delay := ""
		for _, a := range stack.Only(t, "AWS::ElasticLoadBalancingV2::TargetGroup").Properties["TargetGroupAttributes"].([]any) {
			if a.(object)["Key"] == "deregistration_delay.timeout_seconds" {
				delay = a.(object)["Value"].(string)
			}
		}
		assert.Equal(t, fmt.Sprint(wait), delay)
		assert.Greater(t, pod["terminationGracePeriodSeconds"].(float64), wait+10)
	})

	t.Run("a busy pod has five seconds to say that it is alive", func(t *testing.T) {
		assert.EqualValues(t, 5, container["livenessProbe"].(object)["timeoutSeconds"])
	})

	t.Run("network, proxy and DNS are managed add-ons, which can be updated", func(t *testing.T) {
		assert.Equal(t, false, stack.Only(t, "AWS::EKS::Cluster").Properties["BootstrapSelfManagedAddons"])
		order := map[string]string{}
		for id, addon := range stack.Of("AWS::EKS::Addon") {
			order[addon.Properties["AddonName"].(string)] = id
			assert.Equal(t, false, addon.Properties["PreserveOnDelete"], id)
		}
		for id := range stack.Of("AWS::EKS::Nodegroup") {
			assert.Contains(t, stack.Needs(id), order["vpc-cni"], "a node without a network is not ready")
			assert.Contains(t, stack.Needs(id), order["kube-proxy"])
			assert.Contains(t, stack.Needs(order["coredns"]), id, "DNS needs a node to run on")
			assert.Contains(t, stack.Needs(order["metrics-server"]), id)
		}
		chart := id(t, stack, "Custom::AWSCDK-EKS-HelmChart", "")
		assert.Contains(t, stack.Needs(chart), order["coredns"], "the controller finds AWS by name")
	})

	t.Run("the controller registers pods in this target group and may do nothing else", func(t *testing.T) {
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
	})

	t.Run("a pod does not start without its readiness gate, and Services do not need the controller", func(t *testing.T) {
		values := plain(stack.Only(t, "Custom::AWSCDK-EKS-HelmChart").Properties["Values"])
		assert.Contains(t, values, `"podMutatorWebhookConfig":{"failurePolicy":"Fail"}`)
		assert.Contains(t, values, `"enableServiceMutatorWebhook":false`)
	})

	t.Run("an object that leaves the code leaves the cluster: each is a resource of its own", func(t *testing.T) {
		for id, r := range stack.Of("Custom::AWSCDK-EKS-KubernetesResource") {
			var list []object
			require.NoError(t, json.Unmarshal([]byte(plain(r.Properties["Manifest"])), &list), id)
			assert.Len(t, list, 1, id)
		}
	})

	t.Run("the binding's name carries what its target group is replaced for", func(t *testing.T) {
		group := stack.Only(t, "AWS::ElasticLoadBalancingV2::TargetGroup").Properties
		assert.Equal(t, strings.ToLower(fmt.Sprintf("app-%v-%v-%v", group["TargetType"], group["Protocol"], group["Port"])),
			objects["TargetGroupBinding"]["metadata"].(object)["name"])
	})

	t.Run("a destroy removes the binding before the listener and the app, and the app before the controller", func(t *testing.T) {
		chart := id(t, stack, "Custom::AWSCDK-EKS-HelmChart", "")
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		binding := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `"kind":"TargetGroupBinding"`)
		listener := id(t, stack, "AWS::ElasticLoadBalancingV2::Listener", "")
		assert.Contains(t, stack.Needs(binding), app)
		assert.Contains(t, stack.Needs(binding), listener)
		assert.Contains(t, stack.Needs(app), chart)
	})

	t.Run("pods start after what gives them credentials", func(t *testing.T) {
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		association := id(t, stack, "AWS::EKS::PodIdentityAssociation", "")
		assert.Contains(t, stack.Needs(app), association)
	})

	t.Run("an output gives kubectl access", func(t *testing.T) {
		assert.Contains(t, fmt.Sprint(stack.Template.Outputs["Kubeconfig"].Value), "aws eks update-kubeconfig")
	})
}

func TestEKSEC2InProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EksEc2"]
	check(t, stack, append(inProduction, claim{
		name:     "two to four nodes run",
		resource: "AWS::EKS::Nodegroup",
		props:    object{"ScalingConfig": object{"MinSize": 2, "MaxSize": 4, "DesiredSize": 2}},
	}, claim{
		name:     "the control plane logs who did what",
		resource: "AWS::EKS::Cluster",
		props: object{"Logging": object{"ClusterLogging": object{"EnabledTypes": []any{
			object{"Type": "api"}, object{"Type": "audit"}, object{"Type": "authenticator"}, object{"Type": "controllerManager"}, object{"Type": "scheduler"},
		}}}},
	}))
	t.Run("each zone has a NAT gateway of its own", func(t *testing.T) { stack.Count(t, "AWS::EC2::NatGateway", 2) })
	t.Run("two to eight pods run", func(t *testing.T) {
		scaler := manifests(t, stack)["HorizontalPodAutoscaler"]["spec"].(object)
		assert.EqualValues(t, 2, scaler["minReplicas"])
		assert.EqualValues(t, 8, scaler["maxReplicas"])
	})
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
