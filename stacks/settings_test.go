package stacks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
)

// withLoadBalancer are the deployments that allowCidr and certificateArn reach.
var withLoadBalancer = []string{"EcsEc2", "EcsFargate", "EksEc2"}

func TestCertificateTurnsLoadBalancersToHTTPS(t *testing.T) {
	const certificate = "arn:aws:acm:us-east-1:111111111111:certificate/0123"
	all := synth(t, "certificateArn", certificate)
	for _, id := range withLoadBalancer {
		t.Run(id, func(t *testing.T) {
			stack := all[id]
			stack.Has(t, "AWS::ElasticLoadBalancingV2::Listener", object{
				"Port": 443, "Protocol": "HTTPS", "Certificates": []any{object{"CertificateArn": certificate}},
			})
			stack.Has(t, "AWS::ElasticLoadBalancingV2::Listener", object{
				"Port": 80, "DefaultActions": []any{object{"Type": "redirect", "RedirectConfig": object{"Port": "443", "Protocol": "HTTPS"}}},
			})
			stack.Has(t, "AWS::EC2::SecurityGroup", object{"SecurityGroupIngress": []any{
				object{"CidrIp": "0.0.0.0/0", "FromPort": 80}, object{"CidrIp": "0.0.0.0/0", "FromPort": 443},
			}})
			assert.Contains(t, fmt.Sprint(stack.Template.Outputs["Url"].Value), "https://")
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
	for _, id := range []string{"Lambda", "AppRunner"} {
		t.Run(id, func(t *testing.T) {
			assert.Contains(t, strings.Join(all[id].Warnings, "\n"), "stays open to the internet")
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
				if id == "Lambda" || id == "EksEc2" { // Lambda runs app/; EKS nodes may pull from every repository
					continue
				}
				policies := fmt.Sprint(stack.Of("AWS::IAM::Policy"))
				assert.Equal(t, tt.pull != "", strings.Contains(policies, "ecr:BatchGetImage"), id)
			}
		})
	}
}

func TestStacksBuildsOnlyWhatItNames(t *testing.T) {
	all := synth(t, "stacks", "Lambda,EcsFargate")
	assert.Len(t, all, 2)
	assert.Contains(t, all, "Lambda")
	assert.Contains(t, all, "EcsFargate")
}
