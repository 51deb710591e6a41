package cost

import (
	"math"
	"slices"
	"strings"

	"refdeploy/app/contract"
	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/inventory"
	"refdeploy/internal/size"
)

const (
	// defaultUtilization is the CPU target where the template sets none.
	defaultUtilization = 0.6

	// waitingMiB is the memory of a request that waits for others (100 kB,
	// measured with the app, 2026-11-23). Half of a copy's memory is for them.
	waitingMiB = 0.1

	// lambdaConcurrency is how many requests an account's functions take at
	// once, the default quota of a region (AWS Lambda quotas, 2026-11-23; a new
	// account may have less).
	lambdaConcurrency = 1000

	// lambdaPayloadKB is the size of a request, and of a response (AWS Lambda
	// quotas: 6 MB each, read 2026-11-23).
	lambdaPayloadKB = 6 * 1024 * 1.024

	// appRunnerSeconds is when App Runner ends a request (AWS App Runner
	// documentation, 120 seconds, read 2026-11-23).
	appRunnerSeconds = 120
)

// atOnce is how many waiting requests a copy of some memory holds. Our app waits
// for its store, with so many requests at once and no more.
func (r *reader) atOnce(mib float64) float64 {
	if r.sample() {
		return contract.StoreSlots
	}
	return math.Floor(mib / 2 / waitingMiB)
}

// ecsService prices the tasks of a service, on Fargate or on the instances of
// its capacity provider.
func (r *reader) ecsService(id string, service assembly.Resource) {
	// Without a count, ECS starts one task.
	tasks := bill.Capacity{Name: "tasks", Least: max(1, int(inventory.Number(service.Properties["DesiredCount"]))), Utilization: defaultUtilization}
	tasks.Most = tasks.Least
	for _, found := range r.stack.Template.Resources {
		p := found.Properties
		switch {
		case found.Type == "AWS::ApplicationAutoScaling::ScalableTarget" && refersTo(p["ResourceId"], id):
			tasks.Least = max(tasks.Least, int(inventory.Number(p["MinCapacity"])))
			tasks.Most = int(inventory.Number(p["MaxCapacity"]))
		case found.Type == "AWS::ApplicationAutoScaling::ScalingPolicy" && refersTo(r.find(p["ScalingTargetId"]).Properties["ResourceId"], id):
			if target := inventory.Number(field(p, "TargetTrackingScalingPolicyConfiguration", "TargetValue")); target > 0 {
				tasks.Utilization = target / 100
			}
		}
	}
	task := r.find(service.Properties["TaskDefinition"])
	switch r.launchType(service) {
	case "FARGATE":
		r.fargate(id, service, task, tasks)
	case "EC2":
		r.tasksOnInstances(task, tasks)
	case "MANAGED_INSTANCES":
		provider := inventory.Target(inventory.Object(inventory.List(service.Properties["CapacityProviderStrategy"])[0])["CapacityProvider"])
		r.managedInstances(provider, r.stack.Template.Resources[provider], task, tasks)
	case "EXTERNAL":
		r.ownServers(id, service, task, tasks)
	default:
		r.cannotPrice(service.Type, "what its tasks run on")
		return
	}
	r.insights(id, service, task)
}

// refersTo is whether a value has a reference to a resource in it.
func refersTo(value any, id string) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, func(part any) bool { return refersTo(part, id) })
	case map[string]any:
		if inventory.Target(v) == id {
			return true
		}
		for _, part := range v {
			if refersTo(part, id) {
				return true
			}
		}
	}
	return false
}

// Container Insights with enhanced observability bills its metrics: of a
// cluster, a service and a task definition, and of each task, container and
// instance. The counts are an estimate from the list of metrics in the Amazon
// CloudWatch User Guide; only an account can show them.
const clusterMetrics, taskMetrics, containerMetrics, hostMetrics = 60, 12, 10, 12

func (r *reader) insights(id string, service, task assembly.Resource) {
	for _, setting := range inventory.List(r.find(service.Properties["Cluster"]).Properties["ClusterSettings"]) {
		switch inventory.Object(setting)["Value"] {
		case "enabled":
			r.cannotPrice("AWS::ECS::Cluster", "Container Insights without enhanced observability")
		case "enhanced":
			containers := float64(len(inventory.List(task.Properties["ContainerDefinitions"])))
			r.outside("Container Insights, cluster and service", "insights.metric", bill.Month, clusterMetrics, id)
			r.outside("Container Insights, tasks and containers", "insights.metric", bill.Copies, taskMetrics+containers*containerMetrics, id)
			if n := len(r.plan.Capacity); n > 0 && r.plan.Capacity[n-1].Host != nil {
				r.outside("Container Insights, instances", "insights.metric", bill.Hosts, hostMetrics, id)
			}
		}
	}
}

// launchType is what the tasks of a service run on, "" when the template does
// not say or it is nothing that the model knows.
func (r *reader) launchType(service assembly.Resource) string {
	for _, s := range inventory.List(service.Properties["CapacityProviderStrategy"]) {
		provider := inventory.Object(s)["CapacityProvider"]
		if provider == "FARGATE" {
			return "FARGATE"
		}
		if field(r.find(provider).Properties, "AutoScalingGroupProvider") != nil {
			return "EC2"
		}
		if field(r.find(provider).Properties, "ManagedInstancesProvider") != nil {
			return "MANAGED_INSTANCES"
		}
		return ""
	}
	if launchType := service.Properties["LaunchType"]; launchType != nil {
		return str(launchType)
	}
	return "EC2" // ECS's default
}

// sizeOf returns CPU in units or memory in MiB, which ECS also takes as "1 vCPU"
// or "2 GB".
func sizeOf(value any) float64 {
	for _, unit := range []string{" vCPU", " GB"} {
		if n, ok := strings.CutSuffix(str(value), unit); ok {
			return inventory.Number(n) * 1024
		}
	}
	return inventory.Number(value)
}

func (r *reader) fargate(id string, service, task assembly.Resource, tasks bill.Capacity) {
	vCPU, mib := sizeOf(task.Properties["Cpu"])/1024, sizeOf(task.Properties["Memory"])
	if vCPU <= 0 || mib <= 0 {
		r.cannotPrice(service.Type, "a task of unknown size")
		return
	}
	tasks.VCPU, tasks.AtOnce = vCPU, r.atOnce(mib)
	r.plan.Capacity = append(r.plan.Capacity, tasks)
	kind := "x86"
	if inventory.Object(task.Properties["RuntimePlatform"])["CpuArchitecture"] == "ARM64" {
		kind = "arm"
	}
	r.charge("Fargate vCPU", "fargate."+kind+".vcpu", bill.CopyHours, vCPU, id)
	r.charge("Fargate memory", "fargate."+kind+".memory", bill.CopyHours, mib/1024, id)
	network := inventory.Object(inventory.Object(service.Properties["NetworkConfiguration"])["AwsvpcConfiguration"])
	if network["AssignPublicIp"] == "ENABLED" {
		r.charge("public IPv4 of tasks", "ipv4", bill.CopyHours, 1, id)
	}
}

// tasksOnInstances prices the auto scaling group that the tasks need. ECS
// measures a service's CPU against what the whole task reserves, its log router
// as well.
func (r *reader) tasksOnInstances(task assembly.Resource, tasks bill.Capacity) {
	var mib, appMiB float64
	for _, c := range inventory.List(task.Properties["ContainerDefinitions"]) {
		container := inventory.Object(c)
		tasks.VCPU += inventory.Number(container["Cpu"]) / 1024
		mib += inventory.Number(container["Memory"])
		appMiB = math.Max(appMiB, inventory.Number(container["Memory"]))
	}
	for _, groupID := range r.ids("AWS::AutoScaling::AutoScalingGroup") {
		group := r.stack.Template.Resources[groupID]
		template := inventory.Object(r.find(inventory.Object(group.Properties["LaunchTemplate"])["LaunchTemplateId"]).Properties["LaunchTemplateData"])
		name, machine, ok := r.instance(template)
		if !ok {
			return
		}
		if tasks.VCPU <= 0 || mib <= 0 {
			r.cannotPrice(group.Type, "tasks of unknown size")
			return
		}
		tasks.AtOnce = r.atOnce(appMiB)
		tasks.Host = &bill.Host{
			Name:  "instances",
			Least: int(inventory.Number(group.Properties["MinSize"])), Most: int(inventory.Number(group.Properties["MaxSize"])),
			VCPU: machine.VCPU, MiB: machine.MiB - size.SystemMiB, CopyVCPU: tasks.VCPU, CopyMiB: mib, EarnedVCPU: machine.VCPU * machine.Baseline,
		}
		public := false
		for _, card := range inventory.List(template["NetworkInterfaces"]) {
			public = public || inventory.Object(card)["AssociatePublicIpAddress"] == true
		}
		r.plan.Capacity = append(r.plan.Capacity, tasks)
		r.instances(groupID, name, machine, template, public)
	}
}

// ids returns the logical ids of a type, sorted.
func (r *reader) ids(resource string) []string {
	var ids []string
	for id, found := range r.stack.Template.Resources {
		if found.Type == resource {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// instance returns the type that a launch template starts.
func (r *reader) instance(template map[string]any) (string, size.Instance, bool) {
	name, _ := template["InstanceType"].(string)
	machine, ok := size.InstanceOf(name)
	if !ok {
		r.unpriced["instance type "+name] = true
	}
	return name, machine, ok
}

// instances prices the instances of the capacity that was added last, with
// their disks, addresses and surplus credits.
func (r *reader) instances(id, name string, machine size.Instance, template map[string]any, public bool) {
	r.charge("instances, "+name, "ec2."+name, bill.HostHours, 1, id)
	if machine.Baseline > 0 {
		family, _, _ := strings.Cut(name, ".")
		r.charge("surplus CPU credits", "ec2.credits."+family, bill.SurplusHours, 1, id)
	}
	for _, mapping := range inventory.List(template["BlockDeviceMappings"]) {
		disk := inventory.Object(inventory.Object(mapping)["Ebs"])
		r.charge("disk of instances", "ebs."+str(disk["VolumeType"]), bill.Hosts, inventory.Number(disk["VolumeSize"]), id)
	}
	if public {
		r.charge("public IPv4 of instances", "ipv4", bill.HostHours, 1, id)
	}
}

// function prices the app's function, which a URL calls. Those that the CDK
// brings work only during a deploy.
func (r *reader) function(id string, function assembly.Resource) {
	called := false
	for _, found := range r.stack.Template.Resources {
		called = called || found.Type == "AWS::Lambda::Url" && inventory.Target(found.Properties["TargetFunctionArn"]) == id
	}
	switch {
	case !called && !r.provisioner[id]:
		r.cannotPrice(function.Type, "what calls it")
		return
	case !called:
		return
	}
	mib := inventory.Number(function.Properties["MemorySize"])
	if mib == 0 {
		mib = 128 // Lambda's default
	}
	kind := "x86"
	if slices.Contains(inventory.List(function.Properties["Architectures"]), any("arm64")) {
		kind = "arm"
	}
	concurrency := float64(lambdaConcurrency)
	if reserved := inventory.Number(function.Properties["ReservedConcurrentExecutions"]); reserved > 0 {
		concurrency = reserved
	}
	r.plan.Capacity = append(r.plan.Capacity, bill.Capacity{Name: "environments", Function: &bill.Function{MiB: mib, Concurrency: concurrency}})
	r.charge("Lambda requests", "lambda.requests", bill.Requests, 1e-6, id)
	r.charge("Lambda duration", "lambda."+kind+".duration", bill.BilledSeconds, mib/1024, id)
	r.plan.Limits = bill.Limits{
		RequestKB: lambdaPayloadKB, ResponseKB: lambdaPayloadKB,
		Seconds: math.Max(3, inventory.Number(function.Properties["Timeout"])), SecondsBy: "the function's timeout",
	}
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
func (r *reader) appRunner(id string, service assembly.Resource) {
	instance := inventory.Object(service.Properties["InstanceConfiguration"])
	vCPU, gb := sizeOf(instance["Cpu"])/1024, sizeOf(instance["Memory"])/1024
	if vCPU <= 0 || gb <= 0 {
		r.cannotPrice(service.Type, "an instance of unknown size")
		return
	}
	scaling := r.find(service.Properties["AutoScalingConfigurationArn"]).Properties
	// App Runner adds instances by requests at once, not by CPU. A copy that
	// is kept below full is assumed, as everywhere else.
	r.plan.Capacity = append(r.plan.Capacity, bill.Capacity{
		Name: "instances", Least: int(inventory.Number(scaling["MinSize"])), Most: int(inventory.Number(scaling["MaxSize"])),
		VCPU: vCPU, Utilization: defaultUtilization, AtOnce: math.Min(inventory.Number(scaling["MaxConcurrency"]), r.atOnce(gb*1024)),
	})
	r.charge("App Runner memory", "apprunner.memory", bill.CopyHours, gb, id)
	r.charge("App Runner vCPU, while it works", "apprunner.vcpu", bill.ActiveHours, vCPU, id)
	r.plan.Limits = bill.Limits{Seconds: appRunnerSeconds, SecondsBy: "App Runner"}
}
