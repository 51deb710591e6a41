package stacks_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEKSAuto(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EksAuto"]
	check(t, stack, []claim{
		{
			name:     "the cluster runs Kubernetes 1.36, with access entries only",
			resource: "AWS::EKS::Cluster",
			props: object{"Version": "1.36", "AccessConfig": object{
				"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": false,
			}},
		},
		{
			name:     "AWS runs nodes, disks and the load balancer controller: Auto Mode is on",
			resource: "AWS::EKS::Cluster",
			props: object{
				"ComputeConfig":              object{"Enabled": true},
				"KubernetesNetworkConfig":    object{"ElasticLoadBalancing": object{"Enabled": true}},
				"StorageConfig":              object{"BlockStorage": object{"Enabled": true}},
				"BootstrapSelfManagedAddons": false,
			},
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
	})

	t.Run("AWS keeps network, DNS and proxy: the metrics server is the only add-on", func(t *testing.T) {
		addon := stack.Only(t, "AWS::EKS::Addon").Properties
		assert.Equal(t, "metrics-server", addon["AddonName"])
		assert.Equal(t, `{"replicas":1}`, addon["ConfigurationValues"], "a second one would start a second node")
		stack.Count(t, "Custom::AWSCDK-EKS-HelmChart", 0)
	})

	t.Run("nodes may join, fetch credentials for pods and pull images, and nothing else", func(t *testing.T) {
		role := stack.Template.Resources[target(stack.Only(t, "AWS::EKS::Cluster").Properties["ComputeConfig"].(object)["NodeRoleArn"])]
		assert.Len(t, role.Properties["ManagedPolicyArns"], 2)
		assert.Contains(t, text(role.Properties), "AmazonEKSWorkerNodeMinimalPolicy")
		assert.Contains(t, text(role.Properties), "AmazonEC2ContainerRegistryPullOnly")
	})

	t.Run("a pool of arm64 nodes of our own stands in for the built-in one, and is bounded", func(t *testing.T) {
		pool := manifests(t, stack)["NodePool"]["spec"].(object)
		assert.Equal(t, object{"cpu": "8"}, pool["limits"])
		template := pool["template"].(object)["spec"].(object)
		assert.Equal(t, object{"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"}, template["nodeClassRef"])
		for _, key := range []string{"kubernetes.io/arch", "karpenter.sh/capacity-type", "eks.amazonaws.com/instance-cpu"} {
			assert.Contains(t, text(template["requirements"]), key)
		}
	})

	t.Run("on x86_64 the built-in pool for everything is the only one", func(t *testing.T) {
		stack := synth(t, "architecture", "x86_64")["EksAuto"]
		assert.NotContains(t, manifests(t, stack), "NodePool")
		assert.Equal(t, []any{"general-purpose"}, stack.Only(t, "AWS::EKS::Cluster").Properties["ComputeConfig"].(object)["NodePools"])
	})

	t.Run("AWS's controller may register pods: the target group carries the cluster's name", func(t *testing.T) {
		cluster := id(t, stack, "AWS::EKS::Cluster", "")
		group := stack.Only(t, "AWS::ElasticLoadBalancingV2::TargetGroup").Properties
		assert.Contains(t, group["Tags"], object{"Key": "eks:eks-cluster-name", "Value": object{"Ref": cluster}})
		binding := manifests(t, stack)["TargetGroupBinding"]
		assert.Equal(t, "eks.amazonaws.com/v1", binding["apiVersion"])
		assert.NotContains(t, binding["spec"], "vpcID", "its API has no such field")
	})

	t.Run("pods start after what gives them credentials and a node", func(t *testing.T) {
		needs := stack.Needs(id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`))
		assert.Contains(t, needs, id(t, stack, "AWS::EKS::PodIdentityAssociation", ""))
		assert.Contains(t, needs, id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `"kind":"NodePool"`))
	})

	t.Run("a destroy removes the app before the node pool, and the cluster before its network", func(t *testing.T) {
		cluster := id(t, stack, "AWS::EKS::Cluster", "")
		pool := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `"kind":"NodePool"`)
		assert.Contains(t, stack.Needs(pool), cluster)
		for route := range stack.Of("AWS::EC2::Route") {
			assert.Contains(t, stack.Needs(cluster), route, "nodes that shut down have to tell the control plane")
		}
	})
}

func TestEKSAutoInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EksAuto"]
	check(t, stack, append(inProduction, claim{
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
