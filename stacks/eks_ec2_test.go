package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
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
		registersOnly(t, stack)
	})

	t.Run("a pod does not start without its readiness gate, and Services do not need the controller", func(t *testing.T) {
		values := plain(stack.Only(t, "Custom::AWSCDK-EKS-HelmChart").Properties["Values"])
		assert.Contains(t, values, `"podMutatorWebhookConfig":{"failurePolicy":"Fail"}`)
		assert.Contains(t, values, `"enableServiceMutatorWebhook":false`)
	})

	t.Run("a destroy removes the app before the controller", func(t *testing.T) {
		chart := id(t, stack, "Custom::AWSCDK-EKS-HelmChart", "")
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		assert.Contains(t, stack.Needs(app), chart)
	})

	t.Run("pods start after what gives them credentials", func(t *testing.T) {
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		association := id(t, stack, "AWS::EKS::PodIdentityAssociation", "")
		assert.Contains(t, stack.Needs(app), association)
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
