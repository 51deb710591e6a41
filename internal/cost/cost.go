// Package cost estimates a month's bill of a synthesized stack from the
// template's own properties, a table of prices and an assumed load.
//
// # Load
//
// A load of r requests a second, for h hours a day, is r × 3600 × h × 730/24
// requests a month: a month has 730 hours. What the template starts with is on
// all day; requests, and the copies that are added for them, follow h.
//
// # How many
//
// A copy of the app has v vCPU and is kept at a utilization of u by the
// template's own scaling policy. A request takes c seconds of CPU. Then
//
//	copies = max(least, ceil(r × c / (v × u)))
//
// where least is the number that the template starts with. More copies than the
// template allows are priced, and a warning says so. On instances, the copies
// that fit decide how many instances there are: by the CPU and memory that a
// task reserves, or a pod requests.
//
// # Burstable instances
//
// t3 and t4g run in unlimited mode unless told otherwise. CPU hours of the app
// above instance hours × vCPU × baseline are surplus credits, which bill.
//
// # Unpriced
//
// A resource type, or a property that bills ([extras]), that the model does not
// price is named in [Estimate.Unpriced]; nothing is silently zero.
//
// # Rounding
//
// Each line is rounded to the cent, and the total is the sum of the lines.
package cost

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
	"refdeploy/internal/price"
)

// HoursPerMonth is 365 × 24 / 12.
const HoursPerMonth = 730

// Usage is the assumed load.
type Usage struct {
	Profile           string  // idle, small, medium, large or custom
	RequestsPerSecond float64 // while there is load
	CPUMillis         float64 // CPU time of a request, in milliseconds
	ResponseKB        float64 // size of an answer, in kB of 1000 bytes
	HoursPerDay       float64 // with load, 0 to 24
}

// Profiles returns the loads that have a name, the smallest first.
func Profiles() []Usage {
	at := func(name string, rps float64) Usage {
		return Usage{Profile: name, RequestsPerSecond: rps, CPUMillis: 5, ResponseKB: 2, HoursPerDay: 24}
	}
	return []Usage{at("idle", 0), at("small", 1), at("medium", 50), at("large", 1000)}
}

// Requests is how many requests a month has.
func (u Usage) Requests() float64 {
	return u.RequestsPerSecond * 3600 * u.LoadedHours()
}

// LoadedHours is how many hours of a month have load.
func (u Usage) LoadedHours() float64 { return HoursPerMonth * u.HoursPerDay / 24 }

// CPU is how many vCPU the load keeps busy.
func (u Usage) CPU() float64 { return u.RequestsPerSecond * u.CPUMillis / 1000 }

// A Line is one item of the bill.
type Line struct {
	Item      string
	Quantity  float64
	Unit      string
	UnitPrice float64 // US dollars
	USD       float64 // a month, rounded to the cent
	Resource  string  // logical id, or what makes it outside the template
	Source    string  // template, or catalog for what AWS makes beside it
	PriceKey  string  // of the table of prices
}

// An Estimate is a month's bill.
type Estimate struct {
	Total    float64 // US dollars, the sum of the lines
	Lines    []Line
	Unpriced []string // what bills and has no price here, by name
	Warnings []string
}

// A Model estimates the bill of one stack under any load.
type Model struct {
	stack    assembly.Stack
	prices   price.Table
	workload workload

	logBytes    float64         // of a request
	extras      []string        // what bills and has no price under any load
	provisioner map[string]bool // the functions that work only during a deploy
}

// NewModel reads what of a stack does not depend on the load.
func NewModel(stack assembly.Stack, prices price.Table) Model {
	return Model{
		stack: stack, prices: prices, workload: workloadOf(stack.Template),
		logBytes: logBytesOf(stack.Template), extras: extrasOf(stack.Template), provisioner: provisionersOf(stack.Template),
	}
}

// Estimate returns the bill under a load. It fails when a price is missing; a
// resource type that bills and is not modelled is named in Unpriced.
func (mod Model) Estimate(usage Usage) (Estimate, error) {
	m := bill{Model: mod, usage: usage, unpriced: map[string]bool{}}
	for _, id := range slices.Sorted(maps.Keys(m.stack.Template.Resources)) {
		m.add(id, m.stack.Template.Resources[id])
	}
	m.traffic()
	for _, name := range m.extras {
		m.unpriced[name] = true
	}
	m.estimate.Unpriced = slices.Sorted(maps.Keys(m.unpriced))
	for _, line := range m.estimate.Lines {
		m.estimate.Total = cents(m.estimate.Total + line.USD)
	}
	return m.estimate, m.err
}

// bill is an estimate in the making.
type bill struct {
	Model
	usage    Usage
	estimate Estimate
	unpriced map[string]bool
	err      error
}

// line adds an item to the bill.
func (m *bill) line(item, key string, quantity float64, resource string) {
	p, err := m.prices.Get(key)
	if err != nil {
		if m.err == nil {
			m.err = fmt.Errorf("%s: %w", m.stack.ID, err)
		}
		p = price.Price{}
	}
	m.estimate.Lines = append(m.estimate.Lines, Line{
		Item: item, Quantity: quantity, Unit: p.Unit, UnitPrice: p.USD, USD: cents(quantity * p.USD), Resource: resource, Source: "template", PriceKey: key,
	})
}

// outsideLine adds an item that AWS makes and the template does not hold.
func (m *bill) outsideLine(item, key string, quantity float64, resource string) {
	m.line(item, key, quantity, resource)
	m.estimate.Lines[len(m.estimate.Lines)-1].Source = "catalog"
}

// alarm prices the metrics of an alarm at standard resolution.
func (m *bill) alarm(id string, alarm assembly.Resource) {
	if period := inventory.Number(alarm.Properties["Period"]); period > 0 && period < 60 {
		m.cannotPrice(alarm.Type, "high resolution")
		return
	}
	metrics := 0
	for _, metric := range inventory.List(alarm.Properties["Metrics"]) {
		if inventory.Object(metric)["MetricStat"] != nil {
			metrics++
		}
	}
	m.line("alarm", "cloudwatch.alarm", float64(max(metrics, 1)), id)
}

func cents(usd float64) float64 { return math.Round(usd*100) / 100 }

func (m *bill) warn(format string, args ...any) {
	m.estimate.Warnings = append(m.estimate.Warnings, fmt.Sprintf(format, args...))
}

// add prices one resource, or notes that it cannot.
func (m *bill) add(id string, r assembly.Resource) {
	switch r.Type {
	case "AWS::ElasticLoadBalancingV2::LoadBalancer":
		m.loadBalancer(id, r)
	case "AWS::EC2::NatGateway":
		m.line("NAT gateway", "nat.hour", HoursPerMonth, id)
		// Notes take the S3 endpoint, which is free. Logs go through.
		if logs := m.logGB(); logs > 0 {
			m.line("data through NAT, logs", "nat.gb", logs/float64(m.count(r.Type)), id)
		}
	case "AWS::EC2::EIP":
		m.line("public IPv4 of the NAT gateway", "ipv4", HoursPerMonth, id)
	case "AWS::ECS::Service":
		m.ecsService(id, r)
	case "AWS::ECS::Cluster":
		for _, setting := range inventory.List(r.Properties["ClusterSettings"]) {
			if value := inventory.Object(setting)["Value"]; value == "enhanced" || value == "enabled" {
				m.unpriced["Container Insights of AWS::ECS::Cluster"] = true
			}
		}
	case "AWS::EKS::Cluster":
		m.line("EKS control plane", "eks.cluster", HoursPerMonth, id)
	case "AWS::EKS::Nodegroup":
		m.nodes(id, r)
	case "AWS::Lambda::Function":
		m.function(id, r)
	case "AWS::AppRunner::Service":
		m.appRunner(id, r)
	case "AWS::AutoScaling::AutoScalingGroup":
		if m.count("AWS::ECS::Service") == 0 { // with a service, its tasks say how many
			m.cannotPrice(r.Type, "what runs on it")
		}
	case "AWS::CloudWatch::Alarm":
		m.alarm(id, r)
	case "AWS::ApplicationAutoScaling::ScalingPolicy":
		if r.Properties["PolicyType"] == "TargetTrackingScaling" {
			m.outsideLine("alarms that target tracking adds", "cloudwatch.alarm", 2, id)
		}
	case "AWS::ECS::CapacityProvider":
		if field(r.Properties, "AutoScalingGroupProvider", "ManagedScaling", "Status") == "ENABLED" {
			m.outsideLine("alarms that the capacity provider adds", "cloudwatch.alarm", 2, id)
		}
	default:
		if !free[r.Type] {
			m.unpriced[r.Type] = true
		}
	}
}

// free are the types that do not bill by themselves. Auto scaling groups, task
// definitions and launch templates are priced with what uses them, and log
// groups and buckets with the traffic.
var free = map[string]bool{
	"AWS::AppRunner::AutoScalingConfiguration":      true,
	"AWS::ApplicationAutoScaling::ScalableTarget":   true,
	"AWS::CodeDeploy::Application":                  true,
	"AWS::CodeDeploy::DeploymentGroup":              true,
	"AWS::EC2::InternetGateway":                     true,
	"AWS::EC2::LaunchTemplate":                      true,
	"AWS::EC2::Route":                               true,
	"AWS::EC2::RouteTable":                          true,
	"AWS::EC2::SecurityGroup":                       true,
	"AWS::EC2::SecurityGroupEgress":                 true,
	"AWS::EC2::SecurityGroupIngress":                true,
	"AWS::EC2::Subnet":                              true,
	"AWS::EC2::SubnetRouteTableAssociation":         true,
	"AWS::EC2::VPC":                                 true,
	"AWS::EC2::VPCEndpoint":                         true, // gateway endpoints, the only kind here
	"AWS::EC2::VPCGatewayAttachment":                true,
	"AWS::ECS::ClusterCapacityProviderAssociations": true,
	"AWS::ECS::TaskDefinition":                      true,
	"AWS::EKS::AccessEntry":                         true,
	"AWS::EKS::Addon":                               true,
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
	"AWS::Logs::LogGroup":                           true,
	"AWS::S3::Bucket":                               true,
	"AWS::S3::BucketPolicy":                         true,
	"AWS::SNS::TopicPolicy":                         true,
	"AWS::SSM::Parameter":                           true, // standard tier
	"Custom::AWSCDK-EKS-HelmChart":                  true,
	"Custom::AWSCDK-EKS-KubernetesResource":         true,
	"Custom::AWSCDKCfnJson":                         true,
	"Custom::S3AutoDeleteObjects":                   true,
	"Custom::VpcRestrictDefaultSG":                  true,
}

// count returns how many resources of a type the template has.
func (m *bill) count(resource string) int {
	n := 0
	for _, r := range m.stack.Template.Resources {
		if r.Type == resource {
			n++
		}
	}
	return n
}

// find returns the resource that a reference points to.
func (m *bill) find(reference any) assembly.Resource {
	return m.stack.Template.Resources[inventory.Target(reference)]
}
