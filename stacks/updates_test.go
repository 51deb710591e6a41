package stacks_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
)

const (
	certificate = "arn:aws:acm:us-east-1:111111111111:certificate/0123"
	connection  = "arn:aws:apprunner:us-east-1:111111111111:connection/mine/0123456789abcdef"
)

// updates are what a user may change on a stack that is deployed.
var updates = map[string][]string{
	"to HTTPS":             {"certificateArn", certificate},
	"to fewer callers":     {"allowCidr", "203.0.113.0/24"},
	"to x86_64":            {"architecture", "x86_64"},
	"to an image":          {"image", "public.ecr.aws/nginx/nginx:1.29"},
	"to a private image":   {"image", "111111111111.dkr.ecr.us-east-1.amazonaws.com/mine:1"},
	"to production":        {"profile", "production"},
	"to production, whole": {"profile", "production", "certificateArn", certificate, "alarmEmail", "on-call@example.com"},
	"to GitHub":            {"appRunnerConnectionArn", connection, "appRunnerRepository", "https://github.com/example/refdeploy"},
}

// A safe update is one that CloudFormation can make in either direction: it
// creates and changes first, and deletes at the end.
var safe = []struct {
	name  string
	check func(t *testing.T, before, after *cdktest.Stack)
}{
	{"no id changes what it is", sameTypes},
	{"a listener keeps its port, and a port its listener", sameListeners},
	{"what AWS sets once stays as it was set", sameOnce},
	{"the notes stay where they are", sameNotes},
}

func TestUpdatesAreSafe(t *testing.T) {
	before := synth(t, "profile", "sandbox")
	for _, name := range slices.Sorted(maps.Keys(updates)) {
		after := synth(t, updates[name]...)
		for id := range before {
			for _, s := range safe {
				t.Run(fmt.Sprintf("%s %s/%s", id, name, s.name), func(t *testing.T) { s.check(t, before[id], after[id]) })
			}
		}
	}
}

// shared calls f with each resource of a type that both templates have.
func shared(before, after *cdktest.Stack, resource string, f func(id string, was, is object)) {
	for id, was := range before.Of(resource) {
		if is, ok := after.Of(resource)[id]; ok {
			f(id, was.Properties, is.Properties)
		}
	}
}

func sameTypes(t *testing.T, before, after *cdktest.Stack) {
	for id, was := range before.Template.Resources {
		if is, ok := after.Template.Resources[id]; ok {
			assert.Equal(t, was.Type, is.Type, id)
		}
	}
}

// A load balancer has one listener a port. CloudFormation would give the port to
// a new one while the old one is still there.
func sameListeners(t *testing.T, before, after *cdktest.Stack) {
	ports := map[any]string{}
	for _, stack := range []*cdktest.Stack{before, after} {
		for id, listener := range stack.Of("AWS::ElasticLoadBalancingV2::Listener") {
			port := listener.Properties["Port"]
			if other, taken := ports[port]; taken {
				assert.Equal(t, other, id, "both have port %v", port)
			}
			ports[port] = id
		}
	}
	shared(before, after, "AWS::ElasticLoadBalancingV2::Listener", func(id string, was, is object) {
		assert.Equal(t, was["Port"], is["Port"], id)
	})
}

// once are the properties that no update can change: CloudFormation replaces the
// resource, and with it the address or the targets that others know, or the
// service refuses (AWS documentation of each type, read 2026-11-25).
var once = map[string][]string{
	"AWS::ElasticLoadBalancingV2::TargetGroup":  {"Port", "Protocol", "TargetType", "VpcId"},
	"AWS::ElasticLoadBalancingV2::LoadBalancer": {"Scheme", "Type"},
	"AWS::ECS::Service":                         {"LaunchType", "SchedulingStrategy", "Cluster"},
	"AWS::ECS::ExpressGatewayService":           {"Cluster", "InfrastructureRoleArn", "ServiceName"},
	"AWS::ECS::CapacityProvider":                {"ClusterName", "Name"},
	"AWS::Lambda::Url":                          {"Qualifier", "TargetFunctionArn"},
	"AWS::EKS::Cluster":                         {"BootstrapSelfManagedAddons"},
	"AWS::EC2::Subnet":                          {"CidrBlock", "AvailabilityZone", "VpcId"},
	"AWS::EC2::VPC":                             {"CidrBlock"},
}

func sameOnce(t *testing.T, before, after *cdktest.Stack) {
	for resource, properties := range once {
		shared(before, after, resource, func(id string, was, is object) {
			for _, property := range properties {
				assert.Equal(t, was[property], is[property], "%s of %s", property, id)
			}
		})
	}
	if takesTagsOnce(before) {
		assert.Equal(t, before.Tags, after.Tags)
	}
	// App Runner takes one kind of source.
	shared(before, after, "AWS::AppRunner::Service", func(id string, was, is object) {
		kind := func(service object) []string {
			kinds := slices.Collect(maps.Keys(service["SourceConfiguration"].(object)))
			return slices.DeleteFunc(kinds, func(k string) bool { return !strings.HasSuffix(k, "Repository") })
		}
		assert.Equal(t, kind(was), kind(is), id)
	})
}

func sameNotes(t *testing.T, before, after *cdktest.Stack) {
	if len(after.Template.Resources) == 0 {
		return // refused, with an error
	}
	was := before.Of("AWS::S3::Bucket")
	var told []string
	for id := range was {
		assert.Contains(t, after.Of("AWS::S3::Bucket"), id)
		if strings.Contains(appOf(t, after).told, id) {
			told = append(told, id)
		}
	}
	assert.Len(t, told, 1, "where are the notes?")
}
