package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/network"
)

func TestDefaultsHaveTwoPublicSubnetsAndNoNAT(t *testing.T) {
	stack := cdktest.NewStack(t)
	net := network.New(stack, "Network", nil)
	assert.True(t, net.PublicIPs)
	got := cdktest.SynthStack(t, stack)
	got.Count(t, "AWS::EC2::Subnet", 2)
	got.Count(t, "AWS::EC2::NatGateway", 0)
	got.Count(t, "AWS::Lambda::Function", 0)
	got.Has(t, "AWS::EC2::Subnet", map[string]any{"MapPublicIpOnLaunch": true})
}

func TestZonalNATHasAGatewayAZoneAndWorkloadsOutOfReach(t *testing.T) {
	stack := cdktest.NewStack(t)
	group := logs.NewGroup(stack, "Logs", nil)
	net := network.New(stack, "Network", &network.Props{Egress: network.ZonalNAT, FlowLogs: group})
	assert.False(t, net.PublicIPs)
	assert.Len(t, *net.VPC.SelectSubnets(net.Workloads).SubnetIds, 2)
	got := cdktest.SynthStack(t, stack)
	got.Count(t, "AWS::EC2::Subnet", 4)
	got.Count(t, "AWS::EC2::NatGateway", 2)
	got.Count(t, "AWS::EC2::FlowLog", 1)
	got.Count(t, "Custom::VpcRestrictDefaultSG", 1)
	for id, subnet := range got.Of("AWS::EC2::Subnet") {
		assert.Equal(t, false, subnet.Properties["MapPublicIpOnLaunch"], id)
	}
}

func TestS3TrafficStaysOffTheNATGateway(t *testing.T) {
	stack := cdktest.NewStack(t)
	network.New(stack, "Network", nil)
	cdktest.SynthStack(t, stack).Has(t, "AWS::EC2::VPCEndpoint", map[string]any{"VpcEndpointType": "Gateway"})
}

func TestAnUnknownEgressPanics(t *testing.T) {
	stack := cdktest.NewStack(t)
	got := cdktest.Panic(func() { network.New(stack, "Network", &network.Props{Egress: 7}) })
	assert.Equal(t, `network "Network": egress must be PublicIP, OneNAT or ZonalNAT, got 7`, got)
}
