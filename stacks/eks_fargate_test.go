package stacks_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestEKSFargate(t *testing.T) {
	stack := synth(t, "profile", "sandbox")["EksFargate"]
	check(t, stack, []claim{
		{
			name:     "the cluster runs Kubernetes 1.36, with access entries only",
			resource: "AWS::EKS::Cluster",
			props: object{"Version": "1.36", "AccessConfig": object{
				"AuthenticationMode": "API", "BootstrapClusterCreatorAdminPermissions": false,
			}},
		},
		{
			name:     "pods of the app and of the system get machines from Fargate, and others none",
			resource: "AWS::EKS::FargateProfile",
			props:    object{"Selectors": []any{object{"Namespace": "notes"}, object{"Namespace": "kube-system"}}},
		},
		{
			name:     "DNS runs on Fargate",
			resource: "AWS::EKS::Addon",
			props:    object{"AddonName": "coredns", "ConfigurationValues": `{"computeType":"Fargate","replicaCount":1}`},
		},
		{
			name:     "the autoscaler has a metrics server to ask",
			resource: "AWS::EKS::Addon",
			props:    object{"AddonName": "metrics-server", "ConfigurationValues": `{"replicas":1}`},
		},
	})

	t.Run("there are no nodes: neither a node group nor Auto Mode", func(t *testing.T) {
		stack.Count(t, "AWS::EKS::Nodegroup", 0)
		assert.Equal(t, object{"Enabled": false}, stack.Only(t, "AWS::EKS::Cluster").Properties["ComputeConfig"])
	})

	t.Run("pods stand in private subnets behind one NAT gateway", func(t *testing.T) {
		stack.Count(t, "AWS::EC2::NatGateway", 1)
		behind := map[string]bool{} // subnets
		for _, association := range stack.Of("AWS::EC2::SubnetRouteTableAssociation") {
			for _, route := range stack.Of("AWS::EC2::Route") {
				if route.Properties["NatGatewayId"] != nil && target(route.Properties["RouteTableId"]) == target(association.Properties["RouteTableId"]) {
					behind[target(association.Properties["SubnetId"])] = true
				}
			}
		}
		for _, subnet := range stack.Only(t, "AWS::EKS::FargateProfile").Properties["Subnets"].([]any) {
			assert.True(t, behind[target(subnet)], target(subnet))
		}
	})

	t.Run("a pod asks for all of the smallest machine: a quarter vCPU and half a gigabyte, half of it for Kubernetes", func(t *testing.T) {
		container := manifests(t, stack)["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)["containers"].([]any)[0].(object)
		want := object{"cpu": "250m", "memory": "256Mi"}
		assert.Equal(t, object{"requests": want, "limits": want}, container["resources"], "Fargate wants them equal")
	})

	t.Run("the app's role trusts one service account's tokens, made out to AWS", func(t *testing.T) {
		trust := stack.Template.Resources[appRole(t, stack)].Properties["AssumeRolePolicyDocument"].(object)["Statement"].([]any)[0].(object)
		assert.Equal(t, "sts:AssumeRoleWithWebIdentity", trust["Action"])
		assert.Equal(t, object{"Federated": object{"Ref": id(t, stack, "AWS::IAM::OIDCProvider", "")}}, trust["Principal"])
		condition := stack.Template.Resources[target(trust["Condition"].(object)["StringEquals"])]
		assert.Equal(t, "Custom::AWSCDKCfnJson", condition.Type)
		assert.Contains(t, text(condition.Properties["Value"]), `:aud\":\"sts.amazonaws.com\"`)
		assert.Contains(t, text(condition.Properties["Value"]), `:sub\":\"system:serviceaccount:notes:app\"`)
	})

	t.Run("the app reads its token from a file, and assumes its own role", func(t *testing.T) {
		pod := manifests(t, stack)["Deployment"]["spec"].(object)["template"].(object)["spec"].(object)
		token := pod["volumes"].([]any)[0].(object)["projected"].(object)["sources"].([]any)[0].(object)["serviceAccountToken"].(object)
		assert.Equal(t, "sts.amazonaws.com", token["audience"])
		container := pod["containers"].([]any)[0].(object)
		mount := container["volumeMounts"].([]any)[0].(object)
		assert.Equal(t, pod["volumes"].([]any)[0].(object)["name"], mount["name"])
		assert.Contains(t, container["env"], object{"name": "AWS_WEB_IDENTITY_TOKEN_FILE", "value": mount["mountPath"].(string) + "/" + token["path"].(string)})
		assert.Contains(t, container["env"], object{"name": "AWS_ROLE_ARN", "value": appRole(t, stack)})
	})

	t.Run("the log router writes to the stack's own log group, and may write to no other", func(t *testing.T) {
		var group string
		for groupID := range stack.Of("AWS::Logs::LogGroup") {
			if strings.HasPrefix(groupID, "AppLogs") {
				group = groupID
			}
		}
		config := manifests(t, stack)["ConfigMap"]
		assert.Equal(t, object{"name": "aws-logging", "namespace": "aws-observability"}, config["metadata"])
		output := config["data"].(object)["output.conf"]
		assert.Contains(t, output, "log_group_name "+group+"\n")
		assert.Contains(t, output, "auto_create_group false")
		assert.Contains(t, output, "log_key log", "else each line comes wrapped")
		for policyID, policy := range stack.Of("AWS::IAM::Policy") {
			if strings.HasPrefix(policyID, "ExecutionRole") {
				assert.Equal(t, []any{object{
					"Action":   []any{"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"},
					"Effect":   "Allow",
					"Resource": object{"Fn::GetAtt": []any{group, "Arn"}},
				}}, policy.Properties["PolicyDocument"].(object)["Statement"])
			}
		}
	})

	t.Run("pods start after the log router's configuration, DNS and what gives them credentials", func(t *testing.T) {
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		dns := id(t, stack, "AWS::EKS::Addon", "coredns")
		logging := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `"kind":"ConfigMap"`)
		profile := id(t, stack, "AWS::EKS::FargateProfile", "")
		needs := stack.Needs(app)
		for policyID := range stack.Of("AWS::IAM::Policy") {
			if strings.HasPrefix(policyID, "AppRole") {
				assert.Contains(t, needs, policyID)
			}
		}
		assert.Contains(t, needs, dns)
		assert.Contains(t, needs, logging)
		assert.Contains(t, stack.Needs(dns), logging)
		assert.Contains(t, stack.Needs(logging), profile)
	})

	t.Run("the controller registers pods in this target group and may do nothing else", func(t *testing.T) {
		registersOnly(t, stack)
	})

	t.Run("a destroy removes the app before the controller", func(t *testing.T) {
		chart := id(t, stack, "Custom::AWSCDK-EKS-HelmChart", "")
		app := id(t, stack, "Custom::AWSCDK-EKS-KubernetesResource", `[{"apiVersion":"apps/v1","kind":"Deployment"`)
		assert.Contains(t, stack.Needs(app), chart)
	})

	t.Run("only this cluster's Fargate may use the pods' execution role", func(t *testing.T) {
		role := stack.Template.Resources[target(stack.Only(t, "AWS::EKS::FargateProfile").Properties["PodExecutionRoleArn"])]
		assert.Contains(t, text(role.Properties["AssumeRolePolicyDocument"]), `"aws:SourceArn"`)
		assert.Contains(t, text(role.Properties["AssumeRolePolicyDocument"]), `:fargateprofile/`)
	})

	t.Run("on arm64 pods run on x86_64 all the same: Fargate on EKS has nothing else", func(t *testing.T) {
		assert.Equal(t, []string{"linux/amd64"}, synth(t, "architecture", "arm64")["EksFargate"].ImagePlatforms)
	})
}

func TestEKSFargateInProduction(t *testing.T) {
	stack := synth(t, "profile", "production")["EksFargate"]
	check(t, stack, append(inProduction, claim{
		name:     "the control plane logs who did what",
		resource: "AWS::EKS::Cluster",
		props: object{"Logging": object{"ClusterLogging": object{"EnabledTypes": []any{
			object{"Type": "api"}, object{"Type": "audit"}, object{"Type": "authenticator"}, object{"Type": "controllerManager"}, object{"Type": "scheduler"},
		}}}},
	}, claim{
		name:     "DNS has two copies",
		resource: "AWS::EKS::Addon",
		props:    object{"AddonName": "coredns", "ConfigurationValues": `{"computeType":"Fargate","replicaCount":2}`},
	}))
	t.Run("each zone has a NAT gateway of its own", func(t *testing.T) { stack.Count(t, "AWS::EC2::NatGateway", 2) })
	t.Run("two to eight pods run", func(t *testing.T) {
		scaler := manifests(t, stack)["HorizontalPodAutoscaler"]["spec"].(object)
		assert.EqualValues(t, 2, scaler["minReplicas"])
		assert.EqualValues(t, 8, scaler["maxReplicas"])
	})
}
