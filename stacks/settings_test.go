package stacks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/stacks"
)

// withLoadBalancer are the deployments that allowCidr and certificateArn reach.
var withLoadBalancer = []string{"EcsEc2", "EcsFargate", "EcsManagedInstances", "EksEc2", "EksAuto", "EksFargate"}

func TestCertificateTurnsLoadBalancersToHTTPS(t *testing.T) {
	all := synth(t, "certificateArn", certificate)
	for _, id := range withLoadBalancer {
		t.Run(id, func(t *testing.T) {
			stack := all[id]
			stack.Has(t, "AWS::ElasticLoadBalancingV2::Listener", object{
				"Port": 443, "Protocol": "HTTPS", "Certificates": []any{object{"CertificateArn": certificate}},
			})
			stack.Has(t, "AWS::ElasticLoadBalancingV2::Listener", object{
				"Port": 80, "DefaultActions": []any{object{"Type": "redirect", "RedirectConfig": object{"Port": "443", "Protocol": "HTTPS", "StatusCode": "HTTP_302"}}},
			})
			stack.Has(t, "AWS::EC2::SecurityGroup", object{"SecurityGroupIngress": []any{
				object{"CidrIp": "0.0.0.0/0", "FromPort": 80}, object{"CidrIp": "0.0.0.0/0", "FromPort": 443},
			}})
			assert.Contains(t, fmt.Sprint(stack.Template.Outputs["Url"].Value), "https://")
		})
	}
}

func TestHTTPSIsThereBeforeCallersAreSentToIt(t *testing.T) {
	all := synth(t, "certificateArn", certificate)
	for _, id := range withLoadBalancer {
		t.Run(id, func(t *testing.T) {
			listeners := map[float64]string{}
			for listener, r := range all[id].Of("AWS::ElasticLoadBalancingV2::Listener") {
				listeners[r.Properties["Port"].(float64)] = listener
			}
			assert.Contains(t, all[id].Needs(listeners[80]), listeners[443])
		})
	}
}

// A warning says what is open and which setting mends it.
func TestProductionWarnsOfWhatIsLeftOpen(t *testing.T) {
	const (
		open, plain, untold = "everyone on the internet may connect", "set certificateArn", "set alarmEmail"
		plainThere          = "requests to your servers travel unencrypted"
	)
	tests := []struct {
		name      string
		keyValues []string
		with      []string // warnings of deployments with a load balancer
		own       []string // of those on your own servers
		without   []string // and of the others
	}{
		{"a sandbox warns of nothing", []string{"profile", "sandbox"}, nil, nil, nil},
		{"production as it is", []string{"profile", "production"}, []string{open, plain, untold}, []string{plainThere, untold}, []string{open, untold}},
		{
			"production with all settings",
			[]string{"profile", "production", "certificateArn", certificate, "allowCidr", "203.0.113.0/24", "alarmEmail", "on-call@example.com"},
			nil, []string{plainThere, "does not reach your servers"}, []string{"narrows load balancers of the templates only"},
		},
	}
	for _, tt := range tests {
		for id, stack := range synth(t, tt.keyValues...) {
			t.Run(id+": "+tt.name, func(t *testing.T) {
				want := tt.without
				if slices.Contains(withLoadBalancer, id) {
					want = tt.with
				} else if onOwnServers(stack) {
					want = tt.own
				}
				if clusterElsewhere(stack) { // no alarm, and nobody to tell
					want = slices.DeleteFunc(slices.Clone(want), func(warning string) bool { return warning == untold })
				}
				require.Len(t, stack.Warnings(), len(want), stack.Warnings())
				for _, warning := range want {
					assert.Contains(t, strings.Join(stack.Warnings(), "\n"), warning)
				}
			})
		}
	}
}

// The reference tells a user to acknowledge a warning that is meant.
func TestAnAcknowledgedWarningIsNotPrinted(t *testing.T) {
	app, chosen := newApp(t, "profile", "production", "alarmEmail", "on-call@example.com")
	stack := stacks.NewLambda(app, "Lambda", &stacks.Props{Settings: chosen})
	awscdk.Annotations_Of(stack).AcknowledgeWarning(jsii.String("refdeploy:allowCidr"), jsii.String("the app has a login"))
	assert.Empty(t, cdktest.SynthStack(t, stack).Warnings())
}

func TestAlarmEmailIsToldInProductionOnly(t *testing.T) {
	const email = "on-call@example.com"
	for id, stack := range synth(t, "alarmEmail", email) {
		stack.Count(t, "AWS::SNS::Subscription", 0)
		assert.Empty(t, stack.Warnings(), id)
	}
	for id, stack := range synth(t, updates["to production, whole"]...) {
		if clusterElsewhere(stack) {
			continue // no alarm
		}
		t.Run(id, func(t *testing.T) {
			stack.Count(t, "AWS::SNS::Subscription", 1)
			stack.Has(t, "AWS::SNS::Subscription", object{"Protocol": "email", "Endpoint": email})
		})
	}
}

func TestAllowCIDRNarrowsLoadBalancersAndSaysWhereItCannot(t *testing.T) {
	all := synth(t, "allowCidr", "203.0.113.0/24")
	for _, id := range withLoadBalancer {
		t.Run(id, func(t *testing.T) {
			assert.NotContains(t, ingressOf(all[id]), "0.0.0.0/0")
			assert.Contains(t, ingressOf(all[id]), "203.0.113.0/24")
		})
	}
	for _, id := range []string{"EcsExpress", "Lambda", "AppRunner"} {
		t.Run(id, func(t *testing.T) {
			assert.Contains(t, strings.Join(all[id].Warnings(), "\n"), "stays open to the internet")
		})
	}
}

// ingressOf returns the ingress rules of a stack's load balancers as text.
func ingressOf(stack *cdktest.Stack) string {
	var all strings.Builder
	for _, id := range loadBalancerGroups(stack) {
		fmt.Fprint(&all, stack.Template.Resources[id].Properties["SecurityGroupIngress"])
	}
	return all.String()
}

func TestImageReplacesTheBuild(t *testing.T) {
	tests := []struct {
		name, image, pull string
	}{
		{"a public image needs no permission", "public.ecr.aws/nginx/nginx:1.29", ""},
		{"a private image comes with the right to pull it", "111111111111.dkr.ecr.us-east-1.amazonaws.com/mine:1", "ecr:BatchGetImage"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for id, stack := range synth(t, "image", tt.image) {
				assert.Empty(t, stack.ImagePlatforms, id)
				// Lambda runs app/; EKS's nodes may pull from every repository; yours log in.
				if id == "Lambda" || onKubernetes[id] != "" || clusterElsewhere(stack) {
					continue
				}
				policies := fmt.Sprint(stack.Of("AWS::IAM::Policy"))
				assert.Equal(t, tt.pull != "", strings.Contains(policies, "ecr:BatchGetImage"), id)
			}
		})
	}
}

// What describes the image would describe the sample app, which Lambda runs in its
// place.
func TestLambdaRefusesAnImageThatIsDescribed(t *testing.T) {
	for id, stack := range synth(t, "image", "public.ecr.aws/nginx/nginx:1.29", "port", "80", "healthPath", "/", "stacks", "Lambda,EcsFargate") {
		if id == "EcsFargate" {
			assert.Empty(t, stack.Annotations)
			assert.Equal(t, "80", appOf(t, stack).variable(t, "PORT"))
			stack.Has(t, "AWS::ElasticLoadBalancingV2::TargetGroup", object{"Port": 80, "HealthCheckPath": "/"})
			continue
		}
		require.Len(t, stack.Annotations, 1)
		assert.Equal(t, "error", stack.Annotations[0].Level)
		assert.Contains(t, stack.Annotations[0].Says, "Lambda runs the sample app in its place, which takes no port")
	}
}

func TestStacksBuildsOnlyWhatItNames(t *testing.T) {
	all := synth(t, "stacks", "Lambda,EcsFargate")
	assert.Len(t, all, 2)
	assert.Contains(t, all, "Lambda")
	assert.Contains(t, all, "EcsFargate")
}
