package inventory

import (
	"fmt"
	"math"

	"refdeploy/internal/assembly"
)

const (
	everyone = "0.0.0.0/0"

	// LastPort is the largest port number.
	LastPort = 65535

	// Unknown stands for a range of addresses that is decided on deploy.
	Unknown = "addresses that are chosen on deploy"
)

// exposure notes what of a resource the internet reaches.
func (r *reader) exposure(id string, resource assembly.Resource) {
	p := resource.Properties
	public := func() { r.open(id, 443, 443, everyone) }
	switch resource.Type {
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		r.loadBalancer(id, p)
	case "AWS::ElasticLoadBalancing::LoadBalancer":
		if p["Scheme"] != "internal" {
			r.groups(id, p["SecurityGroups"])
		}
	case "AWS::EC2::Instance":
		groups := Either(p["SecurityGroupIds"])
		for _, card := range Either(p["NetworkInterfaces"]) {
			groups = append(groups, Either(Object(card)["GroupSet"])...)
		}
		r.groups(id, groups)
	case "AWS::EC2::LaunchTemplate":
		for _, card := range Either(Object(p["LaunchTemplateData"])["NetworkInterfaces"]) {
			if may(Object(card)["AssociatePublicIpAddress"], true) {
				r.groups(id, Object(card)["Groups"])
			}
		}
	case "AWS::ECS::Service":
		network := Object(Object(p["NetworkConfiguration"])["AwsvpcConfiguration"])
		if may(network["AssignPublicIp"], "ENABLED") {
			r.groups(id, network["SecurityGroups"])
		}
	case "AWS::RDS::DBInstance":
		if may(p["PubliclyAccessible"], true) {
			r.groups(id, p["VPCSecurityGroups"])
		}
	case "AWS::Lambda::Url":
		if may(p["AuthType"], "NONE") {
			public()
		}
	case "AWS::AppRunner::Service":
		ingress := Object(Object(p["NetworkConfiguration"])["IngressConfiguration"])
		if isPublic, set := ingress["IsPubliclyAccessible"].(bool); !set || isPublic {
			public()
		}
	case "AWS::ApiGateway::RestApi":
		if !all(Object(p["EndpointConfiguration"])["Types"], "PRIVATE") {
			public()
		}
	case "AWS::ApiGatewayV2::Api", "AWS::CloudFront::Distribution", "AWS::ECS::ExpressGatewayService", "AWS::Lightsail::Container", "AWS::Amplify::App":
		public()
	case "AWS::AppSync::GraphQLApi":
		if p["Visibility"] != "PRIVATE" {
			public()
		}
	case "AWS::S3::BucketPolicy":
		for _, s := range Either(Object(p["PolicyDocument"])["Statement"]) {
			if statement := Object(s); statement["Effect"] == "Allow" && statement["Condition"] == nil && anybody(statement["Principal"]) {
				public()
			}
		}
	case "AWS::EKS::Cluster":
		network := Object(p["ResourcesVpcConfig"])
		if isPublic, set := network["EndpointPublicAccess"].(bool); set && !isPublic {
			return
		}
		cidrs := Either(network["PublicAccessCidrs"])
		if len(cidrs) == 0 {
			cidrs = []any{everyone}
		}
		for _, cidr := range cidrs {
			r.open(id, 443, 443, r.text(cidr))
		}
	}
}

// loadBalancer notes the ports of a load balancer: those that its security
// groups open, or, of one without, those that its listeners listen on.
func (r *reader) loadBalancer(id string, p map[string]any) {
	if p["Scheme"] == "internal" { // internet-facing is the default
		return
	}
	groups := Either(p["SecurityGroups"])
	if len(groups) > 0 {
		r.groups(id, groups)
		return
	}
	if p["Type"] != "network" && p["Type"] != "gateway" {
		r.unclear("who reaches %s: it has the security group of its network", id)
		return
	}
	for _, listener := range r.template.Resources {
		if listener.Type == "AWS::ElasticLoadBalancingV2::Listener" && Target(listener.Properties["LoadBalancerArn"]) == id {
			port := port(listener.Properties["Port"], 0)
			r.open(id, port, port, everyone)
		}
	}
}

// groups notes what the security groups open.
func (r *reader) groups(id string, groups any) {
	for _, group := range Either(groups) {
		target := Target(group)
		if _, ok := r.template.Resources[target]; !ok {
			r.unclear("who reaches %s: a security group of it is not in the template", id)
			continue
		}
		for _, rule := range r.ingress(target) {
			first, last := port(rule["FromPort"], 0), port(rule["ToPort"], 0)
			if protocol := fmt.Sprint(rule["IpProtocol"]); protocol == "-1" || rule["FromPort"] == nil {
				first, last = 0, LastPort
			}
			for _, field := range []string{"CidrIp", "CidrIpv6"} {
				for _, cidr := range Either(rule[field]) {
					r.open(id, first, max(first, last), r.text(cidr))
				}
			}
			if rule["SourcePrefixListId"] != nil {
				r.open(id, first, max(first, last), "a prefix list")
			}
		}
	}
}

// ingress returns the rules of a security group: its own, and those that are
// resources of their own.
func (r *reader) ingress(group string) []map[string]any {
	var rules []map[string]any
	for _, rule := range Either(r.template.Resources[group].Properties["SecurityGroupIngress"]) {
		rules = append(rules, Object(rule))
	}
	for _, resource := range r.template.Resources {
		if resource.Type == "AWS::EC2::SecurityGroupIngress" && Target(resource.Properties["GroupId"]) == group {
			rules = append(rules, resource.Properties)
		}
	}
	return rules
}

func (r *reader) open(id string, first, last int, cidr string) {
	r.Exposure = append(r.Exposure, Exposure{Port: first, ToPort: last, CIDR: cidr, Resource: id})
}

// text returns a string, or the default of the parameter that stands for it.
func (r *reader) text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	if parameter, ok := r.template.Parameters[Target(value)]; ok && parameter.Default != "" {
		return parameter.Default
	}
	return Unknown
}

// port returns a port number, or otherwise when value is none.
func port(value any, otherwise int) int {
	n := Number(value)
	if !(n >= 0 && n <= LastPort) || n != math.Trunc(n) {
		return otherwise
	}
	return int(n)
}

// may reports whether value is, or by a condition may be, want. "true" is true.
func may(value any, want any) bool {
	for _, v := range Either(value) {
		if fmt.Sprint(v) == fmt.Sprint(want) {
			return true
		}
	}
	return false
}

// all reports whether a list has items, and no other than want.
func all(list any, want string) bool {
	items := Either(list)
	for _, item := range items {
		if item != want {
			return false
		}
	}
	return len(items) > 0
}

// anybody reports whether a policy's principal is everyone.
func anybody(principal any) bool {
	for _, p := range append(Either(principal), Either(Object(principal)["AWS"])...) {
		if p == "*" {
			return true
		}
	}
	return false
}
