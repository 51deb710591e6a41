package cost

import (
	"math"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/inventory"
	"refdeploy/internal/size"
)

const (
	// expressZones is how many zones the load balancer of Express Mode stands in:
	// all of the default VPC's, which are six in us-east-1 and fewer in most other
	// regions (AWS documentation, regions and zones, read 2026-11-27).
	expressZones = 6

	// serverVCPU is what a server of your own is assumed to have.
	serverVCPU = 2
)

// managedInstances prices the instances that ECS starts for tasks. The system
// of an instance takes what it takes elsewhere; a task takes a place, because it
// has a network interface of its own.
func (r *reader) managedInstances(id string, provider, task assembly.Resource, tasks bill.Capacity) {
	vCPU, mib := sizeOf(task.Properties["Cpu"])/1024, sizeOf(task.Properties["Memory"])
	template := field(provider.Properties, "ManagedInstancesProvider", "InstanceLaunchTemplate")
	types := inventory.List(field(template, "InstanceRequirements", "AllowedInstanceTypes"))
	if vCPU <= 0 || mib <= 0 || len(types) != 1 {
		r.cannotPrice(provider.Type, "tasks of unknown size, or a type that ECS chooses")
		return
	}
	if kind := field(template, "CapacityOptionType"); kind != nil && kind != "ON_DEMAND" {
		r.cannotPrice(provider.Type, "spot instances")
		return
	}
	name, machine, ok := r.instance(map[string]any{"InstanceType": types[0]})
	if !ok {
		return
	}
	subnets := inventory.List(field(template, "NetworkConfiguration", "Subnets"))
	public := false
	for _, subnet := range subnets {
		public = public || r.find(subnet).Properties["MapPublicIpOnLaunch"] == true
	}
	tasks.VCPU, tasks.AtOnce = vCPU, r.atOnce(mib)
	tasks.Host = &bill.Host{
		Name: "instances", Least: min(tasks.Least, len(subnets)), Most: tasks.Most, // tasks are spread over zones
		VCPU: machine.VCPU, MiB: machine.MiB - size.SystemMiB, Places: machine.Interfaces, CopyVCPU: vCPU, CopyMiB: mib,
	}
	r.plan.Capacity = append(r.plan.Capacity, tasks)
	r.charge("instances, "+name, "ec2."+name, bill.HostHours, 1, id)
	r.charge("fee for running the instances", "ecs.managed.fee", bill.HostHours, 1, id).ShareOf = "ec2." + name
	if disk := inventory.Number(field(template, "StorageConfiguration", "StorageSizeGiB")); disk > 0 {
		r.charge("disk of instances", "ebs.gp3", bill.Hosts, disk, id)
	}
	if public {
		r.charge("public IPv4 of instances", "ipv4", bill.HostHours, 1, id)
	}
}

// express prices a service of Express Mode and what that creates around it: the
// load balancer as a whole, though others may share it.
func (r *reader) express(id string, service assembly.Resource) {
	p := service.Properties
	if len(inventory.List(field(p, "NetworkConfiguration", "Subnets"))) > 0 || p["TaskDefinitionArn"] != nil {
		r.cannotPrice(service.Type, "subnets or a task definition of your own")
		return
	}
	vCPU, mib := sizeOf(p["Cpu"])/1024, sizeOf(p["Memory"])
	if vCPU <= 0 || mib <= 0 {
		r.cannotPrice(service.Type, "a task of unknown size")
		return
	}
	tasks := bill.Capacity{Name: "tasks", Least: 1, Most: 1, VCPU: vCPU, Utilization: defaultUtilization, AtOnce: r.atOnce(mib)}
	scaling := inventory.Object(p["ScalingTarget"])
	tasks.Least = max(tasks.Least, int(inventory.Number(scaling["MinTaskCount"])))
	tasks.Most = max(tasks.Least, int(inventory.Number(scaling["MaxTaskCount"])))
	if target := inventory.Number(scaling["AutoScalingTargetValue"]); scaling["AutoScalingMetric"] == "AVERAGE_CPU" && target > 0 {
		tasks.Utilization = target / 100
	}
	r.plan.Capacity = append(r.plan.Capacity, tasks)
	r.charge("Fargate vCPU", "fargate.x86.vcpu", bill.CopyHours, vCPU, id)
	r.charge("Fargate memory", "fargate.x86.memory", bill.CopyHours, mib/1024, id)
	r.outside("public IPv4 of tasks", "ipv4", bill.CopyHours, 1, id)
	r.outside("load balancer", "alb.hour", bill.Month, bill.HoursPerMonth, id)
	r.outside("public IPv4 of the load balancer, six zones assumed", "ipv4", bill.Month, expressZones*bill.HoursPerMonth, id)
	r.outside("load balancer capacity", "alb.lcu", bill.LCUHours, 1, id)
	r.outside("alarms of Express Mode: scaling, and releases", "cloudwatch.alarm", bill.Month, 3, id)
	r.plan.Limits.Seconds, r.plan.Limits.SecondsBy = 60, "the load balancer's idle timeout"
	r.plan.Remarks = append(r.plan.Remarks, "up to 25 services can share the load balancer, which is priced here as a whole")
	r.insights(id, service, assembly.Resource{Properties: map[string]any{"ContainerDefinitions": []any{p["PrimaryContainer"]}}})
}

// ownServers prices what AWS asks for servers that are yours, which have a copy
// of the app each.
func (r *reader) ownServers(id string, service, task assembly.Resource, tasks bill.Capacity) {
	if service.Properties["SchedulingStrategy"] != "DAEMON" {
		r.cannotPrice(service.Type, "how many servers it takes")
		return
	}
	tasks.Name, tasks.Least, tasks.Most, tasks.VCPU = "servers", 1, math.MaxInt32, serverVCPU
	says := "one server of yours is assumed, with 2 vCPU"
	if r.stack.Template.Setting("profile") == "production" {
		tasks.Least, says = 2, "two servers of yours are assumed, with 2 vCPU each"
	}
	for _, c := range inventory.List(task.Properties["ContainerDefinitions"]) {
		tasks.AtOnce = r.atOnce(inventory.Number(inventory.Object(c)["Memory"]))
	}
	r.plan.Capacity = append(r.plan.Capacity, tasks)
	r.charge("ECS Anywhere, for each server", "ecs.anywhere", bill.CopyHours, 1, id)
	r.plan.Remarks = append(r.plan.Remarks, says+"; what servers cost is not in the bill")
	r.plan.NotesLeave = true
}
