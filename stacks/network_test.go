package stacks_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/constructs/cdktest"
	"refdeploy/internal/assembly"
	"refdeploy/internal/settings"
)

var profiles = []settings.Profile{settings.Sandbox, settings.Production}

func TestSharedNetworkInASandbox(t *testing.T) {
	stack := synth(t, "network", "shared")[settings.NetworkID]
	check(t, stack, []claim{
		{
			name:     "what stands in it may have a public address",
			resource: "AWS::EC2::Subnet",
			props:    object{"MapPublicIpOnLaunch": true},
		},
		{
			name:     "traffic to S3 takes a free way",
			resource: "AWS::EC2::VPCEndpoint",
			props:    object{"VpcEndpointType": "Gateway"},
		},
	})
	stack.Golden(t, "testdata/Network.sandbox.golden.json")
}

func TestSharedNetworkInProduction(t *testing.T) {
	stack := synth(t, "network", "shared", "profile", "production")[settings.NetworkID]
	assert.True(t, stack.TerminationProtection)
	stack.Count(t, "AWS::EC2::NatGateway", 2)
	check(t, stack, inProduction[1:]) // what they say of load balancers is the deployments' own
	stack.Golden(t, "testdata/Network.production.golden.json")
}

// withNetwork returns the ids of the deployments that need a VPC.
func withNetwork(t *testing.T) []string {
	var ids []string
	for id, stack := range synth(t, "profile", "sandbox") {
		if len(stack.Of("AWS::EC2::VPC")) > 0 {
			ids = append(ids, id)
		}
	}
	require.NotEmpty(t, ids)
	slices.Sort(ids)
	return ids
}

// ofNetworks are the types that only a network consists of.
var ofNetworks = []string{
	"AWS::EC2::VPC", "AWS::EC2::Subnet", "AWS::EC2::RouteTable", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::Route",
	"AWS::EC2::InternetGateway", "AWS::EC2::VPCGatewayAttachment", "AWS::EC2::VPCEndpoint", "AWS::EC2::NatGateway",
	"AWS::EC2::EIP", "AWS::EC2::FlowLog", "Custom::VpcRestrictDefaultSG",
}

func TestSharingLeavesOutTheNetworkAndNothingElse(t *testing.T) {
	for _, profile := range profiles {
		own, shared := synth(t, "profile", string(profile)), synth(t, "network", "shared", "profile", string(profile))
		for id := range own {
			t.Run(fmt.Sprintf("%s in %s", id, profile), func(t *testing.T) {
				if !slices.Contains(withNetwork(t), id) {
					assert.Equal(t, own[id].Template, shared[id].Template)
					return
				}
				for logical, r := range shared[id].Template.Resources {
					assert.Equal(t, own[id].Template.Resources[logical].Type, r.Type, logical)
					assert.NotContains(t, ofNetworks, r.Type, logical)
				}
				for logical, r := range own[id].Template.Resources {
					// The rest of the network's: closing the default security group.
					if !slices.Contains(ofNetworks, r.Type) && !strings.Contains(logical, "VpcRestrictDefaultSG") && !strings.Contains(logical, "FlowLog") && !strings.HasPrefix(logical, "Provisioning") {
						assert.Contains(t, shared[id].Template.Resources, logical)
					}
				}
			})
		}
	}
}

// An export that another stack imports can neither change nor go.
func TestNoExportBlocksAnUpdate(t *testing.T) {
	for _, network := range []string{"own", "shared"} {
		for _, profile := range profiles {
			for id, stack := range synth(t, "network", network, "profile", string(profile)) {
				t.Run(fmt.Sprintf("%s with network=%s in %s", id, network, profile), func(t *testing.T) {
					assert.NotContains(t, stack.JSON(), `"Export"`)
					assert.NotContains(t, stack.JSON(), "Fn::ImportValue")
				})
			}
		}
	}
}

// The CDK CLI deploys a stack after those it depends on, and destroys it before
// them.
func TestTheNetworkComesFirstAndGoesLast(t *testing.T) {
	all := synth(t, "network", "shared")
	for id, stack := range all {
		t.Run(id, func(t *testing.T) {
			if slices.Contains(withNetwork(t), id) {
				assert.Equal(t, []string{settings.NetworkID}, stack.DependsOn)
				assert.Contains(t, stack.JSON(), "Fn::GetStackOutput")
			} else {
				assert.Empty(t, stack.DependsOn)
				assert.NotContains(t, stack.JSON(), "Fn::GetStackOutput")
			}
		})
	}
	for id, stack := range synth(t, "network", "own") {
		assert.Empty(t, stack.DependsOn, id)
	}
}

// Whoever deploys one stack also deploys the network, which must not change
// under the others. A NAT gateway alone comes with who asks for it.
func TestTheNetworkIsTheSameWhicheverStacksStandInIt(t *testing.T) {
	withoutNAT := func(stack *cdktest.Stack) map[string]assembly.Resource {
		rest := map[string]assembly.Resource{}
		for id, r := range stack.Template.Resources {
			if r.Type != "AWS::EC2::NatGateway" && r.Type != "AWS::EC2::EIP" && r.Properties["NatGatewayId"] == nil {
				rest[id] = r
			}
		}
		return rest
	}
	want := withoutNAT(synth(t, "network", "shared")[settings.NetworkID])
	for _, id := range withNetwork(t) {
		t.Run(id, func(t *testing.T) {
			assert.Equal(t, want, withoutNAT(synth(t, "network", "shared", "stacks", id)[settings.NetworkID]))
		})
	}
}

func TestNobodyInItMeansNoNetwork(t *testing.T) {
	assert.NotContains(t, synth(t, "network", "shared", "stacks", "Lambda"), settings.NetworkID)
	assert.NotContains(t, synth(t, "network", "own"), settings.NetworkID)
}

// Quotas of an account in each region until it asks for more (AWS General
// Reference, Amazon Virtual Private Cloud endpoints and quotas, read 2026-11-23).
const quotaVPCs, quotaAddresses = 5, 5

func TestAllDeploymentsFitIntoTheDefaultQuotasWhenTheyShare(t *testing.T) {
	for _, profile := range profiles {
		t.Run(string(profile), func(t *testing.T) {
			vpcs, addresses := taken(synth(t, "network", "shared", "profile", string(profile)))
			assert.Equal(t, 1, vpcs)
			assert.LessOrEqual(t, vpcs+1, quotaVPCs, "with the VPC that every account has")
			assert.LessOrEqual(t, addresses, quotaAddresses)

			own, _ := taken(synth(t, "profile", string(profile)))
			assert.Len(t, withNetwork(t), own)
		})
	}
}

// taken counts VPCs and Elastic IP addresses.
func taken(all map[string]*cdktest.Stack) (vpcs, addresses int) {
	for _, stack := range all {
		vpcs += len(stack.Of("AWS::EC2::VPC"))
		addresses += len(stack.Of("AWS::EC2::EIP"))
	}
	return vpcs, addresses
}
