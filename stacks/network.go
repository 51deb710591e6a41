package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/logs"
	"refdeploy/constructs/network"
	"refdeploy/internal/settings"
)

// networkFor returns the network that a stack stands in: one of its own, or with
// network=shared that of the stack [settings.NetworkID], which the first one to
// ask defines. In a sandbox, workloads get to the internet as egress says; in
// production through a NAT gateway in their zone.
func networkFor(stack awscdk.Stack, p Props, egress network.Egress) network.Network {
	if p.Settings.Network != settings.Shared {
		return network.New(stack, "Network", networkProps(stack, p, egress))
	}
	return sharedNetwork(stack.Node().Scope().(constructs.Construct), p).For(egress)
}

func networkProps(stack awscdk.Stack, p Props, egress network.Egress) *network.Props {
	if !p.Settings.IsProduction() {
		return &network.Props{Egress: egress}
	}
	return &network.Props{Egress: network.ZonalNAT, FlowLogs: logs.NewGroup(stack, "FlowLogs", &logs.Props{Keep: true})}
}

// sharedNetwork returns the network in the stack [settings.NetworkID] of scope.
//
// Stacks refer to it weakly, as cdk.json says: a template asks for an output of
// the Network stack when it is deployed. An export, the CDK's own default, cannot
// change or go while another stack imports it, and an update that has to change
// it fails (aws-cdk, "The deadly embrace"). The CDK still deploys the network
// before what stands in it, and destroys it after.
func sharedNetwork(scope constructs.Construct, p Props) network.Shared {
	if found, ok := scope.Node().TryFindChild(jsii.String(settings.NetworkID)).(awscdk.Stack); ok {
		egress := network.PublicIP
		if p.Settings.IsProduction() {
			egress = network.ZonalNAT
		}
		return network.FindShared(found, "VPC", egress)
	}
	stack := plainStack(scope, settings.NetworkID, "The network that the deployments share", p)
	watchSpending(scope, stack, p) // its NAT gateways bill first
	shared := network.NewShared(stack, "VPC", networkProps(stack, p, network.PublicIP))
	logs.Adopt(stack, &logs.Props{Keep: p.Settings.IsProduction()}) // the function that closes the default security group
	return shared
}
