package network

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsec2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Shared network is one VPC for several stacks, which need not have the same
// way out.
type Shared struct {
	vpc    awsec2.Vpc
	egress Egress // of the stacks that do not ask for more
}

// NewShared defines a network for several stacks. It has private subnets
// whatever the egress, because subnets that come and go with who asks for them
// cannot go while something stands in them.
func NewShared(scope constructs.Construct, id string, props *Props) Shared {
	p := props.withDefaults(id)
	gateways := map[Egress]int{PublicIP: 0, OneNAT: 1, ZonalNAT: zones}[p.Egress]
	s := Shared{newVPC(scope, id, p, gateways, true), p.Egress}
	// An EKS cluster marks the subnets it finds, and would change this network
	// with each cluster that comes or goes.
	mark(s.vpc.PublicSubnets(), "kubernetes.io/role/elb")
	mark(s.vpc.PrivateSubnets(), "kubernetes.io/role/internal-elb")
	return s
}

func mark(subnets *[]awsec2.ISubnet, tag string) {
	for _, subnet := range *subnets {
		awscdk.Tags_Of(subnet).Add(jsii.String(tag), jsii.String("1"), nil)
	}
}

// FindShared returns the network that [NewShared] defined under id in scope.
func FindShared(scope constructs.Construct, id string, egress Egress) Shared {
	return Shared{scope.Node().FindChild(jsii.String(id)).(awsec2.Vpc), egress}
}

// For returns the part of the network for workloads with that way out, or with
// the network's own where that is the better one. The first to ask for
// [OneNAT] adds the gateway. It panics for more than that.
func (s Shared) For(egress Egress) Network {
	switch {
	case egress <= s.egress:
		return network(s.vpc, s.egress)
	case egress > OneNAT:
		panic(fmt.Errorf("network %q: a shared network can add OneNAT to what it has, got %d", *s.vpc.Node().Id(), egress))
	}
	public, private := *s.vpc.PublicSubnets(), *s.vpc.PrivateSubnets()
	if public[0].Node().TryFindChild(jsii.String("NATGateway")) == nil {
		gateway := public[0].(awsec2.PublicSubnet).AddNatGateway(nil)
		for _, subnet := range private {
			subnet.(awsec2.PrivateSubnet).AddDefaultNatRoute(gateway.AttrNatGatewayId())
		}
	}
	return network(s.vpc, egress)
}
