package cost

import (
	"encoding/json"
	"math"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/bundle"
	"refdeploy/internal/inventory"
	"refdeploy/internal/settings"
	"refdeploy/internal/size"
)

// nodes prices a managed node group.
func (r *reader) nodes(id string, group assembly.Resource) {
	template := inventory.Object(r.find(inventory.Object(group.Properties["LaunchTemplate"])["Id"]).Properties["LaunchTemplateData"])
	name, machine, ok := r.instance(template)
	if !ok {
		return
	}
	scaling := inventory.Object(group.Properties["ScalingConfig"])
	host := &bill.Host{
		Name: "nodes", Least: int(inventory.Number(scaling["MinSize"])), Most: int(inventory.Number(scaling["MaxSize"])),
		Places: machine.Pods, EarnedVCPU: machine.VCPU * machine.Baseline,
	}
	if r.podsOn(host, name, machine, group.Type) {
		r.instances(id, name, machine, template, r.public(group.Properties["Subnets"]))
	}
}

const (
	// autoPods is how many pods a node of Auto Mode takes (AWS documentation,
	// node classes of EKS Auto Mode, read 2026-11-27). Pods have addresses from a
	// prefix of the node's, so its interfaces do not bound them.
	autoPods = 110

	// autoDiskGB is the disk of the default node class (same).
	autoDiskGB = 80
)

// autoNodes prices what EKS Auto Mode starts for the pods.
func (r *reader) autoNodes(id string, cluster assembly.Resource) {
	deployment := r.workload.deployment
	if deployment == nil {
		r.cannotPrice(cluster.Type, "Auto Mode nodes")
		return
	}
	pod := deployment.Spec.Template.Spec
	asked := pod.Containers[0].Resources.Requests
	architecture := map[string]string{"arm64": "arm64", "amd64": "x86_64"}[pod.NodeSelector["kubernetes.io/arch"]]
	machine, ok := size.AutoMachines.For(architecture, size.Size{
		CPU: int(asked.Cpu().MilliValue() * 1024 / 1000), MiB: int(asked.Memory().Value() >> 20),
	}, 1, size.EKSRoom)
	name := machine.Type
	if !ok {
		r.cannotPrice(cluster.Type, "Auto Mode nodes")
		return
	}
	host := &bill.Host{Name: "nodes", Least: 1, Most: math.MaxInt32, Places: autoPods}
	// The pods ask to be spread, and Auto Mode starts a node for each that does.
	if scaler := r.workload.scaler; scaler != nil && len(pod.TopologySpreadConstraints) > 0 {
		host.Least = int(*scaler.Spec.MinReplicas)
	}
	if limit := r.workload.poolCPU; limit > 0 {
		host.Most = int(limit / machine.VCPU)
	}
	if !r.podsOn(host, name, machine, cluster.Type) {
		return
	}
	r.outside("instances, "+name, "ec2."+name, bill.HostHours, 1, id)
	r.outside("fee for running the instances", "eks.auto.fee", bill.HostHours, 1, id)
	r.plan.Charges[len(r.plan.Charges)-1].ShareOf = "ec2." + name
	r.outside("disk of instances", "ebs.gp3", bill.Hosts, autoDiskGB, id)
	if r.public(field(cluster.Properties, "ResourcesVpcConfig", "SubnetIds")) {
		r.outside("public IPv4 of instances", "ipv4", bill.HostHours, 1, id)
	}
}

// podsOn adds the app's pods as capacity that runs on host, whose size it fills
// in, and is false when they do not fit.
func (r *reader) podsOn(host *bill.Host, name string, machine size.Instance, resource string) bool {
	pods := bill.Capacity{Name: "pods", Least: 1, Most: 1, Host: host}
	cpu, mib := 0.1, 64.0
	if r.workload.deployment != nil && r.workload.scaler != nil {
		cpu, mib = r.pods(&pods)
	} else {
		r.warn("the template has no Deployment with an autoscaler; the nodes are priced without load")
	}
	reservedVCPU, reservedMiB := machine.Reserved()
	host.VCPU, host.MiB = machine.VCPU-reservedVCPU, machine.MiB-reservedMiB
	host.CopyVCPU, host.CopyMiB = cpu, mib
	r.systemPods(host)
	if host.VCPU < cpu || host.MiB < mib || host.Places < 1 {
		r.cannotPrice(resource, "a pod does not fit on "+name)
		return false
	}
	r.plan.Capacity = append(r.plan.Capacity, pods)
	return true
}

// pods reads how many pods the autoscaler keeps, and returns what each asks for.
func (r *reader) pods(pods *bill.Capacity) (vCPU, mib float64) {
	container := r.workload.deployment.Spec.Template.Spec.Containers[0].Resources
	scaler := r.workload.scaler
	vCPU, mib = container.Requests.Cpu().AsApproximateFloat64(), container.Requests.Memory().AsApproximateFloat64()/(1<<20)
	pods.Least, pods.Most = int(*scaler.Spec.MinReplicas), int(scaler.Spec.MaxReplicas)
	pods.VCPU, pods.Utilization = vCPU, utilizationOf(scaler)
	pods.AtOnce = r.atOnce(math.Max(mib, container.Limits.Memory().AsApproximateFloat64()/(1<<20)))
	return vCPU, mib
}

// public is whether some of the subnets give an instance a public address.
func (r *reader) public(subnets any) bool {
	return slices.ContainsFunc(inventory.List(subnets), func(subnet any) bool {
		return r.find(subnet).Properties["MapPublicIpOnLaunch"] == true
	})
}

// fargatePods prices the machines that a Fargate profile gives to pods: the
// app's, which come and go, and the system's, which stay.
func (r *reader) fargatePods(id string, profile assembly.Resource) {
	if r.count(profile.Type) > 1 || r.workload.deployment == nil || r.workload.scaler == nil {
		r.cannotPrice(profile.Type, "which pods it takes")
		return
	}
	pods := bill.Capacity{Name: "pods"}
	vCPU, gb, ok := fargateSize(r.pods(&pods))
	system := 0.0
	for _, found := range r.stack.Template.Resources {
		switch found.Type {
		case "AWS::EKS::Addon":
			pod := addOnOf(found.Properties)
			if pod.perNode {
				continue // Fargate brings its own
			}
			podVCPU, podGB, fits := fargateSize(pod.vCPU, pod.mib)
			ok = ok && fits && podVCPU == smallestVCPU && podGB == smallestGB
			system += pod.count
		case "Custom::AWSCDK-EKS-HelmChart":
			system += replicas(found.Properties["Values"]) // whose values request nothing: the smallest
		}
	}
	if !ok {
		r.cannotPrice(profile.Type, "pods of a size that is not modelled")
		return
	}
	r.plan.Capacity = append(r.plan.Capacity, pods)
	r.charge("Fargate vCPU", "fargate.x86.vcpu", bill.CopyHours, vCPU, id)
	r.charge("Fargate memory", "fargate.x86.memory", bill.CopyHours, gb, id)
	r.outside("Fargate vCPU, system pods", "fargate.x86.vcpu", bill.Month, system*smallestVCPU*bill.HoursPerMonth, id)
	r.outside("Fargate memory, system pods", "fargate.x86.memory", bill.Month, system*smallestGB*bill.HoursPerMonth, id)
}

// elsewhere reads the pods of a deployment whose cluster is not on AWS from its
// files: they bill nothing there, and what they ask of S3 does.
func (r *reader) elsewhere() {
	if !r.ours() || r.stack.Template.Outputs["PublishKeys"].Value == nil {
		return
	}
	chosen := settings.FromMetadata(r.stack.Template.Setting)
	app := bundle.App(chosen, map[string]string{"NotesBucket": "any"}) // without one it would not scale
	for _, object := range app.Objects() {
		switch o := object.(type) {
		case *appsv1.Deployment:
			r.workload.deployment = o
		case *autoscalingv2.HorizontalPodAutoscaler:
			r.workload.scaler = o
		}
	}
	pods := bill.Capacity{Name: "pods"}
	r.pods(&pods)
	r.plan.Capacity = append(r.plan.Capacity, pods)
	r.plan.NotesLeave = true
	r.plan.Remarks = append(r.plan.Remarks, "your servers, and a subscription to support for EKS Anywhere, are not in the bill")
}

const smallestVCPU, smallestGB = 0.25, 0.5

// fargateSize rounds what a pod asks for up to a size of Fargate. It is false when
// a pod is larger.
func fargateSize(vCPU, mib float64) (sizeVCPU, sizeGB float64, ok bool) {
	taken, ok := size.Fargate(size.Size{CPU: int(math.Ceil(vCPU * 1024)), MiB: int(math.Ceil(mib)) + size.KubernetesMiB})
	return float64(taken.CPU) / 1024, float64(taken.MiB) / 1024, ok
}

// systemPods takes from a node what EKS's own pods need there: some run on each
// node, some once in the cluster.
func (r *reader) systemPods(host *bill.Host) {
	for _, found := range r.stack.Template.Resources {
		switch found.Type {
		case "AWS::EKS::Addon":
			pod := addOnOf(found.Properties)
			if pod.perNode {
				host.VCPU -= pod.vCPU
				host.MiB -= pod.mib
				host.Places--
				continue
			}
			host.SystemVCPU += pod.count * pod.vCPU
			host.SystemMiB += pod.count * pod.mib
			host.SystemPlaces += pod.count
		case "Custom::AWSCDK-EKS-HelmChart": // a controller, whose values request nothing
			host.SystemPlaces += replicas(found.Properties["Values"])
		}
	}
}

// addOnOf returns the pods of an add-on, as many as its configuration says.
func addOnOf(addon map[string]any) systemPod {
	pod := addOns[str(addon["AddonName"])]
	var chosen struct{ Replicas, ReplicaCount float64 } // each add-on has one of them
	if json.Unmarshal([]byte(text(addon["ConfigurationValues"])), &chosen) == nil && chosen.Replicas+chosen.ReplicaCount > 0 {
		pod.count = chosen.Replicas + chosen.ReplicaCount
	}
	return pod
}
