package stacks_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
)

// What CloudFormation accepts and then does not work: a reference to the wrong
// one of two roles, a port that only one side knows.
func init() {
	rules = append(rules,
		rule{name: "the load balancer is open where it listens", check: listenersOpen},
		rule{name: "one port leads from the load balancer to the app", check: portsAgree},
		rule{name: "what runs the app has the role that was granted the bucket", ofApps: true, check: grantReachesApp},
		rule{name: "what pulls the image may pull it", check: imageCanBePulled},
		rule{name: "every subnet that something runs in has a route out", check: subnetsHaveRoutes},
		rule{name: "instances have a role to join their cluster with", check: instancesMayJoin},
		rule{name: "bindings name a Service that exists", check: bindingsLead},
		rule{name: "the emptier may empty its bucket", sandboxOnly: true, check: emptierMayEmpty},
	)
}

func listenersOpen(t *testing.T, stack *cdktest.Stack) {
	for id, listener := range stack.Of("AWS::ElasticLoadBalancingV2::Listener") {
		lb := stack.Template.Resources[target(listener.Properties["LoadBalancerArn"])]
		var open []any
		for _, group := range lb.Properties["SecurityGroups"].([]any) {
			ingress, _ := stack.Template.Resources[target(group)].Properties["SecurityGroupIngress"].([]any)
			for _, rule := range ingress {
				open = append(open, rule.(object)["FromPort"])
			}
		}
		assert.Contains(t, open, listener.Properties["Port"], id)
	}
}

// portsAgree holds that both security groups let the app's port through, and that
// what registers a target names a port that its container has.
func portsAgree(t *testing.T, stack *cdktest.Stack) {
	for _, group := range loadBalancerGroups(stack) {
		for id, rule := range stack.Of("AWS::EC2::SecurityGroupIngress") {
			if target(rule.Properties["SourceSecurityGroupId"]) == group {
				assertPort(t, id, rule.Properties, stack)
			}
		}
		for id, rule := range stack.Of("AWS::EC2::SecurityGroupEgress") {
			if target(rule.Properties["GroupId"]) == group {
				assertPort(t, id, rule.Properties, stack)
			}
		}
	}
	for id, service := range stack.Of("AWS::ECS::Service") {
		task := stack.Template.Resources[target(service.Properties["TaskDefinition"])]
		targets, _ := service.Properties["LoadBalancers"].([]any)
		for _, lb := range targets {
			var ports []any
			for _, c := range task.Properties["ContainerDefinitions"].([]any) {
				mappings, _ := c.(object)["PortMappings"].([]any)
				for _, mapping := range mappings {
					ports = append(ports, mapping.(object)["ContainerPort"])
				}
			}
			assert.Contains(t, ports, lb.(object)["ContainerPort"], id)
		}
	}
	for id, runner := range stack.Of("AWS::AppRunner::Service") {
		text, _ := json.Marshal(runner.Properties)
		assert.Contains(t, string(text), `"Port":"`+appOf(t, stack).port(t)+`"`, id)
	}
}

// assertPort takes the app's port, or the range that Docker gives a container on
// an instance.
func assertPort(t *testing.T, id string, rule object, stack *cdktest.Stack) {
	t.Helper()
	ports := []any{rule["FromPort"], rule["ToPort"]}
	port, err := strconv.ParseFloat(appOf(t, stack).port(t), 64)
	require.NoError(t, err)
	ephemeral := len(stack.Of("AWS::ECS::CapacityProvider")) > 0 && slices.Equal(ports, []any{32768.0, 65535.0})
	assert.True(t, ephemeral || slices.Equal(ports, []any{port, port}), "%s lets %v through", id, ports)
}

// grantReachesApp follows the grant from the policy to whatever has its role.
func grantReachesApp(t *testing.T, stack *cdktest.Stack) {
	if !appOf(t, stack).hasBucket() {
		return // nothing is granted
	}
	var granted []string
	for _, policy := range stack.Of("AWS::IAM::Policy") {
		if strings.Contains(fmt.Sprint(policy.Properties), "s3:PutObject") {
			for _, role := range policy.Properties["Roles"].([]any) {
				granted = append(granted, target(role))
			}
		}
	}
	id := appOf(t, stack).id
	r := stack.Template.Resources[id]
	var has any
	switch r.Type {
	case "AWS::ECS::Service":
		has = stack.Template.Resources[target(r.Properties["TaskDefinition"])].Properties["TaskRoleArn"]
	case "AWS::ECS::ExpressGatewayService":
		has = r.Properties["TaskRoleArn"]
	case "AWS::Lambda::Function":
		has = r.Properties["Role"]
	case "AWS::AppRunner::Service":
		has = r.Properties["InstanceConfiguration"].(object)["InstanceRoleArn"]
	default:
		// A pod's role is its service account's.
		for _, identity := range stack.Of("AWS::EKS::PodIdentityAssociation") {
			if account := fmt.Sprint(`"serviceAccountName":"`, identity.Properties["ServiceAccount"], `"`); strings.Contains(strings.ReplaceAll(appOf(t, stack).told, `\"`, `"`), account) {
				has = identity.Properties["RoleArn"]
			}
		}
		if has == nil && len(stack.Of("AWS::EKS::PodIdentityAssociation")) == 0 {
			return // by the cluster's OIDC provider, which the stack's own claims follow
		}
	}
	assert.Contains(t, granted, target(has), "%s has another role", id)
}

// imageCanBePulled holds where the image is the one that the stack builds.
func imageCanBePulled(t *testing.T, stack *cdktest.Stack) {
	pullers := map[string]any{}
	for id, service := range stack.Of("AWS::ECS::Service") {
		task := stack.Template.Resources[target(service.Properties["TaskDefinition"])]
		pullers[id] = task.Properties["ExecutionRoleArn"]
	}
	for id, service := range stack.Of("AWS::ECS::ExpressGatewayService") {
		pullers[id] = service.Properties["ExecutionRoleArn"]
	}
	for id, runner := range stack.Of("AWS::AppRunner::Service") {
		authentication, _ := runner.Properties["SourceConfiguration"].(object)["AuthenticationConfiguration"].(object)
		pullers[id] = authentication["AccessRoleArn"]
	}
	for id, role := range pullers {
		var statements string
		for _, policy := range stack.Of("AWS::IAM::Policy") {
			if slices.ContainsFunc(policy.Properties["Roles"].([]any), func(r any) bool { return target(r) == target(role) }) {
				statements += fmt.Sprint(policy.Properties)
			}
		}
		for _, action := range []string{"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:GetAuthorizationToken"} {
			assert.Contains(t, statements, action, id)
		}
	}
}

func subnetsHaveRoutes(t *testing.T, stack *cdktest.Stack) {
	var used string
	for _, r := range stack.Template.Resources {
		switch r.Type {
		case "AWS::ECS::Service", "AWS::ECS::ExpressGatewayService", "AWS::ECS::CapacityProvider", "AWS::AutoScaling::AutoScalingGroup",
			"AWS::EKS::Nodegroup", "AWS::EKS::FargateProfile", "AWS::ElasticLoadBalancingV2::LoadBalancer":
			used += fmt.Sprint(r.Properties)
		}
	}
	for id, association := range stack.Of("AWS::EC2::SubnetRouteTableAssociation") {
		if !strings.Contains(used, "map[Ref:"+target(association.Properties["SubnetId"])+"]") {
			continue
		}
		out := false
		for _, route := range stack.Of("AWS::EC2::Route") {
			out = out || target(route.Properties["RouteTableId"]) == target(association.Properties["RouteTableId"])
		}
		assert.True(t, out, "%s leads nowhere", id)
	}
}

func instancesMayJoin(t *testing.T, stack *cdktest.Stack) {
	for id, group := range stack.Of("AWS::AutoScaling::AutoScalingGroup") {
		specification, _ := group.Properties["LaunchTemplate"].(object)
		template := stack.Template.Resources[target(specification["LaunchTemplateId"])]
		assert.Contains(t, template.Properties["LaunchTemplateData"], "IamInstanceProfile", id)
	}
}

var serviceRef = regexp.MustCompile(`"serviceRef":\{"name":"([^"]+)"`)

func bindingsLead(t *testing.T, stack *cdktest.Stack) {
	var services []string
	bindings := map[string]string{} // logical id to the Service
	for id, r := range stack.Of("Custom::AWSCDK-EKS-KubernetesResource") {
		text, err := json.Marshal(r.Properties["Manifest"])
		require.NoError(t, err)
		manifest := strings.ReplaceAll(string(text), `\"`, `"`)
		if match := serviceRef.FindStringSubmatch(manifest); match != nil {
			bindings[id] = match[1]
		}
		if strings.Contains(manifest, `"kind":"Service"`) {
			services = append(services, manifest)
		}
	}
	for id, name := range bindings {
		assert.Contains(t, strings.Join(services, ""), `"name":"`+name+`"`, "%s binds to another Service", id)
	}
}

func emptierMayEmpty(t *testing.T, stack *cdktest.Stack) {
	for id, emptier := range stack.Of("Custom::S3AutoDeleteObjects") {
		function := stack.Template.Resources[target(emptier.Properties["ServiceToken"])]
		role := target(function.Properties["Role"])
		var may []string
		for _, policy := range stack.Of("AWS::S3::BucketPolicy") {
			if target(policy.Properties["Bucket"]) != target(emptier.Properties["BucketName"]) {
				continue
			}
			for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
				statement := s.(object)
				principal, _ := statement["Principal"].(object)
				if statement["Effect"] == "Allow" && target(principal["AWS"]) == role {
					may = append(may, list(statement["Action"])...)
				}
			}
		}
		assert.Subset(t, may, []string{"s3:DeleteObject*", "s3:List*", "s3:GetBucket*"}, id)
	}
}
