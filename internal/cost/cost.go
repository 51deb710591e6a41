// Package cost reads from a synthesized stack what of it bills: a [bill.Plan].
// What a month then costs, package bill works out.
//
// # Unpriced
//
// A resource type, or a property that bills ([extras]), that the model does not
// price is named in the plan's Unpriced; nothing is silently zero.
package cost

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/inventory"
	"refdeploy/internal/price"
)

// NewModel returns the model of a stack's bill. It fails when a price is missing,
// except of a stack that is not ours: what the table lacks for others is named in
// Unpriced.
func NewModel(stack assembly.Stack, prices price.Table) (bill.Model, error) {
	plan, table := PlanOf(stack), Prices(prices)
	if stack.Template.Setting("profile") == "" {
		plan = priced(plan, table)
	}
	return bill.New(plan, table)
}

// priced moves the charges without a price to Unpriced.
func priced(plan bill.Plan, prices bill.Prices) bill.Plan {
	plan.Charges = slices.DeleteFunc(plan.Charges, func(c bill.Charge) bool {
		_, ok := prices[c.Key]
		if !ok {
			plan.Unpriced = append(plan.Unpriced, fmt.Sprintf("%s of %s (no price for %s)", c.Item, c.Resource, c.Key))
		}
		return !ok
	})
	slices.Sort(plan.Unpriced)
	plan.Unpriced = slices.Compact(plan.Unpriced)
	return plan
}

// Prices returns a table of prices as the model takes it.
func Prices(table price.Table) bill.Prices {
	prices := bill.Prices{}
	for _, p := range table.All() {
		prices[p.Key] = bill.Price{
			USD: p.USD, Unit: p.Unit, Region: p.Region, Source: p.Source, Date: p.Date.Format(time.DateOnly), Compute: price.Discountable(p.Key),
		}
	}
	return prices
}

// PlanOf reads what of a stack bills.
func PlanOf(stack assembly.Stack) bill.Plan {
	r := reader{
		stack: stack, plan: bill.Plan{ID: stack.ID}, workload: workloadOf(stack.Template),
		provisioner: provisionersOf(stack.Template), unpriced: map[string]bool{},
	}
	r.elsewhere()
	for _, id := range slices.Sorted(maps.Keys(stack.Template.Resources)) {
		r.add(id, stack.Template.Resources[id])
	}
	r.traffic()
	for _, name := range extrasOf(stack.Template) {
		r.unpriced[name] = true
	}
	r.plan.Unpriced = slices.Sorted(maps.Keys(r.unpriced))
	return r.plan
}

// A reader is a plan in the making.
type reader struct {
	stack       assembly.Stack
	plan        bill.Plan
	workload    workload
	provisioner map[string]bool // the functions that work only during a deploy
	unpriced    map[string]bool
}

// charge adds what the template holds to the plan.
func (r *reader) charge(item, key string, driver bill.Driver, quantity float64, resource string) *bill.Charge {
	r.plan.Charges = append(r.plan.Charges, bill.Charge{
		Item: item, Key: key, Driver: driver, Quantity: quantity, Of: max(0, len(r.plan.Capacity)-1), Resource: resource, Source: "template",
	})
	return &r.plan.Charges[len(r.plan.Charges)-1]
}

// outside adds what AWS makes and the template does not hold.
func (r *reader) outside(item, key string, driver bill.Driver, quantity float64, resource string) {
	r.charge(item, key, driver, quantity, resource).Source = "catalog"
}

// hourly adds what bills every hour of the month.
func (r *reader) hourly(item, key, resource string) {
	r.charge(item, key, bill.Month, bill.HoursPerMonth, resource)
}

// cannotPrice names something that bills and has no price here.
func (r *reader) cannotPrice(resource, what string) {
	r.unpriced[unpricedName(resource, what)] = true
}

func unpricedName(resource, what string) string { return resource + " (" + what + ")" }

func (r *reader) warn(text string) { r.plan.Warnings = append(r.plan.Warnings, text) }

// add reads one resource.
func (r *reader) add(id string, resource assembly.Resource) {
	p := resource.Properties
	switch resource.Type {
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		r.loadBalancer(id, p)
	case "AWS::EC2::NatGateway":
		r.hourly("NAT gateway", "nat.hour", id)
	case "AWS::EC2::EIP":
		r.hourly("public IPv4 of the NAT gateway", "ipv4", id)
	case "AWS::EC2::FlowLog":
		r.flowLog(id, p)
	case "AWS::ECS::Service":
		r.ecsService(id, resource)
	case "AWS::ECS::ExpressGatewayService":
		r.express(id, resource)
	case "AWS::EKS::Cluster":
		r.hourly("EKS control plane", "eks.cluster", id)
		if has("Logging", "ClusterLogging", "EnabledTypes")(p) {
			r.charge("control plane logs, 10 GB assumed", "logs.vended", bill.Month, controlPlaneGB, id)
		}
		if field(p, "ComputeConfig", "Enabled") == true {
			r.autoNodes(id, resource)
		}
	case "AWS::EKS::FargateProfile":
		r.fargatePods(id, resource)
	case "AWS::EKS::Nodegroup":
		r.nodes(id, resource)
	case "AWS::Lambda::Function":
		r.function(id, resource)
	case "AWS::AppRunner::Service":
		r.appRunner(id, resource)
	case "AWS::AutoScaling::AutoScalingGroup":
		if r.count("AWS::ECS::Service") == 0 { // with a service, its tasks say how many
			r.cannotPrice(resource.Type, "what runs on it")
		}
	case "AWS::CloudWatch::Alarm":
		r.alarm(id, resource)
	case "AWS::Logs::MetricFilter":
		r.charge("metric counted in a log", "cloudwatch.metric", bill.Month, 1, id)
	case "AWS::ApplicationAutoScaling::ScalingPolicy":
		if p["PolicyType"] == "TargetTrackingScaling" {
			r.outside("alarms that target tracking adds", "cloudwatch.alarm", bill.Month, 2, id)
		}
	case "AWS::ECS::CapacityProvider":
		if field(p, "ManagedInstancesProvider") != nil && r.count("AWS::ECS::Service") == 0 {
			r.cannotPrice(resource.Type, "what runs on Managed Instances")
		}
		if field(p, "AutoScalingGroupProvider", "ManagedScaling", "Status") == "ENABLED" {
			r.outside("alarms that the capacity provider adds", "cloudwatch.alarm", bill.Month, 2, id)
		}
	case "AWS::S3::Bucket":
		if !r.ours() {
			r.cannotPrice(resource.Type, "what is stored, and its requests")
		}
	default:
		read := resource.Type == assembly.NestedStack && resource.Read // its resources bill
		if !free[resource.Type] && !elsewhere[resource.Type] && !read {
			r.unpriced[resource.Type] = true
		}
	}
}

// ours is whether the stack is a deployment of the app: only of it do we know
// what it does with its bucket.
func (r *reader) ours() bool { return r.stack.Template.Setting("profile") != "" }

// sample is whether the app is ours, too, and not one in its place.
func (r *reader) sample() bool { return r.ours() && r.stack.Template.Setting("app") == "" }

// alarm prices the metrics of an alarm at standard resolution.
func (r *reader) alarm(id string, alarm assembly.Resource) {
	if period := inventory.Number(alarm.Properties["Period"]); period > 0 && period < 60 {
		r.cannotPrice(alarm.Type, "high resolution")
		return
	}
	metrics := 0
	for _, metric := range inventory.List(alarm.Properties["Metrics"]) {
		if inventory.Object(metric)["MetricStat"] != nil {
			metrics++
		}
	}
	r.charge("alarm", "cloudwatch.alarm", bill.Month, float64(max(metrics, 1)), id)
}

// elsewhere are the types that bill with what uses them: capacity with what
// runs on it, log groups with what writes to them.
var elsewhere = map[string]bool{
	"AWS::ApplicationAutoScaling::ScalableTarget": true,
	"AWS::EC2::LaunchTemplate":                    true,
	"AWS::ECS::Cluster":                           true, // Container Insights, with its service
	"AWS::ECS::TaskDefinition":                    true,
	"AWS::Logs::LogGroup":                         true,
}

// free are the types that do not bill.
var free = map[string]bool{
	"AWS::AppRunner::AutoScalingConfiguration":      true,
	"AWS::CloudFront::Distribution":                 true, // it serves two small files, far below the first TB and 10 million requests of a month, which are free
	"AWS::CloudFront::OriginAccessControl":          true,
	"AWS::CodeDeploy::Application":                  true,
	"AWS::CodeDeploy::DeploymentGroup":              true,
	"AWS::EC2::InternetGateway":                     true,
	"AWS::EC2::Route":                               true,
	"AWS::EC2::RouteTable":                          true,
	"AWS::EC2::SecurityGroup":                       true,
	"AWS::EC2::SecurityGroupEgress":                 true,
	"AWS::EC2::SecurityGroupIngress":                true,
	"AWS::EC2::Subnet":                              true,
	"AWS::EC2::SubnetRouteTableAssociation":         true,
	"AWS::EC2::VPC":                                 true,
	"AWS::EC2::VPCEndpoint":                         true, // gateway endpoints; see extras for the others
	"AWS::EC2::VPCGatewayAttachment":                true,
	"AWS::ECS::ClusterCapacityProviderAssociations": true,
	"AWS::EKS::AccessEntry":                         true,
	"AWS::EKS::Addon":                               true, // AWS's own add-ons
	"AWS::EKS::PodIdentityAssociation":              true,
	"AWS::ElasticLoadBalancingV2::Listener":         true,
	"AWS::ElasticLoadBalancingV2::TargetGroup":      true,
	"AWS::IAM::InstanceProfile":                     true,
	"AWS::IAM::OIDCProvider":                        true,
	"AWS::IAM::Policy":                              true,
	"AWS::IAM::Role":                                true,
	"AWS::Lambda::Alias":                            true,
	"AWS::Lambda::LayerVersion":                     true,
	"AWS::Lambda::Permission":                       true,
	"AWS::Lambda::Url":                              true,
	"AWS::Lambda::Version":                          true,
	"AWS::S3::BucketPolicy":                         true,
	"AWS::Budgets::Budget":                          true, // without actions
	"AWS::SNS::Topic":                               true, // and the first 1,000 emails of a month
	"AWS::SNS::TopicPolicy":                         true,
	"AWS::SSM::Parameter":                           true, // standard tier
	"Custom::AWSCDK-EKS-HelmChart":                  true,
	"Custom::AWSCDK-EKS-KubernetesResource":         true,
	"Custom::AWSCDKCfnJson":                         true,
	"Custom::S3AutoDeleteObjects":                   true,
	"Custom::VpcRestrictDefaultSG":                  true,
}

// count returns how many resources of a type the template has.
func (r *reader) count(resource string) int {
	n := 0
	for _, found := range r.stack.Template.Resources {
		if found.Type == resource {
			n++
		}
	}
	return n
}

// find returns the resource that a reference points to.
func (r *reader) find(reference any) assembly.Resource {
	return r.stack.Template.Resources[inventory.Target(reference)]
}
