package stacks_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
)

// A rule is what every deployment promises, whatever it runs on.
type rule struct {
	name string

	// sandboxOnly marks a promise that the production profile does not make.
	sandboxOnly bool

	check func(*testing.T, *cdktest.Stack)
}

var rules = []rule{
	{name: "a Url output says where the app is", check: hasURL},
	{name: "tags tell its bill and its leftovers", check: hasTags},
	{name: "no resource type is retired", check: nothingRetired},
	{name: "names are CloudFormation's, so that a stack deploys twice", check: noFixedNames},
	{name: "only load balancers are open to the internet", check: onlyLoadBalancersOpen},
	{name: "load balancers reach their targets", check: targetsReachable},
	{name: "load balancers belong to CloudFormation", check: noKubernetesLoadBalancer},
	{name: "ECS services name a container that exists", check: containersExist},
	{name: "health paths are absolute", check: healthPathsAbsolute},
	{name: "the app may do four things to its own bucket, and nothing to others", check: exactGrant},
	{name: "notes are encrypted, private and expire after a day", check: notesAreSafe},
	{name: "removing the stack removes everything", sandboxOnly: true, check: nothingRetained},
	{name: "nothing blocks deletion", sandboxOnly: true, check: nothingBlocksDeletion},
	{name: "no function makes a log group of its own", sandboxOnly: true, check: functionsHaveLogGroups},
	{name: "no NAT gateway bills", sandboxOnly: true, check: noNAT},
}

func TestRules(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		for id, stack := range synth(t, "profile", string(profile)) {
			for _, r := range rules {
				if r.sandboxOnly && profile != settings.Sandbox {
					continue
				}
				t.Run(fmt.Sprintf("%s in %s/%s", id, profile, r.name), func(t *testing.T) { r.check(t, stack) })
			}
		}
	}
}

func hasURL(t *testing.T, stack *cdktest.Stack) {
	require.Contains(t, stack.Template.Outputs, "Url")
	assert.NotEmpty(t, stack.Template.Outputs["Url"].Value)
	assert.NotEmpty(t, stack.Template.Outputs["Url"].Description)
}

func hasTags(t *testing.T, stack *cdktest.Stack) {
	assert.Equal(t, stack.ID, stack.Tags["refdeploy:stack"])
	assert.Contains(t, []string{"sandbox", "production"}, stack.Tags["refdeploy:profile"])
	assert.Contains(t, []string{"arm64", "x86_64"}, stack.Tags["refdeploy:architecture"])
}

func nothingRetired(t *testing.T, stack *cdktest.Stack) {
	retired := map[string]string{
		"AWS::AutoScaling::LaunchConfiguration":    "fails in accounts created since 2024-10-01; use a launch template",
		"AWS::ElasticLoadBalancing::LoadBalancer":  "the previous generation; use ElasticLoadBalancingV2",
		"AWS::CloudFormation::Stack":               "nested stacks hide what they hold",
		"Custom::AWSCDK-EKS-Cluster":               "EKS v1 of the CDK; use awseksv2",
		"Custom::AWSCDKOpenIdConnectProvider":      "use AWS::IAM::OIDCProvider",
		"Custom::LogRetention":                     "use a log group with retention",
		"AWS::OpsWorks::Stack":                     "ended 2024-05-26",
		"AWS::ServiceCatalog::LaunchTagConstraint": "deprecated",
	}
	for id, r := range stack.Template.Resources {
		assert.NotContains(t, retired, r.Type, "%s: %s", id, retired[r.Type])
	}
}

// physicalName matches properties that name a resource. AliasName and AddonName
// are names within another resource, and say what, not which.
var physicalName = regexp.MustCompile(`^(Name|Family|[A-Za-z]*(Bucket|Function|Role|Cluster|Service|LogGroup|LoadBalancer|TargetGroup|AutoScalingGroup|Nodegroup|Topic|Alarm|LaunchTemplate|Repository|Configuration|Application|DeploymentGroup)Name)$`)

func noFixedNames(t *testing.T, stack *cdktest.Stack) {
	scoped := []string{"AWS::Lambda::Alias", "AWS::ECS::TaskDefinition"} // the CDK derives a task definition's family from the stack's name
	for id, r := range stack.Template.Resources {
		if slices.Contains(scoped, r.Type) {
			continue
		}
		for property, value := range r.Properties {
			if _, literal := value.(string); literal && physicalName.MatchString(property) {
				assert.Failf(t, "fixed name", "%s (%s) is named %s = %q", id, r.Type, property, value)
			}
		}
	}
}

// loadBalancerGroups returns the logical ids of the security groups of load
// balancers.
func loadBalancerGroups(stack *cdktest.Stack) []string {
	var ids []string
	for _, lb := range stack.Of("AWS::ElasticLoadBalancingV2::LoadBalancer") {
		for _, group := range lb.Properties["SecurityGroups"].([]any) {
			ids = append(ids, target(group))
		}
	}
	return ids
}

// target returns the logical id that a Ref or a Fn::GetAtt points to.
func target(reference any) string {
	fields, _ := reference.(object)
	if id, ok := fields["Ref"].(string); ok {
		return id
	}
	if path, ok := fields["Fn::GetAtt"].([]any); ok {
		return path[0].(string)
	}
	return ""
}

func onlyLoadBalancersOpen(t *testing.T, stack *cdktest.Stack) {
	open := loadBalancerGroups(stack)
	for id, group := range stack.Of("AWS::EC2::SecurityGroup") {
		ingress, _ := group.Properties["SecurityGroupIngress"].([]any)
		if !slices.Contains(open, id) {
			assert.Empty(t, ingress, "%s is open to addresses", id)
		}
	}
	for id, ingress := range stack.Of("AWS::EC2::SecurityGroupIngress") {
		assert.Contains(t, ingress.Properties, "SourceSecurityGroupId", "%s is open to addresses", id)
	}
}

// The CDK writes the rules from a load balancer to its targets only for targets
// it knows. For the others, forgetting one deploys and then answers 504.
func targetsReachable(t *testing.T, stack *cdktest.Stack) {
	for _, group := range loadBalancerGroups(stack) {
		var in, out bool
		for _, rule := range stack.Of("AWS::EC2::SecurityGroupIngress") {
			in = in || target(rule.Properties["SourceSecurityGroupId"]) == group
		}
		for _, rule := range stack.Of("AWS::EC2::SecurityGroupEgress") {
			out = out || target(rule.Properties["GroupId"]) == group
		}
		assert.True(t, in, "no target accepts traffic from %s", group)
		assert.True(t, out, "%s may not send to targets", group)
	}
}

func noKubernetesLoadBalancer(t *testing.T, stack *cdktest.Stack) {
	for id, r := range stack.Of("Custom::AWSCDK-EKS-KubernetesResource") {
		manifest := fmt.Sprint(r.Properties["Manifest"])
		require.Contains(t, manifest, `"kind"`, "%s holds no objects", id)
		assert.NotContains(t, manifest, `"kind":"Ingress"`, id)
		assert.NotContains(t, manifest, `"type":"LoadBalancer"`, id)
	}
}

func containersExist(t *testing.T, stack *cdktest.Stack) {
	var names []any
	for _, task := range stack.Of("AWS::ECS::TaskDefinition") {
		for _, container := range task.Properties["ContainerDefinitions"].([]any) {
			names = append(names, container.(object)["Name"])
		}
		if slices.Contains(task.Properties["RequiresCompatibilities"].([]any), any("FARGATE")) {
			assert.Contains(t, stack.Only(t, "AWS::ECS::Service").Properties, "NetworkConfiguration")
		}
	}
	for _, service := range stack.Of("AWS::ECS::Service") {
		for _, lb := range service.Properties["LoadBalancers"].([]any) {
			assert.Contains(t, names, lb.(object)["ContainerName"])
		}
	}
}

func healthPathsAbsolute(t *testing.T, stack *cdktest.Stack) {
	for id, group := range stack.Of("AWS::ElasticLoadBalancingV2::TargetGroup") {
		assert.Equal(t, "/healthz", group.Properties["HealthCheckPath"], id)
	}
	for id, service := range stack.Of("AWS::AppRunner::Service") {
		assert.Equal(t, "/healthz", service.Properties["HealthCheckConfiguration"].(object)["Path"], id)
	}
}

// exactGrant lists the actions literally: validation knows no IAM actions, so a
// misspelled one would deploy and then be denied.
func exactGrant(t *testing.T, stack *cdktest.Stack) {
	var actions []string
	for _, policy := range stack.Of("AWS::IAM::Policy") {
		for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
			statement := s.(object)
			for _, action := range list(statement["Action"]) {
				if !strings.HasPrefix(action, "s3:") {
					continue
				}
				actions = append(actions, action)
				assert.NotEqual(t, "*", statement["Resource"], action)
			}
		}
	}
	assert.ElementsMatch(t, []string{"s3:ListBucket", "s3:GetObject", "s3:PutObject", "s3:DeleteObject"}, actions)
}

// list returns the strings of what may be one string or several.
func list(value any) []string {
	if one, ok := value.(string); ok {
		return []string{one}
	}
	var all []string
	for _, v := range value.([]any) {
		all = append(all, v.(string))
	}
	return all
}

func notesAreSafe(t *testing.T, stack *cdktest.Stack) {
	stack.Count(t, "AWS::S3::Bucket", 1)
	stack.Has(t, "AWS::S3::Bucket", object{
		"BucketEncryption": object{"ServerSideEncryptionConfiguration": []any{
			object{"ServerSideEncryptionByDefault": object{"SSEAlgorithm": "AES256"}},
		}},
		"PublicAccessBlockConfiguration": object{
			"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
		},
		"LifecycleConfiguration": object{"Rules": []any{
			object{"AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": 1}, "ExpirationInDays": 1, "Status": "Enabled"},
		}},
	})
}

func nothingRetained(t *testing.T, stack *cdktest.Stack) {
	stateful := []string{"AWS::S3::Bucket", "AWS::Logs::LogGroup"}
	for id, r := range stack.Template.Resources {
		assert.NotContains(t, []string{"Retain", "RetainExceptOnCreate", "Snapshot"}, r.DeletionPolicy, id)
		if slices.Contains(stateful, r.Type) {
			assert.Equal(t, "Delete", r.DeletionPolicy, id)
		}
	}
	stack.Count(t, "Custom::S3AutoDeleteObjects", 1)
}

func nothingBlocksDeletion(t *testing.T, stack *cdktest.Stack) {
	assert.False(t, stack.TerminationProtection)
	for id, lb := range stack.Of("AWS::ElasticLoadBalancingV2::LoadBalancer") {
		assert.Contains(t, lb.Properties["LoadBalancerAttributes"], object{"Key": "deletion_protection.enabled", "Value": "false"}, id)
	}
	for id, group := range stack.Of("AWS::AutoScaling::AutoScalingGroup") {
		assert.Equal(t, false, group.Properties["NewInstancesProtectedFromScaleIn"], id)
	}
	for id, provider := range stack.Of("AWS::ECS::CapacityProvider") {
		assert.Equal(t, "DISABLED", provider.Properties["AutoScalingGroupProvider"].(object)["ManagedTerminationProtection"], id)
	}
	for id, cluster := range stack.Of("AWS::EKS::Cluster") {
		assert.NotEqual(t, true, cluster.Properties["DeletionProtection"], id)
	}
}

func functionsHaveLogGroups(t *testing.T, stack *cdktest.Stack) {
	groups := stack.Of("AWS::Logs::LogGroup")
	for id, function := range stack.Of("AWS::Lambda::Function") {
		logging, _ := function.Properties["LoggingConfig"].(object)
		assert.Contains(t, groups, target(logging["LogGroup"]), id)
	}
}

func noNAT(t *testing.T, stack *cdktest.Stack) {
	stack.Count(t, "AWS::EC2::NatGateway", 0)
}

// architectures is how each place of a template spells an architecture.
var architectures = map[settings.Architecture]struct {
	function, task, image, ami, node, instances string
}{
	settings.ARM64:  {"arm64", "ARM64", "linux/arm64", "arm64", "AL2023_ARM_64_STANDARD", "t4g."},
	settings.X86_64: {"x86_64", "X86_64", "linux/amd64", "amazon-linux-2023/recommended", "AL2023_x86_64_STANDARD", "t3."},
}

func TestArchitectureAgreesEverywhere(t *testing.T) {
	for architecture, want := range architectures {
		for id, stack := range synth(t, "architecture", string(architecture)) {
			t.Run(fmt.Sprintf("%s on %s", id, architecture), func(t *testing.T) {
				want := want
				if id == "AppRunner" {
					want = architectures[settings.X86_64] // App Runner has no other
				}
				seen := 0
				for _, platform := range stack.ImagePlatforms {
					assert.Equal(t, want.image, platform)
					seen++
				}
				for id, function := range stack.Of("AWS::Lambda::Function") {
					if function.Properties["Runtime"] == "provided.al2023" {
						assert.Equal(t, []any{want.function}, function.Properties["Architectures"], id)
						seen++
					}
				}
				for id, task := range stack.Of("AWS::ECS::TaskDefinition") {
					if platform, ok := task.Properties["RuntimePlatform"].(object); ok {
						assert.Equal(t, want.task, platform["CpuArchitecture"], id)
					} else {
						assert.Equal(t, "bridge", task.Properties["NetworkMode"], "%s: only EC2 takes the instance's architecture", id)
					}
				}
				for id, template := range stack.Of("AWS::EC2::LaunchTemplate") {
					assert.True(t, strings.HasPrefix(template.Properties["LaunchTemplateData"].(object)["InstanceType"].(string), want.instances), id)
				}
				for id, nodes := range stack.Of("AWS::EKS::Nodegroup") {
					assert.Equal(t, want.node, nodes.Properties["AmiType"], id)
				}
				for id, parameter := range stack.Template.Parameters {
					if strings.Contains(parameter.Type, "Image::Id") {
						assert.Contains(t, parameter.Default, want.ami, id)
					}
				}
				assert.NotZero(t, seen, "nothing with an architecture found")
			})
		}
	}
}

// cdk-nag's AwsSolutions pack finds nothing that a suppression does not explain.
func TestNag(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		app, chosen := newApp(t, "profile", string(profile))
		awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
		var defined []awscdk.Stack
		for _, d := range catalog.All() {
			defined = append(defined, d.New(app, d.ID, &stacks.Props{Settings: chosen}))
		}
		for _, stack := range defined {
			t.Run(fmt.Sprintf("%s in %s", *stack.StackName(), profile), func(t *testing.T) {
				found := assertions.Annotations_FromStack(stack)
				anything := assertions.Match_AnyValue()
				messages := append(*found.FindError(jsii.String("*"), anything), *found.FindWarning(jsii.String("*"), anything)...)
				for _, message := range messages {
					assert.Fail(t, *message.Id, "%v", message.Entry.Data)
				}
			})
		}
	}
}

func TestSuppressionsHaveReasons(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		found := 0
		for _, stack := range synth(t, "profile", string(profile)) {
			for id, r := range stack.Template.Resources {
				for _, s := range r.Suppressions() {
					assert.Greater(t, len(s.Reason), 30, "%s/%s: %v", stack.ID, id, s)
					found++
				}
			}
		}
		assert.NotZero(t, found)
	}
}

// A deployment is finished when it has all of this.
func TestEveryDeploymentIsFinished(t *testing.T) {
	readme, err := os.ReadFile(project.Path("README.md"))
	require.NoError(t, err)
	for _, d := range catalog.All() {
		t.Run(d.ID, func(t *testing.T) {
			source, page := project.Path(d.Source), project.Path(d.Page)
			assert.FileExists(t, source)
			assert.FileExists(t, page)
			assert.FileExists(t, strings.TrimSuffix(source, ".go")+"_test.go", "no claims test")
			for _, profile := range []string{"sandbox", "production"} {
				assert.FileExists(t, project.Path("stacks", "testdata", d.ID+"."+profile+".golden.json"))
			}
			assert.Contains(t, string(readme), fmt.Sprintf("[%s](%s)", d.ID, d.Page), "no row in the README")
		})
	}
}
