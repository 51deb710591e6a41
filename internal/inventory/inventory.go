// Package inventory counts what a synthesized stack consists of: resources,
// permissions, and what the internet reaches.
package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"refdeploy/internal/assembly"
)

// An Inventory is what a template tells by itself.
type Inventory struct {
	Total    int
	ByType   map[string]int
	IAM      IAM
	Exposure []Exposure
	Storage  []Fact // encryption of what stores data
	Logs     []Fact // how long each log group keeps
}

// IAM counts permissions. A managed policy of AWS is one, and its statements are
// not in the template.
type IAM struct {
	Roles           int
	ManagedPolicies int
	Statements      int

	// WildcardActions and WildcardResources are the statements that allow an
	// action, or a resource, with a * in it.
	WildcardActions   int
	WildcardResources int
}

// An Exposure is a port that the internet reaches.
type Exposure struct {
	Port     int
	CIDR     string
	Resource string // logical id
}

// A Fact is something a resource says of itself.
type Fact struct {
	Resource string // logical id
	Type     string
	Says     string
}

// Of returns the inventory of a template.
func Of(template assembly.Template) Inventory {
	inv := Inventory{Total: len(template.Resources), ByType: map[string]int{}}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		r := template.Resources[id]
		inv.ByType[r.Type]++
		inv.permissions(r)
		inv.exposure(id, r, template)
		inv.storage(id, r)
	}
	slices.SortFunc(inv.Exposure, func(a, b Exposure) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.CIDR, b.CIDR))
	})
	return inv
}

func (inv *Inventory) permissions(r assembly.Resource) {
	switch r.Type {
	case "AWS::IAM::Role":
		inv.IAM.Roles++
		inv.IAM.ManagedPolicies += len(List(r.Properties["ManagedPolicyArns"]))
		for _, policy := range List(r.Properties["Policies"]) {
			inv.statements(Object(policy)["PolicyDocument"])
		}
	case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy":
		inv.statements(r.Properties["PolicyDocument"])
	}
}

func (inv *Inventory) statements(document any) {
	for _, s := range List(Object(document)["Statement"]) {
		statement := Object(s)
		if statement["Effect"] == "Deny" {
			continue
		}
		inv.IAM.Statements++
		// To allow all but a list is wider than any pattern.
		if statement["NotAction"] != nil || slices.ContainsFunc(List(statement["Action"]), hasWildcard) {
			inv.IAM.WildcardActions++
		}
		if statement["NotResource"] != nil || slices.ContainsFunc(List(statement["Resource"]), hasWildcard) {
			inv.IAM.WildcardResources++
		}
	}
}

// hasWildcard reports whether a string, or a string inside of Fn::Join or
// Fn::Sub, contains a *.
func hasWildcard(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, "*")
	case []any:
		return slices.ContainsFunc(v, hasWildcard)
	case map[string]any:
		return hasWildcard(v["Fn::Join"]) || hasWildcard(v["Fn::Sub"])
	}
	return false
}

func (inv *Inventory) exposure(id string, r assembly.Resource, template assembly.Template) {
	open := func(port int, cidr string) {
		inv.Exposure = append(inv.Exposure, Exposure{Port: port, CIDR: cidr, Resource: id})
	}
	switch r.Type {
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		if r.Properties["Scheme"] == "internal" { // internet-facing is the default
			return
		}
		for _, group := range List(r.Properties["SecurityGroups"]) {
			for _, rule := range ingress(Target(group), template) {
				for _, field := range []string{"CidrIp", "CidrIpv6"} {
					if cidr, ok := rule[field].(string); ok {
						open(int(Number(rule["FromPort"])), cidr)
					}
				}
			}
		}
	case "AWS::Lambda::Url":
		if r.Properties["AuthType"] == "NONE" {
			open(443, everyone)
		}
	case "AWS::ECS::ExpressGatewayService":
		// Without subnets, Express Mode takes the default VPC's public ones, and its
		// load balancer faces the internet.
		if len(List(Object(r.Properties["NetworkConfiguration"])["Subnets"])) == 0 {
			open(443, everyone)
		}
	case "AWS::AppRunner::Service":
		ingress := Object(Object(r.Properties["NetworkConfiguration"])["IngressConfiguration"])
		if public, set := ingress["IsPubliclyAccessible"].(bool); !set || public {
			open(443, everyone)
		}
	case "AWS::EKS::Cluster":
		network := Object(r.Properties["ResourcesVpcConfig"])
		if public, set := network["EndpointPublicAccess"].(bool); set && !public {
			return
		}
		cidrs := List(network["PublicAccessCidrs"])
		if len(cidrs) == 0 {
			cidrs = []any{everyone}
		}
		for _, cidr := range cidrs {
			open(443, fmt.Sprint(cidr))
		}
	}
}

// ingress returns the rules of a security group: its own, and those that are
// resources of their own.
func ingress(group string, template assembly.Template) []map[string]any {
	var rules []map[string]any
	for _, rule := range List(template.Resources[group].Properties["SecurityGroupIngress"]) {
		rules = append(rules, Object(rule))
	}
	for _, r := range template.Resources {
		if r.Type == "AWS::EC2::SecurityGroupIngress" && group != "" && Target(r.Properties["GroupId"]) == group {
			rules = append(rules, r.Properties)
		}
	}
	return rules
}

const everyone = "0.0.0.0/0"

func (inv *Inventory) storage(id string, r assembly.Resource) {
	add := func(to *[]Fact, says string) { *to = append(*to, Fact{Resource: id, Type: r.Type, Says: says}) }
	switch r.Type {
	case "AWS::S3::Bucket":
		says := "encrypted by S3 by default"
		for _, rule := range List(Object(r.Properties["BucketEncryption"])["ServerSideEncryptionConfiguration"]) {
			says = fmt.Sprintf("encrypted, %v", Object(Object(rule)["ServerSideEncryptionByDefault"])["SSEAlgorithm"])
		}
		add(&inv.Storage, says)
	case "AWS::EC2::LaunchTemplate":
		for _, mapping := range List(Object(r.Properties["LaunchTemplateData"])["BlockDeviceMappings"]) {
			says := "not encrypted"
			if Object(Object(mapping)["Ebs"])["Encrypted"] == true {
				says = "encrypted"
			}
			add(&inv.Storage, "disk "+says)
		}
	case "AWS::ElasticLoadBalancingV2::Listener":
		add(&inv.Storage, fmt.Sprintf("speaks %v", r.Properties["Protocol"]))
	case "AWS::Logs::LogGroup":
		says := "kept for ever"
		if days := Number(r.Properties["RetentionInDays"]); days > 0 {
			says = fmt.Sprintf("kept for %g days", days)
		}
		add(&inv.Logs, says)
	}
}

// List returns value as a list: a list as it is, nothing as an empty one, and
// anything else as a list of one, as IAM reads policies.
func List(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

// Object returns value as an object, or an empty one.
func Object(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// Number returns value as a number, also when it is written as a string, or 0.
func Number(value any) float64 {
	switch v := value.(type) {
	case float64:
		return v
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		return n
	}
	return 0
}

// Target returns the logical id that a Ref or a Fn::GetAtt points to, or "".
func Target(value any) string {
	object := Object(value)
	if id, ok := object["Ref"].(string); ok {
		return id
	}
	if path, ok := object["Fn::GetAtt"].([]any); ok && len(path) > 0 {
		id, _ := path[0].(string)
		return id
	}
	return ""
}
