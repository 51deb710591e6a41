package stacks_test

import (
	"encoding/json"
	"fmt"
	"maps"
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
	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/stacks"
	"refdeploy/tests/apps"
)

// A rule is what every deployment promises, whatever it runs on.
type rule struct {
	name string

	// sandboxOnly and productionOnly mark a promise that the other profile does
	// not make.
	sandboxOnly, productionOnly bool

	// ofApps marks a promise about what runs the app, which a network does not.
	ofApps bool

	check func(*testing.T, *cdktest.Stack)
}

var rules = []rule{
	{name: "a Url output says where the app is, or on your own servers commands say what to run there", ofApps: true, check: hasURL},
	{name: "tags tell its bill and its leftovers", check: hasTags},
	{name: "no resource type is retired", check: nothingRetired},
	{name: "names are CloudFormation's, so that a stack deploys twice", check: noFixedNames},
	{name: "ECS takes the names of capacity providers", check: capacityNamesAreValid},
	{name: "only load balancers are open to the internet", check: onlyLoadBalancersOpen},
	{name: "load balancers reach their targets", check: targetsReachable},
	{name: "load balancers belong to CloudFormation", check: noKubernetesLoadBalancer},
	{name: "ECS services name a container that exists", check: containersExist},
	{name: "health paths are absolute", check: healthPathsAbsolute},
	{name: "the app may do four things to its own bucket, and nothing to others", ofApps: true, check: exactGrant},
	{name: "buckets are encrypted and private", ofApps: true, check: bucketsAreSafe},
	{name: "whatever runs the app has its way to the internet first, and last", check: waysOut},
	{name: "the app is told its region", ofApps: true, check: regionIsTold},
	{name: "whoever breaks into the app finds no capability of Linux", ofApps: true, check: noCapabilities},
	{name: "the number of copies is the autoscaler's, or that of the servers", check: noDesiredCount},
	{name: "no function makes a log group, or may", check: functionsHaveLogGroups},
	{name: "no log group is without a writer", check: logGroupsHaveWriters},
	{name: "no role may write to every log group", check: logsAreOwn},
	{name: "instances and their disks carry the stack's tags", check: instancesAreTagged},
	{name: "notes expire after a day", sandboxOnly: true, ofApps: true, check: notesExpire},
	{name: "removing the stack removes everything", sandboxOnly: true, check: nothingRetained},
	{name: "nothing blocks deletion", sandboxOnly: true, check: nothingBlocksDeletion},
	{name: "the app is gone before its bucket is emptied", sandboxOnly: true, ofApps: true, check: goneBeforeEmptied},
	{name: "the emptier can go when the bucket stays", sandboxOnly: true, check: emptierCanGo},
	{name: "no alarm bills", sandboxOnly: true, check: noAlarms},
	{name: "no NAT gateway bills where there is a way without", sandboxOnly: true, check: noNAT},
	{name: "notes stay, and their old versions for three months", productionOnly: true, ofApps: true, check: notesStay},
	{name: "alarms tell one topic, when they ring and when it is over", productionOnly: true, ofApps: true, check: alarmsTell},
	{name: "load balancers keep a line for each request", productionOnly: true, check: accessLogsAreKept},
}

func TestRules(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		for id, stack := range synth(t, "profile", string(profile)) {
			checkRules(t, fmt.Sprintf("%s in %s", id, profile), profile, stack)
		}
		for id, stack := range cdktest.Whole(synth(t, "network", "shared", "profile", string(profile))) {
			checkRules(t, fmt.Sprintf("%s in a shared network in %s", id, profile), profile, stack)
		}
	}
}

func checkRules(t *testing.T, name string, profile settings.Profile, stack *cdktest.Stack) {
	for _, r := range rules {
		if r.sandboxOnly && profile != settings.Sandbox || r.productionOnly && profile != settings.Production || r.ofApps && stack.ID == settings.NetworkID {
			continue
		}
		t.Run(name+"/"+r.name, func(t *testing.T) { r.check(t, stack) })
	}
}

// clusterElsewhere reports whether not even the app's own objects are in the
// template, because their cluster is not on AWS.
func clusterElsewhere(stack *cdktest.Stack) bool {
	_, ok := stack.Template.Outputs["PublishKeys"]
	return ok
}

// onOwnServers reports whether the app runs on servers that AWS does not have.
func onOwnServers(stack *cdktest.Stack) bool {
	if clusterElsewhere(stack) {
		return true
	}
	for _, service := range stack.Of("AWS::ECS::Service") {
		if service.Properties["LaunchType"] == "EXTERNAL" {
			return true
		}
	}
	return false
}

func hasURL(t *testing.T, stack *cdktest.Stack) {
	if onOwnServers(stack) {
		assert.NotContains(t, stack.Template.Outputs, "Url")
		require.NotEmpty(t, stack.Template.Outputs)
		for id, output := range stack.Template.Outputs {
			assert.Regexp(t, `^(Run (on the server|where you deploy from)\b|The files need it: )`, output.Description, id)
			assert.NotEmpty(t, output.Value, id)
		}
		return
	}
	require.Contains(t, stack.Template.Outputs, "Url")
	assert.NotEmpty(t, stack.Template.Outputs["Url"].Value)
	assert.NotEmpty(t, stack.Template.Outputs["Url"].Description)
}

func hasTags(t *testing.T, stack *cdktest.Stack) {
	assert.Equal(t, stack.ID, stack.Tags["refdeploy:stack"])
	if takesTagsOnce(stack) {
		assert.Len(t, stack.Tags, 1, "a tag that varies with a setting replaces the service")
		return
	}
	assert.Contains(t, []string{"sandbox", "production"}, stack.Tags["refdeploy:profile"])
	assert.Contains(t, []string{"arm64", "x86_64"}, stack.Tags["refdeploy:architecture"])
}

// takesTagsOnce reports whether a stack has a service that CloudFormation
// replaces when its tags change (AWS documentation of each, read 2026-11-27).
func takesTagsOnce(stack *cdktest.Stack) bool {
	return len(stack.Of("AWS::AppRunner::Service"))+len(stack.Of("AWS::ECS::ExpressGatewayService")) > 0
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

// ECS refuses a capacity provider whose name begins with aws, ecs or fargate in
// any spelling. Without a name, CloudFormation begins it with the stack's
// (aws-cdk#36584).
func capacityNamesAreValid(t *testing.T, stack *cdktest.Stack) {
	for id, provider := range stack.Of("AWS::ECS::CapacityProvider") {
		joined, ok := provider.Properties["Name"].(object)["Fn::Join"].([]any)
		require.True(t, ok, "%s has no name that begins with a text of ours", id)
		begins, _ := joined[1].([]any)[0].(string)
		assert.NotEmpty(t, begins, id)
		assert.NotRegexp(t, `^(?i)(aws|ecs|fargate)`, begins, id)
		assert.Equal(t, object{"Ref": "AWS::StackName"}, joined[1].([]any)[1], "%s: two stacks would want the same name", id)
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
	for id, service := range stack.Of("AWS::ECS::Service") {
		balancers, _ := service.Properties["LoadBalancers"].([]any)
		assert.Equal(t, onOwnServers(stack), len(balancers) == 0, "%s: only your own servers have no load balancer", id)
		for _, lb := range balancers {
			assert.Contains(t, names, lb.(object)["ContainerName"])
		}
	}
}

func healthPathsAbsolute(t *testing.T, stack *cdktest.Stack) {
	for id, path := range healthPaths(stack) {
		assert.Regexp(t, "^/", path, id)
		if appOf(t, stack).hasBucket() && appOf(t, stack).port(t) == "8080" {
			assert.Equal(t, "/healthz", path, "%s: the sample app's", id)
		}
	}
}

// healthPaths returns what the platform asks the app, by logical id.
func healthPaths(stack *cdktest.Stack) map[string]any {
	paths := map[string]any{}
	for id, group := range stack.Of("AWS::ElasticLoadBalancingV2::TargetGroup") {
		paths[id] = group.Properties["HealthCheckPath"]
	}
	for id, service := range stack.Of("AWS::ECS::ExpressGatewayService") {
		paths[id] = service.Properties["HealthCheckPath"]
	}
	for id, service := range stack.Of("AWS::AppRunner::Service") {
		paths[id] = service.Properties["HealthCheckConfiguration"].(object)["Path"]
	}
	return paths
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
	if !appOf(t, stack).hasBucket() {
		assert.Empty(t, actions)
		return
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

func bucketsAreSafe(t *testing.T, stack *cdktest.Stack) {
	if appOf(t, stack).hasBucket() {
		require.NotEmpty(t, stack.Of("AWS::S3::Bucket"))
	}
	for id, bucket := range stack.Of("AWS::S3::Bucket") {
		assert.Equal(t, object{"ServerSideEncryptionConfiguration": []any{
			object{"ServerSideEncryptionByDefault": object{"SSEAlgorithm": "AES256"}},
		}}, bucket.Properties["BucketEncryption"], id)
		assert.Equal(t, object{
			"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
		}, bucket.Properties["PublicAccessBlockConfiguration"], id)
	}
}

// An app is what runs the app in a stack: the logical id of the resource that
// starts it, and the text of the one that holds its environment.
type app struct{ id, told string }

func appOf(t *testing.T, stack *cdktest.Stack) app {
	t.Helper()
	if clusterElsewhere(stack) {
		return app{told: text(text(appFiles(t, stack)))} // escaped as in a template's manifest
	}
	var found []app
	for id, r := range stack.Template.Resources {
		holder := r
		switch r.Type {
		case "AWS::ECS::Service":
			holder = stack.Template.Resources[target(r.Properties["TaskDefinition"])]
		case "AWS::ECS::ExpressGatewayService", "AWS::AppRunner::Service", "AWS::Lambda::Function", "Custom::AWSCDK-EKS-KubernetesResource":
		default:
			continue
		}
		told, err := json.Marshal(holder.Properties)
		require.NoError(t, err)
		if told := string(told); strings.Contains(told, "NOTES_BUCKET") || strings.Contains(strings.ReplaceAll(told, `\"`, `"`), `"PORT"`) {
			found = append(found, app{id, told})
		}
	}
	require.Len(t, found, 1, "what runs the app?")
	return found[0]
}

// hasBucket reports whether the app is told of a bucket.
func (a app) hasBucket() bool { return strings.Contains(a.told, "NOTES_BUCKET") }

// port returns where the app listens: where it is told to, or the sample app's.
func (a app) port(t *testing.T) string {
	if !strings.Contains(strings.ReplaceAll(a.told, `\"`, `"`), `"PORT"`) {
		return "8080"
	}
	return a.variable(t, "PORT")
}

// variable returns what the app's environment says, wherever the platform keeps
// it: {"Name":"X","Value":"…"}, the same in a manifest with escaped quotes, or
// {"X":"…"} on Lambda.
func (a app) variable(t *testing.T, name string) string {
	t.Helper()
	plain := strings.ReplaceAll(a.told, `\"`, `"`)
	match := regexp.MustCompile(`(?i)"name":"` + name + `"(?:,"value":"([^"]*)")?\}|"` + name + `":"([^"]*)"`).FindStringSubmatch(plain)
	require.NotNil(t, match, "the app is not told %s", name)
	return match[1] + match[2]
}

// A note that is written after the bucket was emptied keeps CloudFormation from
// deleting it.
func goneBeforeEmptied(t *testing.T, stack *cdktest.Stack) {
	if clusterElsewhere(stack) {
		assert.Contains(t, stack.Template.Outputs["StopWriting"].Description, "before cdk destroy") // nothing else can order it
		return
	}
	for emptier := range stack.Of("Custom::S3AutoDeleteObjects") {
		assert.Contains(t, stack.Needs(appOf(t, stack).id), emptier)
	}
}

// On the way to production the bucket's policy loses the grant to its emptier
// before CloudFormation deletes the emptier's resource, which asks for the
// bucket's tags once more (aws-cdk#37257).
func emptierCanGo(t *testing.T, stack *cdktest.Stack) {
	for id, emptier := range stack.Of("Custom::S3AutoDeleteObjects") {
		function := stack.Template.Resources[target(emptier.Properties["ServiceToken"])]
		role := stack.Template.Resources[target(function.Properties["Role"])]
		assert.Regexp(t, `"Action":"s3:GetBucketTagging","Effect":"Allow","Resource":\{"Fn::GetAtt":\["`+target(emptier.Properties["BucketName"])+`","Arn"\]\}`,
			text(role.Properties["Policies"]), id)
	}
}

// waysOut follows the routes of the subnets that a workload uses.
func waysOut(t *testing.T, stack *cdktest.Stack) {
	if onOwnServers(stack) {
		stack.Count(t, "AWS::EC2::VPC", 0) // their way out is yours
		return
	}
	for id, r := range stack.Template.Resources {
		switch r.Type {
		case "AWS::ECS::Service", "AWS::ECS::CapacityProvider", "AWS::AutoScaling::AutoScalingGroup", "AWS::EKS::Nodegroup", "AWS::EKS::FargateProfile":
		case "AWS::EKS::Cluster":
			if compute, _ := r.Properties["ComputeConfig"].(object); compute["Enabled"] != true {
				continue // only Auto Mode starts nodes with the cluster
			}
		default:
			continue
		}
		needs := stack.Needs(id)
		routes := 0
		for associationID, association := range stack.Of("AWS::EC2::SubnetRouteTableAssociation") {
			if !needs[target(association.Properties["SubnetId"])] {
				continue
			}
			for routeID, route := range stack.Of("AWS::EC2::Route") {
				if target(route.Properties["RouteTableId"]) != target(association.Properties["RouteTableId"]) {
					continue
				}
				routes++
				assert.Contains(t, needs, associationID, "%s starts without it", id)
				assert.Contains(t, needs, routeID, "%s starts without it", id)
				for gateway := range stack.Of("AWS::EC2::VPCGatewayAttachment") {
					assert.Contains(t, needs, gateway, "%s starts without it", id)
				}
			}
		}
		assert.NotZero(t, routes, "%s has no route out", id)
	}
}

// Lambda sets AWS_REGION itself and refuses it as a setting.
func regionIsTold(t *testing.T, stack *cdktest.Stack) {
	if app := appOf(t, stack); stack.Template.Resources[app.id].Type != "AWS::Lambda::Function" {
		assert.Contains(t, app.told, "AWS_REGION")
	}
}

// Pods have none either: their namespace is restricted. A log router keeps its
// own: it is root, and opens sockets for the app.
func noCapabilities(t *testing.T, stack *cdktest.Stack) {
	for id, task := range stack.Of("AWS::ECS::TaskDefinition") {
		for _, c := range task.Properties["ContainerDefinitions"].([]any) {
			if c.(object)["Name"] != "App" {
				continue
			}
			parameters, _ := c.(object)["LinuxParameters"].(object)
			assert.Equal(t, object{"Drop": []any{"ALL"}}, parameters["Capabilities"], id)
			assert.NotContains(t, c, "Privileged", id) // it would have them all
		}
	}
}

// A number in the template would reset what the autoscaler has decided, on every
// deploy that changes the service (containers-roadmap#493).
func noDesiredCount(t *testing.T, stack *cdktest.Stack) {
	for id, service := range stack.Of("AWS::ECS::Service") {
		assert.NotContains(t, service.Properties, "DesiredCount", id)
		if service.Properties["SchedulingStrategy"] == "DAEMON" {
			continue // one on each server
		}
		assert.NotEmpty(t, stack.Of("AWS::ApplicationAutoScaling::ScalableTarget"), "nothing sets the number of %s", id)
	}
	for id, group := range stack.Of("AWS::AutoScaling::AutoScalingGroup") {
		assert.NotContains(t, group.Properties, "DesiredCapacity", id)
	}
}

func logsAreOwn(t *testing.T, stack *cdktest.Stack) {
	for id, policy := range stack.Of("AWS::IAM::Policy") {
		for _, s := range policy.Properties["PolicyDocument"].(object)["Statement"].([]any) {
			statement := s.(object)
			if statement["Effect"] != "Allow" || statement["Resource"] != "*" {
				continue
			}
			for _, action := range list(statement["Action"]) {
				assert.False(t, strings.HasPrefix(action, "logs:"), "%s allows %s on *", id, action)
			}
		}
	}
}

func instancesAreTagged(t *testing.T, stack *cdktest.Stack) {
	for id, template := range stack.Of("AWS::EC2::LaunchTemplate") {
		var tagged []string
		specifications, _ := template.Properties["LaunchTemplateData"].(object)["TagSpecifications"].([]any)
		for _, s := range specifications {
			specification := s.(object)
			for key, value := range stack.Tags {
				assert.Contains(t, specification["Tags"], object{"Key": key, "Value": value}, id)
			}
			tagged = append(tagged, specification["ResourceType"].(string))
		}
		assert.ElementsMatch(t, []string{"instance", "volume"}, tagged, id)
	}
	for id, provider := range stack.Of("AWS::ECS::CapacityProvider") {
		if managed, ok := provider.Properties["ManagedInstancesProvider"].(object); ok {
			assert.Equal(t, "CAPACITY_PROVIDER", managed["PropagateTags"], "instances of %s", id)
		}
	}
	for id, service := range stack.Of("AWS::ECS::Service") {
		assert.Equal(t, "SERVICE", service.Properties["PropagateTags"], "tasks of %s", id)
	}
}

func notesExpire(t *testing.T, stack *cdktest.Stack) {
	if !appOf(t, stack).hasBucket() {
		return // nor notes
	}
	bucket := notesOf(t, stack)
	assert.Equal(t, object{"Rules": []any{
		object{"AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": 1.0}, "ExpirationInDays": 1.0, "Status": "Enabled"},
	}}, bucket.Properties["LifecycleConfiguration"])
	assert.NotContains(t, bucket.Properties, "VersioningConfiguration")
	assert.Equal(t, "24h", appOf(t, stack).variable(t, "NOTES_TTL"))
}

// notesOf returns the bucket that the app is told.
func notesOf(t *testing.T, stack *cdktest.Stack) assembly.Resource {
	t.Helper()
	var found []assembly.Resource
	for id, r := range stack.Of("AWS::S3::Bucket") {
		if strings.Contains(appOf(t, stack).told, id) {
			found = append(found, r)
		}
	}
	require.Len(t, found, 1, "which bucket has the notes?")
	return found[0]
}

func notesStay(t *testing.T, stack *cdktest.Stack) {
	if !appOf(t, stack).hasBucket() {
		return // nor notes
	}
	bucket := notesOf(t, stack)
	assert.Equal(t, object{"Status": "Enabled"}, bucket.Properties["VersioningConfiguration"])
	assert.Equal(t, object{"Rules": []any{object{
		"AbortIncompleteMultipartUpload": object{"DaysAfterInitiation": 1.0},
		"ExpiredObjectDeleteMarker":      true,
		"NoncurrentVersionExpiration":    object{"NoncurrentDays": 90.0},
		"Status":                         "Enabled",
	}}}, bucket.Properties["LifecycleConfiguration"])
	assert.Equal(t, "Retain", bucket.DeletionPolicy)
	assert.Equal(t, "", appOf(t, stack).variable(t, "NOTES_TTL"))
}

func noAlarms(t *testing.T, stack *cdktest.Stack) {
	stack.Count(t, "AWS::CloudWatch::Alarm", 0)
	stack.Count(t, "AWS::SNS::Topic", 0)
}

func alarmsTell(t *testing.T, stack *cdktest.Stack) {
	if clusterElsewhere(stack) {
		noAlarms(t, stack) // nothing of the app is there to watch
		return
	}
	require.NotEmpty(t, stack.Of("AWS::CloudWatch::Alarm"))
	stack.Count(t, "AWS::SNS::Topic", 1)
	for topic := range stack.Of("AWS::SNS::Topic") {
		for id, alarm := range stack.Of("AWS::CloudWatch::Alarm") {
			assert.Equal(t, []any{object{"Ref": topic}}, alarm.Properties["AlarmActions"], id)
			assert.Equal(t, []any{object{"Ref": topic}}, alarm.Properties["OKActions"], id)
			assert.NotEmpty(t, alarm.Properties["AlarmDescription"], id)
		}
	}
	// With a policy of its own, a topic takes messages only from whom it names.
	assert.Regexp(t, `Action:sns:Publish [^{]*Effect:Allow Principal:map\[Service:cloudwatch.amazonaws.com\]`,
		fmt.Sprint(stack.Only(t, "AWS::SNS::TopicPolicy").Properties))
	if len(stack.Of("AWS::ElasticLoadBalancingV2::TargetGroup")) > 0 {
		for _, metric := range []string{"HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count", "HealthyHostCount"} {
			stack.Has(t, "AWS::CloudWatch::Alarm", object{"MetricName": metric, "Namespace": "AWS/ApplicationELB"})
		}
	}
}

func accessLogsAreKept(t *testing.T, stack *cdktest.Stack) {
	for id, lb := range stack.Of("AWS::ElasticLoadBalancingV2::LoadBalancer") {
		attributes := map[any]any{}
		for _, a := range lb.Properties["LoadBalancerAttributes"].([]any) {
			attributes[a.(object)["Key"]] = a.(object)["Value"]
		}
		assert.Equal(t, "true", attributes["access_logs.s3.enabled"], id)
		bucket := target(attributes["access_logs.s3.bucket"])
		assert.Equal(t, "Retain", stack.Template.Resources[bucket].DeletionPolicy)
		for policyID, policy := range stack.Of("AWS::S3::BucketPolicy") {
			if target(policy.Properties["Bucket"]) == bucket {
				assert.Contains(t, fmt.Sprint(policy.Properties), "logdelivery.elasticloadbalancing.amazonaws.com")
				assert.Contains(t, stack.Needs(id), policyID, "the load balancer tries to write when it is created")
			}
		}
	}
}

func nothingRetained(t *testing.T, stack *cdktest.Stack) {
	stateful := []string{"AWS::S3::Bucket", "AWS::Logs::LogGroup"}
	for id, r := range stack.Template.Resources {
		assert.NotContains(t, []string{"Retain", "RetainExceptOnCreate", "Snapshot"}, r.DeletionPolicy, id)
		if slices.Contains(stateful, r.Type) {
			assert.Equal(t, "Delete", r.DeletionPolicy, id)
		}
	}
	stack.Count(t, "Custom::S3AutoDeleteObjects", len(stack.Of("AWS::S3::Bucket")))
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
		group, ok := provider.Properties["AutoScalingGroupProvider"].(object)
		if !ok {
			assert.Contains(t, provider.Properties, "ManagedInstancesProvider", "%s: instances that ECS starts have no such protection", id)
			continue
		}
		assert.Equal(t, "DISABLED", group["ManagedTerminationProtection"], id)
	}
	for id, cluster := range stack.Of("AWS::EKS::Cluster") {
		assert.NotEqual(t, true, cluster.Properties["DeletionProtection"], id)
	}
}

// functionsHaveLogGroups looks at roles too: Lambda makes the group of a late
// line with the function's role, after the destroy has removed it.
func functionsHaveLogGroups(t *testing.T, stack *cdktest.Stack) {
	groups := stack.Of("AWS::Logs::LogGroup")
	for id, function := range stack.Of("AWS::Lambda::Function") {
		logging, _ := function.Properties["LoggingConfig"].(object)
		assert.Contains(t, groups, target(logging["LogGroup"]), id)

		role := target(function.Properties["Role"])
		statements := fmt.Sprint(stack.Template.Resources[role].Properties["Policies"])
		for policyID, policy := range stack.Of("AWS::IAM::Policy") {
			if slices.ContainsFunc(policy.Properties["Roles"].([]any), func(r any) bool { return target(r) == role }) {
				assert.Contains(t, stack.Needs(id), policyID, "%s would outlive its policy", id)
				statements += fmt.Sprint(policy.Properties)
			}
		}
		if strings.Contains(fmt.Sprint(stack.Template.Resources[role].Properties["ManagedPolicyArns"]), "AWSLambdaBasicExecutionRole") {
			assert.Regexp(t, `Action:(\[?)logs:CreateLogGroup[^{]* Effect:Deny`, statements, "%s may make log groups", id)
		} else {
			assert.NotContains(t, statements, "logs:CreateLogGroup", id)
		}
	}
}

func logGroupsHaveWriters(t *testing.T, stack *cdktest.Stack) {
	for group := range stack.Of("AWS::Logs::LogGroup") {
		written := false
		for id, r := range stack.Template.Resources {
			writer := r.Type != "AWS::IAM::Policy" && r.Type != "AWS::IAM::Role"
			written = written || writer && id != group && strings.Contains(fmt.Sprint(r.Properties), "map[Ref:"+group+"]")
		}
		assert.True(t, written, "nobody writes to %s", group)
	}
}

func noNAT(t *testing.T, stack *cdktest.Stack) {
	needed := len(stack.Of("AWS::EKS::FargateProfile")) // its pods may stand in private subnets only
	if stack.ID == settings.NetworkID {
		needed = 1 // for them
	}
	stack.Count(t, "AWS::EC2::NatGateway", needed)
}

// architectures is how each place of a template spells an architecture.
var architectures = map[settings.Architecture]struct {
	function, task, image, ami, node, instances, managed, goarch string
}{
	settings.ARM64:  {"arm64", "ARM64", "linux/arm64", "arm64", "AL2023_ARM_64_STANDARD", "t4g.", "m7g.medium", "arm64"},
	settings.X86_64: {"x86_64", "X86_64", "linux/amd64", "amazon-linux-2023/recommended", "AL2023_x86_64_STANDARD", "t3.", "c6a.large", "amd64"},
}

// onlyX86 reports whether the catalog says that a deployment has no other
// architecture.
func onlyX86(id string) bool {
	return slices.ContainsFunc(catalog.All(), func(d catalog.Deployment) bool {
		return d.ID == id && d.Limits.Architectures == string(settings.X86_64)
	})
}

func TestArchitectureAgreesEverywhere(t *testing.T) {
	for architecture, want := range architectures {
		for id, stack := range synth(t, "architecture", string(architecture)) {
			t.Run(fmt.Sprintf("%s on %s", id, architecture), func(t *testing.T) {
				want := want
				if onlyX86(id) {
					want = architectures[settings.X86_64]
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
						assert.Equal(t, "bridge", task.Properties["NetworkMode"], "%s: only EC2 and your own servers take the machine's architecture", id)
					}
				}
				for id, template := range stack.Of("AWS::EC2::LaunchTemplate") {
					assert.True(t, strings.HasPrefix(template.Properties["LaunchTemplateData"].(object)["InstanceType"].(string), want.instances), id)
				}
				for id, provider := range stack.Of("AWS::ECS::CapacityProvider") {
					if managed, ok := provider.Properties["ManagedInstancesProvider"].(object); ok {
						requirements := managed["InstanceLaunchTemplate"].(object)["InstanceRequirements"].(object)
						assert.Equal(t, []any{want.managed}, requirements["AllowedInstanceTypes"], id)
					}
				}
				for id, nodes := range stack.Of("AWS::EKS::Nodegroup") {
					assert.Equal(t, want.node, nodes.Properties["AmiType"], id)
				}
				objects := manifests(t, stack)
				if deployment, ok := objects["Deployment"]; ok {
					assert.Contains(t, text(deployment), `"nodeSelector":{"kubernetes.io/arch":"`+want.goarch+`"}`)
				}
				if pool, ok := objects["NodePool"]; ok {
					assert.Contains(t, text(pool), `{"key":"kubernetes.io/arch","operator":"In","values":["`+want.goarch+`"]}`)
				}
				for id, cluster := range stack.Of("AWS::EKS::Cluster") {
					compute, _ := cluster.Properties["ComputeConfig"].(object)
					if pools, _ := compute["NodePools"].([]any); slices.Contains(pools, any("general-purpose")) {
						assert.Equal(t, "amd64", want.goarch, "%s: the built-in pool has no others", id)
					}
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
		for _, stack := range nagged(t, "profile", string(profile)) {
			t.Run(fmt.Sprintf("%s in %s", *stack.StackName(), profile), func(t *testing.T) { checkNag(t, stack) })
		}
		// What stands in the shared network is as in one of its own, and the network
		// the same whatever stands in it.
		for _, stack := range nagged(t, "profile", string(profile), "network", "shared", "stacks", "EcsFargate") {
			if *stack.StackName() == settings.NetworkID {
				t.Run(fmt.Sprintf("%s in %s", settings.NetworkID, profile), func(t *testing.T) { checkNag(t, stack) })
			}
		}
	}
}

// The settings of an own app that reach a template add nothing to be explained.
func TestNagOfAnAppThatIsNotOurs(t *testing.T) {
	for _, stack := range nagged(t, append(apps.Named("python").KeyValues(), "profile", "production")...) {
		t.Run(*stack.StackName(), func(t *testing.T) { checkNag(t, stack) })
	}
}

// nagged returns the stacks of an app over which cdk-nag runs.
func nagged(t *testing.T, keyValues ...string) (all []awscdk.Stack) {
	t.Helper()
	app, chosen := newApp(t, keyValues...)
	awscdk.Aspects_Of(app).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{Reports: jsii.Bool(false)}), nil)
	for _, d := range catalog.Selected(chosen) {
		stacks.New(app, d.ID, &stacks.Props{Settings: chosen})
	}
	for _, child := range *app.Node().Children() {
		if stack, ok := child.(awscdk.Stack); ok {
			all = append(all, stack)
		}
	}
	return all
}

func checkNag(t *testing.T, stack awscdk.Stack) {
	found := assertions.Annotations_FromStack(stack)
	anything := assertions.Match_AnyValue()
	messages := append(*found.FindError(jsii.String("*"), anything), *found.FindWarning(jsii.String("*"), anything)...)
	for _, message := range messages {
		if !strings.Contains(fmt.Sprint(message.Entry.Data), "[ack: refdeploy:") { // ours, which settings end
			assert.Fail(t, *message.Id, "%v", message.Entry.Data)
		}
	}
}

// accepted are all findings that a stack accepts, and why. Each reason was checked
// against what the template says; a new one is added here, after the same check.
var accepted = map[string][]string{
	"AwsSolutions-AS3": {
		"Scaling needs no person's attention; what fails rings an alarm of the load balancer in production.",
	},
	"AwsSolutions-CFR1": {
		"AWS's security token service reads the keys, from wherever it runs.",
	},
	"AwsSolutions-CFR2": {
		"Two public files need no firewall.",
	},
	"AwsSolutions-CFR3": {
		"It holds public keys; who reads them tells nothing.",
	},
	"AwsSolutions-CFR4": {
		"CloudFront's own certificate comes with its own choice of TLS versions; the files are public.",
	},
	"AwsSolutions-EC23": {
		"The load balancer is the public door; the allowCidr setting narrows it.",
	},
	"AwsSolutions-ECS2": {
		"The environment holds a region, a bucket's name and how long notes live, and no secret.",
	},
	"AwsSolutions-ECS4": {
		"Container Insights bills per metric; the production profile turns it on.",
	},
	"AwsSolutions-EKS1": {
		"The API needs credentials; without a public endpoint kubectl works only from inside the VPC.",
	},
	"AwsSolutions-ELB2": {
		"The app logs each request with its id. A sandbox keeps no access logs beside them; the production profile does.",
	},
	"AwsSolutions-IAM4": {
		"AWS keeps these managed policies in line with what it needs to run the instances.",
		"AWS keeps these managed policies in line with what the control plane, the nodes and the kubectl functions need.",
		"AWS keeps this managed policy in line with what CodeDeploy needs to move an alias.",
		"AWS keeps this managed policy in line with what Express Mode creates.",
		"AWS keeps this managed policy in line with what the Session Manager agent needs.",
	},
	"AwsSolutions-IAM5": {
		"Describing target groups, security groups and VPCs has no resource level; registering pods is bound to the stack's own target group.",
		"Getting an ECR login token has no resource level.",
		"The CDK's provider framework invokes every version of its one kubectl function.",
		"The agent polls for the tasks of its own cluster, which a condition says; asking where to poll has no resource level, and Submit* is bound to the cluster.",
		"The app names its own notes, so the grant covers every key of its own bucket.",
	},
	"AwsSolutions-L1": {
		"The CDK chooses the runtime of the functions that it brings.",
	},
	"AwsSolutions-S1": {
		"A log of who reads the access logs would need a log bucket in turn.",
		"It holds public keys; who reads them tells nothing.",
		"The app alone reads and writes here, and logs each request with its id; S3's own access log would cost more than it adds.",
	},
	"AwsSolutions-VPC7": {
		"A sandbox keeps no record of its connections; the production profile does.",
	},
}

func TestAcceptedFindingsAreTheseAndNoOthers(t *testing.T) {
	found := map[string][]string{}
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		all := maps.Clone(synth(t, "profile", string(profile)))
		all[settings.NetworkID] = synth(t, "network", "shared", "profile", string(profile))[settings.NetworkID]
		for _, stack := range all {
			for _, r := range stack.Template.Resources {
				for _, s := range r.Suppressions() {
					if !slices.Contains(found[s.Rule], s.Reason) {
						found[s.Rule] = append(found[s.Rule], s.Reason)
						slices.Sort(found[s.Rule])
					}
				}
			}
		}
	}
	assert.Equal(t, accepted, found)
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
