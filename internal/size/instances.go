package size

// An Instance is what fits on an EC2 instance.
type Instance struct {
	Type      string
	VCPU, MiB float64
	Pods      float64 // that a node of EKS takes with its network interfaces
	Baseline  float64 // share of a vCPU beyond which credits are spent, or 0

	// Interfaces is how many tasks with a network interface of their own it takes
	// on ECS, where trunking gives it more than it has; 0 when no stack asks.
	Interfaces float64
}

// instances are those that the stacks use (AWS EC2 instance types; pods from the
// list of the Amazon VPC CNI, read 2026-11-23; interfaces from that of the Amazon
// VPC resource controller v1.6.3, read 2026-11-27).
var instances = []Instance{
	{"c6a.large", 2, 4096, 29, 0, 9},
	{"c6a.xlarge", 4, 8192, 58, 0, 18},
	{"c6a.2xlarge", 8, 16384, 58, 0, 38},
	{"c7g.large", 2, 4096, 29, 0, 0},
	{"c7g.xlarge", 4, 8192, 58, 0, 0},
	{"c7g.2xlarge", 8, 16384, 58, 0, 0},
	{"m6a.large", 2, 8192, 29, 0, 9},
	{"m6a.xlarge", 4, 16384, 58, 0, 18},
	{"m6a.2xlarge", 8, 32768, 58, 0, 38},
	{"m7g.medium", 1, 4096, 8, 0, 4},
	{"m7g.large", 2, 8192, 29, 0, 9},
	{"m7g.xlarge", 4, 16384, 58, 0, 18},
	{"m7g.2xlarge", 8, 32768, 58, 0, 38},
	{"t3.small", 2, 2048, 11, 0.2, 0},
	{"t3.medium", 2, 4096, 17, 0.2, 0},
	{"t3.large", 2, 8192, 35, 0.3, 0},
	{"t3.xlarge", 4, 16384, 58, 0.4, 0},
	{"t3.2xlarge", 8, 32768, 58, 0.4, 0},
	{"t4g.small", 2, 2048, 11, 0.2, 0},
	{"t4g.medium", 2, 4096, 17, 0.2, 0},
	{"t4g.large", 2, 8192, 35, 0.3, 0},
	{"t4g.xlarge", 4, 16384, 58, 0.4, 0},
	{"t4g.2xlarge", 8, 32768, 58, 0.4, 0},
}

// InstanceOf returns what fits on an instance of a type, false when no stack uses
// it.
func InstanceOf(name string) (Instance, bool) {
	for _, i := range instances {
		if i.Type == name {
			return i, true
		}
	}
	return Instance{}, false
}

// SystemMiB of an instance of ECS go to the agent and the system, an estimate.
const SystemMiB = 256

// Reserved is what of a node the kubelet keeps for itself and the system, as
// Amazon EKS's nodes are set up: 6 % of the first core, 1 % of the second, 0.5 %
// of the next two; 255 MiB, 11 MiB for each pod, and 100 MiB before it evicts
// (awslabs/amazon-eks-ami, nodeadm's kubelet configuration).
func (i Instance) Reserved() (vCPU, mib float64) {
	shares := []float64{0.06, 0.01, 0.005, 0.005}
	for core := 0; core < int(i.VCPU); core++ {
		if core < len(shares) {
			vCPU += shares[core]
		} else {
			vCPU += 0.0025
		}
	}
	return vCPU, 255 + 11*i.Pods + 100
}
