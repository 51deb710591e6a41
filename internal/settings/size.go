package settings

import "refdeploy/internal/size"

// These are the sizes that the platforms take. Where more is asked for than there
// is, they are the largest, and [refdeploy/internal/size.Taken] says so.

// asked is the CPU and the memory of the user's own app, or what the platform
// takes for the sample app when nobody asked.
func (s Settings) asked(cpu, memory int) size.Size {
	if s.App != "" {
		cpu, memory = 256, 512
	}
	if s.CPU > 0 {
		cpu = s.CPU
	}
	if s.Memory > 0 {
		memory = s.Memory
	}
	return size.Size{CPU: cpu, MiB: memory}
}

// AskedSize is what the user asked for, false when they did not.
func (s Settings) AskedSize() (size.Size, bool) {
	return s.asked(256, 512), s.CPU > 0 || s.Memory > 0
}

// FargateSize is the CPU units and MiB of a task on Fargate.
func (s Settings) FargateSize() (cpu, memory int) {
	taken, _ := size.Fargate(s.asked(256, 512))
	return taken.CPU, taken.MiB
}

// TaskSize is the CPU units and MiB of a task on Managed Instances.
func (s Settings) TaskSize() (cpu, memory int) {
	asked := s.asked(256, 512)
	return asked.CPU, asked.MiB
}

// ContainerSize is the CPU units and MiB of the app's container on a machine that
// it shares.
func (s Settings) ContainerSize() (cpu, memory int) {
	asked := s.asked(256, 256)
	return asked.CPU, asked.MiB
}

// PodSize is the CPU units and MiB that a pod asks for, 0 and 0 for the sample
// app's.
func (s Settings) PodSize() (cpu, memory int) {
	if _, asked := s.AskedSize(); !asked && s.App == "" {
		return 0, 0
	}
	asked := s.asked(256, 256)
	return asked.CPU, asked.MiB
}

// FargatePodSize is the same for a pod on Fargate, which gets all of its machine.
func (s Settings) FargatePodSize() (cpu, memory int) {
	taken, _ := size.FargatePod(s.asked(256, 256))
	return taken.CPU, taken.MiB
}

// AppRunnerSize is the CPU units and MiB of an instance of App Runner.
func (s Settings) AppRunnerSize() (cpu, memory int) {
	taken, _ := size.AppRunner(s.asked(256, 512))
	return taken.CPU, taken.MiB
}

// LambdaMemory is the MiB of a function, with which its CPU comes.
func (s Settings) LambdaMemory() int {
	mib, _ := size.Lambda(s.asked(0, 256))
	return mib
}

// ECSInstance is the EC2 instance type for tasks with their log router.
func (s Settings) ECSInstance() string {
	taken, _ := size.ECSMachines.For(string(s.Architecture), s.asked(256, 256), 1, size.ECSRoom)
	return taken.Type
}

// ManagedInstance is the EC2 instance type for tasks on Managed Instances.
func (s Settings) ManagedInstance() string {
	taken, _ := size.ManagedMachines.For(string(s.Architecture), s.asked(256, 512), 1, size.ManagedRoom)
	return taken.Type
}

// EKSInstance is the EC2 instance type of a node for two pods and the cluster's.
func (s Settings) EKSInstance() string {
	taken, _ := size.EKSMachines.For(string(s.Architecture), s.asked(0, 0), 2, size.EKSRoom)
	return taken.Type
}

// AutoNodeCPUs is how many vCPUs a node of EKS Auto Mode has, so that a pod fits.
func (s Settings) AutoNodeCPUs() int {
	taken, _ := size.AutoMachines.For(string(s.Architecture), s.asked(0, 0), 1, size.EKSRoom)
	return int(taken.VCPU)
}
