// Package network defines the VPC of a deployment that needs one, or of several
// that share one.
package network

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"refdeploy/constructs/nag"
)

// Egress is how workloads reach the internet. It decides most of the network's
// fixed cost, so it is the one thing callers choose.
type Egress int

const (
	// PublicIP puts workloads in public subnets with an address each and no NAT
	// gateway. Security groups alone keep the internet out.
	PublicIP Egress = iota

	// OneNAT puts workloads that cannot have a public address, such as pods on
	// Fargate, in private subnets behind one NAT gateway: an outage of its zone
	// cuts off the other zone too, at half the price of [ZonalNAT].
	OneNAT

	// ZonalNAT puts workloads in private subnets behind a NAT gateway per zone.
	// An outage stays inside its zone, at one hourly charge per zone.
	ZonalNAT
)

// Props configures [New]. A nil *Props selects every default.
type Props struct {
	// Egress is the path from workloads to the internet. Default: [PublicIP],
	// because a sandbox should not bill for NAT by surprise.
	Egress Egress

	// FlowLogs receives a record of the VPC's connections. Default: none.
	FlowLogs awslogs.ILogGroup
}

// Network is the VPC and the subnets to place things in.
type Network struct {
	VPC awsec2.Vpc

	// Public subnets take load balancers; Workloads take what they send to.
	Public, Workloads *awsec2.SubnetSelection

	// PublicIPs reports whether workloads need an address of their own to reach
	// the internet.
	PublicIPs bool

	// WayOut is all that lies between workloads and the internet: routes, their
	// associations, gateways. Whatever runs workloads depends on it, or starts
	// before it can pull an image, and outlives on `cdk destroy` the way to the
	// control plane that has to hear of its end (aws-cdk#18179).
	WayOut constructs.IDependable
}

// New defines a VPC over two availability zones, the fewest an Application Load
// Balancer accepts and all that a stack without an environment can see.
func New(scope constructs.Construct, id string, props *Props) Network {
	p := props.withDefaults(id)
	gateways := map[Egress]int{PublicIP: 0, OneNAT: 1, ZonalNAT: zones}[p.Egress]
	return network(newVPC(scope, id, p, gateways, p.Egress != PublicIP), p.Egress)
}

// withDefaults returns a copy of p in which everything is set. It panics when
// the egress of network id is none.
func (p *Props) withDefaults(id string) Props {
	var out Props
	if p != nil {
		out = *p
	}
	if out.Egress < PublicIP || out.Egress > ZonalNAT {
		panic(fmt.Errorf("network %q: egress must be PublicIP, OneNAT or ZonalNAT, got %d", id, out.Egress))
	}
	return out
}

// newVPC defines the VPC, with private subnets or without.
func newVPC(scope constructs.Construct, id string, p Props, gateways int, private bool) awsec2.Vpc {
	subnets := []*awsec2.SubnetConfiguration{{
		Name:                jsii.String("Public"),
		SubnetType:          awsec2.SubnetType_PUBLIC,
		MapPublicIpOnLaunch: jsii.Bool(p.Egress == PublicIP),
		CidrMask:            jsii.Number(20),
	}}
	if private {
		subnets = append(subnets, &awsec2.SubnetConfiguration{
			Name:       jsii.String("Private"),
			SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS,
			CidrMask:   jsii.Number(20),
		})
	}
	vpc := awsec2.NewVpc(scope, jsii.String(id), &awsec2.VpcProps{
		MaxAzs:              jsii.Number(zones),
		NatGateways:         jsii.Number(gateways),
		SubnetConfiguration: &subnets,
		// Notes and image layers come from S3. The gateway endpoint is free,
		// and NAT charges per gigabyte.
		GatewayEndpoints: &map[string]*awsec2.GatewayVpcEndpointOptions{
			"S3": {Service: awsec2.GatewayVpcEndpointAwsService_S3()},
		},
		// Closing the default group takes a function and a role. Nothing uses
		// that group, so only production pays for the belt to its braces.
		RestrictDefaultSecurityGroup: jsii.Bool(p.Egress == ZonalNAT),
	})
	if p.FlowLogs != nil {
		vpc.AddFlowLog(jsii.String("FlowLog"), &awsec2.FlowLogOptions{
			Destination: awsec2.FlowLogDestination_ToCloudWatchLogs(p.FlowLogs, nil),
		})
	} else {
		nag.Suppress(vpc, nag.Reasons{"AwsSolutions-VPC7": "A sandbox keeps no record of its connections; the production profile does."})
	}
	return vpc
}

// network returns the subnets of a VPC for workloads with that way out.
func network(vpc awsec2.Vpc, egress Egress) Network {
	public := &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PUBLIC}
	workloads := public
	if egress != PublicIP {
		workloads = &awsec2.SubnetSelection{SubnetType: awsec2.SubnetType_PRIVATE_WITH_EGRESS}
	}
	return Network{
		VPC: vpc, Public: public, Workloads: workloads, PublicIPs: egress == PublicIP,
		WayOut: vpc.SelectSubnets(workloads).InternetConnectivityEstablished,
	}
}

const zones = 2
