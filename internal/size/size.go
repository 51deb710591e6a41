// Package size says which size each platform takes for the CPU and the memory
// that somebody asks for: the smallest that holds both.
package size

import (
	"fmt"
	"math"
)

// unitsPerVCPU are ECS's CPU units.
const unitsPerVCPU = 1024

// A Size is CPU units, 1024 to a vCPU, and MiB of memory.
type Size struct{ CPU, MiB int }

func (s Size) String() string { return fmt.Sprintf("%d CPU units and %d MiB", s.CPU, s.MiB) }

// holds reports whether s is as large as another.
func (s Size) holds(other Size) bool { return s.CPU >= other.CPU && s.MiB >= other.MiB }

// smallest returns the first of those in order that holds what is asked for, or
// the last one and false.
func smallest(asked Size, offered []Size) (Size, bool) {
	for _, s := range offered {
		if s.holds(asked) {
			return s, true
		}
	}
	return offered[len(offered)-1], false
}

// Fargate returns the size of a task on Fargate, and in Express Mode, that holds
// what is asked for, or the largest and false.
func Fargate(asked Size) (Size, bool) { return smallest(asked, fargate) }

// fargate are the combinations that ECS takes (Amazon ECS developer guide, task
// CPU and memory on Fargate, as the CDK 2.270 quotes it, read 2026-11-27).
var fargate = func() []Size {
	all := []Size{{256, 512}, {256, 1024}, {256, 2048}}
	for _, row := range []struct{ cpu, from, to, step int }{
		{512, 1, 4, 1}, {1024, 2, 8, 1}, {2048, 4, 16, 1}, {4096, 8, 30, 1}, {8192, 16, 60, 4}, {16384, 32, 120, 8},
	} {
		for gb := row.from; gb <= row.to; gb += row.step {
			all = append(all, Size{row.cpu, gb * 1024})
		}
	}
	return all
}()

// KubernetesMiB is what Fargate adds to a pod's memory for Kubernetes' own parts
// beside it (Amazon EKS user guide, Fargate pod configuration, read 2026-11-27).
const KubernetesMiB = 256

// FargatePod returns what a pod on Fargate gets of the size that holds what is
// asked for and Kubernetes' own parts: all of it, because all of it bills.
func FargatePod(asked Size) (Size, bool) {
	taken, ok := Fargate(Size{asked.CPU, asked.MiB + KubernetesMiB})
	return Size{taken.CPU, taken.MiB - KubernetesMiB}, ok
}

// AppRunner returns the size of an instance of App Runner that holds what is
// asked for, or the largest and false.
func AppRunner(asked Size) (Size, bool) { return smallest(asked, appRunner) }

// appRunner are the combinations that App Runner takes (AWS App Runner developer
// guide, CPU and memory of an instance, read 2026-11-27).
var appRunner = []Size{
	{256, 512}, {256, 1024}, {512, 1024}, {1024, 2048}, {1024, 3072}, {1024, 4096},
	{2048, 4096}, {2048, 6144}, {4096, 8192}, {4096, 10240}, {4096, 12288},
}

const (
	// lambdaMiBPerVCPU is the memory with which a function has one vCPU, and
	// lambdaMost the most that it takes (AWS Lambda developer guide, memory of a
	// function, read 2026-11-27).
	lambdaMiBPerVCPU = 1769
	lambdaMost       = 10240
	lambdaLeast      = 128
)

// Lambda returns the memory of a function that has as much CPU and memory as is
// asked for, or the most and false. CPU comes with memory.
func Lambda(asked Size) (mib int, ok bool) {
	forCPU := int(math.Ceil(float64(asked.CPU) / unitsPerVCPU * lambdaMiBPerVCPU))
	mib = max(asked.MiB, forCPU, lambdaLeast)
	return min(mib, lambdaMost), mib <= lambdaMost
}

// Machines are the EC2 instance types that a deployment chooses among, smallest
// first, by architecture.
type Machines map[string][]string

var (
	// ECSMachines run a task with its log router.
	ECSMachines = Machines{
		"arm64":  {"t4g.small", "t4g.medium", "t4g.large", "t4g.xlarge", "t4g.2xlarge"},
		"x86_64": {"t3.small", "t3.medium", "t3.large", "t3.xlarge", "t3.2xlarge"},
	}

	// EKSMachines run the pods of a release and those of the next beside them,
	// because nothing adds nodes, and the cluster's own.
	EKSMachines = Machines{
		"arm64":  {"t4g.medium", "t4g.large", "t4g.xlarge", "t4g.2xlarge"},
		"x86_64": {"t3.medium", "t3.large", "t3.xlarge", "t3.2xlarge"},
	}

	// ManagedMachines run a task of ECS Managed Instances.
	ManagedMachines = Machines{
		"arm64":  {"m7g.medium", "m7g.large", "m7g.xlarge", "m7g.2xlarge"},
		"x86_64": {"c6a.large", "m6a.large", "m6a.xlarge", "m6a.2xlarge"},
	}

	// AutoMachines are what EKS Auto Mode is expected to start for pods: the
	// cheapest, first. It takes the cheapest that fits; which that is on a day,
	// only an account shows.
	AutoMachines = Machines{
		"arm64":  {"c7g.large", "m7g.large", "c7g.xlarge", "m7g.xlarge", "c7g.2xlarge", "m7g.2xlarge"},
		"x86_64": {"c6a.large", "m6a.large", "c6a.xlarge", "m6a.xlarge", "c6a.2xlarge", "m6a.2xlarge"},
	}
)

// Router is what the log router of a task on EC2 takes beside the app.
var Router = Size{64, 128}

// System is what EKS's own pods ask for when all are on one node: two of DNS, two
// of the metrics server, and those that run on each (requests of the add-ons'
// default configuration, read 2026-11-23).
var System = Size{CPU: 564, MiB: 540}

// seen is how much of an instance's memory its system sees: the rest is the
// hypervisor's and the kernel's (karpenter-provider-aws v1.8.2 takes 7.5 % for
// them).
const seen = 0.925

// For returns the smallest of the types that holds copies of what is asked for
// beside what else is there, or the largest and false.
func (m Machines) For(architecture string, asked Size, copies int, room func(Instance) Size) (Instance, bool) {
	var last Instance
	for _, name := range m[architecture] {
		last, _ = InstanceOf(name) // a test holds that each is known
		if room(last).holds(Size{copies * asked.CPU, copies * asked.MiB}) {
			return last, true
		}
	}
	return last, false
}

// ECSRoom is what of an instance of ECS is left for apps: beside the log router,
// the agent and the system.
func ECSRoom(i Instance) Size {
	return Size{int(i.VCPU*unitsPerVCPU) - Router.CPU, int(seen*i.MiB) - SystemMiB - Router.MiB}
}

// ManagedRoom is the same where no log router runs.
func ManagedRoom(i Instance) Size {
	return Size{int(i.VCPU * unitsPerVCPU), int(seen*i.MiB) - SystemMiB}
}

// EKSRoom is what of a node is left for the app's pods.
func EKSRoom(i Instance) Size {
	vCPU, mib := i.Reserved()
	return Size{int((i.VCPU-vCPU)*unitsPerVCPU) - System.CPU, int(seen*i.MiB-mib) - System.MiB}
}
