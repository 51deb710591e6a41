package cost

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
)

const (
	// defaultUtilization is the CPU target where the template sets none.
	defaultUtilization = 0.6

	// mibPerVCPU is the memory for which Lambda gives a full vCPU (AWS Lambda
	// documentation, configuring function memory).
	mibPerVCPU = 1769

	// appRunnerActiveSeconds is how long App Runner bills an instance as active
	// after it began to work: a minute at least (AWS App Runner pricing).
	appRunnerActiveSeconds = 60

	// systemMiB and systemVCPU of an instance go to its agents and the system,
	// an estimate.
	systemMiB, systemVCPU = 256, 0.1

	// systemPods are the places on a node that EKS's own pods and the load
	// balancer controller take: network, proxy, identity agent, two of DNS, two
	// of metrics, and one controller.
	systemPods = 8
)

// An instanceType is what fits on an instance.
type instanceType struct {
	vCPU, mib float64
	pods      int     // that a node of EKS takes with its network interfaces
	baseline  float64 // share of a vCPU beyond which credits are spent, or 0
}

// instanceTypes are those that the stacks use (AWS EC2 instance types; pods from
// the list of the Amazon VPC CNI).
var instanceTypes = map[string]instanceType{
	"t3.small":   {2, 2048, 11, 0.2},
	"t3.medium":  {2, 4096, 17, 0.2},
	"t4g.small":  {2, 2048, 11, 0.2},
	"t4g.medium": {2, 4096, 17, 0.2},
}

// copies is how many copies of the app the load needs.
func (m *bill) copies(least, most int, vCPU, utilization float64) int {
	seconds := m.usage.CPU()
	if seconds == 0 || m.usage.LoadedHours() == 0 {
		return least
	}
	if vCPU <= 0 || utilization <= 0 {
		m.warn("the template does not say how large a copy of the app is, or when to add one; it is priced without load")
		return least
	}
	needed := max(least, int(math.Ceil(seconds/(vCPU*utilization)-1e-9)))
	if needed > most {
		m.warn("the load needs %d copies of the app; the template allows %d", needed, most)
	}
	return needed
}

// hours is how long n copies run in a month, of which least always do.
func (m *bill) hours(least, n float64) float64 {
	return least*HoursPerMonth + (n-least)*m.usage.LoadedHours()
}

// ecsService prices the tasks of a service, on Fargate or on the instances of
// its capacity provider.
func (m *bill) ecsService(id string, service assembly.Resource) {
	// Without a count, ECS starts one task.
	least := max(1, int(inventory.Number(service.Properties["DesiredCount"])))
	most, utilization := least, defaultUtilization
	for _, r := range m.stack.Template.Resources {
		switch r.Type {
		case "AWS::ApplicationAutoScaling::ScalableTarget":
			least = max(least, int(inventory.Number(r.Properties["MinCapacity"])))
			most = int(inventory.Number(r.Properties["MaxCapacity"]))
		case "AWS::ApplicationAutoScaling::ScalingPolicy":
			utilization = inventory.Number(inventory.Object(r.Properties["TargetTrackingScalingPolicyConfiguration"])["TargetValue"]) / 100
		}
	}
	task := m.find(service.Properties["TaskDefinition"])
	switch m.launchType(service) {
	case "FARGATE":
		m.fargate(id, service, task, least, most, utilization)
	case "EC2":
		m.tasksOnInstances(task, least, most, utilization)
	default:
		m.cannotPrice(service.Type, "what its tasks run on")
	}
}

// launchType is what the tasks of a service run on, "" when the template does
// not say or it is nothing that the model knows.
func (m *bill) launchType(service assembly.Resource) string {
	for _, s := range inventory.List(service.Properties["CapacityProviderStrategy"]) {
		provider := inventory.Object(s)["CapacityProvider"]
		if provider == "FARGATE" {
			return "FARGATE"
		}
		if field(m.find(provider).Properties, "AutoScalingGroupProvider") != nil {
			return "EC2"
		}
		return ""
	}
	if launchType := service.Properties["LaunchType"]; launchType != nil {
		return str(launchType)
	}
	return "EC2" // ECS's default
}

// size returns CPU in units or memory in MiB, which ECS also takes as "1 vCPU"
// or "2 GB".
func size(value any) float64 {
	for _, unit := range []string{" vCPU", " GB"} {
		if n, ok := strings.CutSuffix(str(value), unit); ok {
			return inventory.Number(n) * 1024
		}
	}
	return inventory.Number(value)
}

func (m *bill) fargate(id string, service, task assembly.Resource, least, most int, utilization float64) {
	vCPU, gb := size(task.Properties["Cpu"])/1024, size(task.Properties["Memory"])/1024
	if vCPU <= 0 || gb <= 0 {
		m.cannotPrice(service.Type, "a task of unknown size")
		return
	}
	hours := m.hours(float64(least), float64(m.copies(least, most, vCPU, utilization)))
	kind := "x86"
	if inventory.Object(task.Properties["RuntimePlatform"])["CpuArchitecture"] == "ARM64" {
		kind = "arm"
	}
	m.line("Fargate vCPU", "fargate."+kind+".vcpu", vCPU*hours, id)
	m.line("Fargate memory", "fargate."+kind+".memory", gb*hours, id)
	network := inventory.Object(inventory.Object(service.Properties["NetworkConfiguration"])["AwsvpcConfiguration"])
	if network["AssignPublicIp"] == "ENABLED" {
		m.line("public IPv4 of tasks", "ipv4", hours, id)
	}
}

// tasksOnInstances prices the auto scaling group that the tasks need.
func (m *bill) tasksOnInstances(task assembly.Resource, least, most int, utilization float64) {
	var cpu, mib, appCPU float64
	for _, c := range inventory.List(task.Properties["ContainerDefinitions"]) {
		container := inventory.Object(c)
		cpu += inventory.Number(container["Cpu"]) / 1024
		mib += inventory.Number(container["Memory"])
		if container["Name"] == "App" {
			appCPU = inventory.Number(container["Cpu"]) / 1024
		}
	}
	for groupID, group := range m.stack.Template.Resources {
		if group.Type != "AWS::AutoScaling::AutoScalingGroup" {
			continue
		}
		template := inventory.Object(m.find(inventory.Object(group.Properties["LaunchTemplate"])["LaunchTemplateId"]).Properties["LaunchTemplateData"])
		name, size, ok := m.instance(template)
		if !ok {
			return
		}
		tasks := float64(m.copies(least, most, appCPU, utilization))
		if cpu <= 0 || mib <= 0 {
			m.cannotPrice(group.Type, "tasks of unknown size")
			return
		}
		fit := math.Max(math.Floor(math.Min((size.vCPU-systemVCPU)/cpu, (size.mib-systemMiB)/mib)), 1)
		always := math.Max(math.Ceil(float64(least)/fit), inventory.Number(group.Properties["MinSize"]))
		n := math.Max(math.Ceil(tasks/fit), always)
		if most := inventory.Number(group.Properties["MaxSize"]); n > most {
			m.warn("the load needs %g instances; the template allows %g", n, most)
		}
		public := false
		for _, card := range inventory.List(template["NetworkInterfaces"]) {
			public = public || inventory.Object(card)["AssociatePublicIpAddress"] == true
		}
		m.instances(groupID, name, size, m.hours(always, n), template, public)
	}
}

// nodes prices a managed node group.
func (m *bill) nodes(id string, group assembly.Resource) {
	template := inventory.Object(m.find(inventory.Object(group.Properties["LaunchTemplate"])["Id"]).Properties["LaunchTemplateData"])
	name, size, ok := m.instance(template)
	if !ok {
		return
	}
	deployment, scaler := m.workload.deployment, m.workload.scaler
	cpu, mib, least, pods := 0.1, 64.0, 1, 1
	if deployment != nil && scaler != nil {
		requests := deployment.Spec.Template.Spec.Containers[0].Resources.Requests
		cpu, mib = requests.Cpu().AsApproximateFloat64(), requests.Memory().AsApproximateFloat64()/(1<<20)
		least = int(*scaler.Spec.MinReplicas)
		pods = m.copies(least, int(scaler.Spec.MaxReplicas), cpu, utilizationOf(scaler))
	} else if m.usage.CPU() > 0 {
		m.warn("the template has no Deployment with an autoscaler; the nodes are priced without load")
	}
	// A pod that requests nothing takes a place, and no CPU or memory.
	fit := float64(size.pods - systemPods)
	if cpu > 0 {
		fit = math.Min(fit, math.Floor((size.vCPU-systemVCPU)/cpu))
	}
	if mib > 0 {
		fit = math.Min(fit, math.Floor((size.mib-systemMiB)/mib))
	}
	if fit < 1 {
		m.cannotPrice(group.Type, "a pod does not fit on "+name)
		return
	}
	scaling := inventory.Object(group.Properties["ScalingConfig"])
	always := math.Max(math.Ceil(float64(least)/fit), inventory.Number(scaling["MinSize"]))
	n := math.Max(math.Ceil(float64(pods)/fit), always)
	if most := inventory.Number(scaling["MaxSize"]); n > most {
		m.warn("the load needs %g nodes; the template allows %g, and nothing adds them", n, most)
	}
	public := false
	for _, subnet := range inventory.List(group.Properties["Subnets"]) {
		public = public || m.find(subnet).Properties["MapPublicIpOnLaunch"] == true
	}
	m.instances(id, name, size, m.hours(always, n), template, public)
}

// utilizationOf is the share of its CPU request at which an autoscaler keeps a
// pod.
func utilizationOf(scaler *autoscalingv2.HorizontalPodAutoscaler) float64 {
	for _, metric := range scaler.Spec.Metrics {
		if r := metric.Resource; r != nil && r.Name == corev1.ResourceCPU && r.Target.AverageUtilization != nil {
			return float64(*r.Target.AverageUtilization) / 100
		}
	}
	return defaultUtilization
}

// instance returns the type that a launch template starts.
func (m *bill) instance(template map[string]any) (string, instanceType, bool) {
	name, _ := template["InstanceType"].(string)
	size, ok := instanceTypes[name]
	if !ok {
		m.unpriced["instance type "+name] = true
	}
	return name, size, ok
}

// instances prices instances that run for some hours together, with their disks,
// addresses and surplus credits.
func (m *bill) instances(id, name string, size instanceType, hours float64, template map[string]any, public bool) {
	m.line("instances, "+name, "ec2."+name, hours, id)
	busy := m.usage.CPU() * m.usage.LoadedHours()
	if surplus := busy - hours*size.vCPU*size.baseline; size.baseline > 0 && surplus > 0 {
		family, _, _ := strings.Cut(name, ".")
		m.line("surplus CPU credits", "ec2.credits."+family, surplus, id)
	}
	for _, mapping := range inventory.List(template["BlockDeviceMappings"]) {
		disk := inventory.Object(inventory.Object(mapping)["Ebs"])
		m.line("disk of instances", "ebs."+str(disk["VolumeType"]), hours/HoursPerMonth*inventory.Number(disk["VolumeSize"]), id)
	}
	if public {
		m.line("public IPv4 of instances", "ipv4", hours, id)
	}
}

// A workload is the app's Deployment and its autoscaler, nil without Kubernetes.
type workload struct {
	deployment *appsv1.Deployment
	scaler     *autoscalingv2.HorizontalPodAutoscaler
}

// workloadOf finds the workload in a template's manifests.
func workloadOf(template assembly.Template) workload {
	var found workload
	for _, r := range template.Resources {
		if r.Type != "Custom::AWSCDK-EKS-KubernetesResource" {
			continue
		}
		var objects []json.RawMessage
		if json.Unmarshal([]byte(text(r.Properties["Manifest"])), &objects) != nil {
			continue
		}
		for _, object := range objects {
			var kind struct{ Kind string }
			if json.Unmarshal(object, &kind) != nil {
				continue
			}
			switch kind.Kind {
			case "Deployment":
				var d appsv1.Deployment
				if json.Unmarshal(object, &d) == nil && len(d.Spec.Template.Spec.Containers) > 0 {
					found.deployment = &d
				}
			case "HorizontalPodAutoscaler":
				var h autoscalingv2.HorizontalPodAutoscaler
				if json.Unmarshal(object, &h) == nil && len(h.Spec.Metrics) > 0 && h.Spec.MinReplicas != nil {
					found.scaler = &h
				}
			}
		}
	}
	return found
}

// text returns a string, or the literal parts of Fn::Join with a name in place
// of each reference.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	var b strings.Builder
	if join := inventory.List(inventory.Object(value)["Fn::Join"]); len(join) == 2 {
		for _, part := range inventory.List(join[1]) {
			if s, ok := part.(string); ok {
				b.WriteString(s)
			} else {
				b.WriteString("reference")
			}
		}
	}
	return b.String()
}

func str(value any) string {
	s, _ := value.(string)
	return s
}

// function prices the app's function, which a URL calls. Those that the CDK
// brings work only during a deploy.
func (m *bill) function(id string, function assembly.Resource) {
	called := false
	for _, r := range m.stack.Template.Resources {
		called = called || r.Type == "AWS::Lambda::Url" && inventory.Target(r.Properties["TargetFunctionArn"]) == id
	}
	switch {
	case !called && !m.provisioner[id]:
		m.cannotPrice(function.Type, "what calls it")
		return
	case !called || m.usage.Requests() == 0:
		return
	}
	mib := inventory.Number(function.Properties["MemorySize"])
	kind := "x86"
	if slices.Contains(inventory.List(function.Properties["Architectures"]), any("arm64")) {
		kind = "arm"
	}
	requests := m.usage.Requests()
	// CPU comes with memory, so less memory makes a request take longer. Lambda
	// bills by the millisecond, begun ones in full.
	millis := math.Ceil(m.usage.CPUMillis/math.Min(1, mib/mibPerVCPU) - 1e-9)
	if timeout := inventory.Number(function.Properties["Timeout"]); millis > timeout*1000 {
		m.warn("a request takes %g ms with %g MiB; the function ends after %g s", millis, mib, timeout)
	}
	m.line("Lambda requests", "lambda.requests", requests/1e6, id)
	m.line("Lambda duration", "lambda."+kind+".duration", requests*millis/1000*mib/1024, id)
}

// provisionersOf returns the functions that belong to custom resources, or to
// the CDK's framework for them.
func provisionersOf(template assembly.Template) map[string]bool {
	found := map[string]bool{}
	for _, r := range template.Resources {
		found[inventory.Target(r.Properties["ServiceToken"])] = true
		found[inventory.Target(field(r.Properties, "Environment", "Variables", "USER_ON_EVENT_FUNCTION_ARN"))] = true
	}
	return found
}

// appRunner prices the instances of a service: memory always, CPU while they
// work.
func (m *bill) appRunner(id string, service assembly.Resource) {
	instance := inventory.Object(service.Properties["InstanceConfiguration"])
	vCPU, gb := size(instance["Cpu"])/1024, size(instance["Memory"])/1024
	if vCPU <= 0 || gb <= 0 {
		m.cannotPrice(service.Type, "an instance of unknown size")
		return
	}
	scaling := m.find(service.Properties["AutoScalingConfigurationArn"]).Properties
	least := int(inventory.Number(scaling["MinSize"]))
	// App Runner adds instances by requests at once, not by CPU. A copy that
	// is kept below full is assumed, as everywhere else.
	n := float64(m.copies(least, int(inventory.Number(scaling["MaxSize"])), vCPU, defaultUtilization))

	working := math.Min(1, m.usage.RequestsPerSecond*appRunnerActiveSeconds)
	loaded := m.usage.LoadedHours()
	if m.usage.RequestsPerSecond == 0 {
		loaded = 0
	}
	m.line("App Runner memory", "apprunner.memory", gb*(n*loaded+float64(least)*(HoursPerMonth-loaded)), id)
	if active := n * loaded * working; active > 0 {
		m.line("App Runner vCPU, while it works", "apprunner.vcpu", vCPU*active, id)
	}
}
