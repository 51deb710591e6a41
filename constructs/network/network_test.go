package network_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/logs"
	"refdeploy/constructs/network"
	"refdeploy/internal/assembly"
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

func TestOneNATHasOneGatewayForBothZones(t *testing.T) {
	stack := cdktest.NewStack(t)
	net := network.New(stack, "Network", &network.Props{Egress: network.OneNAT})
	assert.False(t, net.PublicIPs)
	got := cdktest.SynthStack(t, stack)
	got.Count(t, "AWS::EC2::NatGateway", 1)
	got.Count(t, "AWS::EC2::EIP", 1)
	assert.Len(t, natRoutes(got), 2)
}

func TestASharedNetworkTakesANATGatewayOnceSomebodyAsks(t *testing.T) {
	tests := []struct {
		name     string
		egress   network.Egress
		asks     []network.Egress
		gateways int
		private  []bool // where each stands
	}{
		{"nobody", network.PublicIP, []network.Egress{network.PublicIP}, 0, []bool{false}},
		{"one", network.PublicIP, []network.Egress{network.PublicIP, network.OneNAT}, 1, []bool{false, true}},
		{"two", network.PublicIP, []network.Egress{network.OneNAT, network.OneNAT, network.PublicIP}, 1, []bool{true, true, false}},
		{"all have more", network.ZonalNAT, []network.Egress{network.PublicIP, network.OneNAT}, 2, []bool{true, true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := cdktest.NewStack(t)
			network.NewShared(stack, "VPC", &network.Props{Egress: tt.egress})
			for i, egress := range tt.asks {
				net := network.FindShared(stack, "VPC", tt.egress).For(egress)
				assert.Equal(t, tt.private[i], !net.PublicIPs)
				assert.Equal(t, tt.private[i], net.Public != net.Workloads)
			}
			got := cdktest.SynthStack(t, stack)
			got.Count(t, "AWS::EC2::NatGateway", tt.gateways)
			got.Count(t, "AWS::EC2::EIP", tt.gateways)
			got.Count(t, "AWS::EC2::Subnet", 4)
			if tt.gateways > 0 {
				assert.Len(t, natRoutes(got), 2)
			}
		})
	}
}

func TestASharedNetworkRefusesWhatItCannotAdd(t *testing.T) {
	shared := network.NewShared(cdktest.NewStack(t), "VPC", nil)
	got := cdktest.Panic(func() { shared.For(network.ZonalNAT) })
	assert.Equal(t, `network "VPC": a shared network can add OneNAT to what it has, got 2`, got)
}

// natRoutes returns the routes through a NAT gateway.
func natRoutes(stack *cdktest.Stack) []assembly.Resource {
	var routes []assembly.Resource
	for _, route := range stack.Of("AWS::EC2::Route") {
		if route.Properties["NatGatewayId"] != nil {
			routes = append(routes, route)
		}
	}
	return routes
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
