package cost

import (
	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
)

// extras are properties that bill beside their resource, or in another way than
// it, and that the model does not price.
var extras = []struct {
	resource, name string
	bills          func(properties map[string]any) bool
}{
	{"AWS::AutoScaling::AutoScalingGroup", "mixed instances", has("MixedInstancesPolicy")},
	{"AWS::EC2::LaunchTemplate", "spot instances", has("LaunchTemplateData", "InstanceMarketOptions")},
	{"AWS::EC2::VPCEndpoint", "interface endpoint", func(p map[string]any) bool {
		kind, set := p["VpcEndpointType"]
		return set && kind != "Gateway"
	}},
	{"AWS::ECS::TaskDefinition", "ephemeral storage", has("EphemeralStorage")},
	{"AWS::EKS::Nodegroup", "spot instances", is("SPOT", "CapacityType")},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", "network load balancer", is("network", "Type")},
	{"AWS::ElasticLoadBalancingV2::LoadBalancer", "gateway load balancer", is("gateway", "Type")},
	{"AWS::Lambda::Alias", "provisioned concurrency", has("ProvisionedConcurrencyConfig")},
	{"AWS::Lambda::Function", "ephemeral storage", has("EphemeralStorage")},
	{"AWS::Lambda::Version", "provisioned concurrency", has("ProvisionedConcurrencyConfig")},
	{"AWS::SSM::Parameter", "advanced tier", is("Advanced", "Tier")},
}

// extrasOf names the extras of a template.
func extrasOf(template assembly.Template) []string {
	var found []string
	for _, r := range template.Resources {
		for _, extra := range extras {
			if extra.resource == r.Type && extra.bills(r.Properties) {
				found = append(found, unpricedName(r.Type, extra.name))
			}
		}
	}
	return found
}

func has(path ...string) func(map[string]any) bool {
	return func(p map[string]any) bool { return len(inventory.List(field(p, path...))) > 0 }
}

func is(want any, path ...string) func(map[string]any) bool {
	return func(p map[string]any) bool { return field(p, path...) == want }
}

// field returns what is at the end of a path of fields, or nil.
func field(value any, path ...string) any {
	for _, name := range path {
		value = inventory.Object(value)[name]
	}
	return value
}
