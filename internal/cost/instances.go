package cost

// An instanceType is what fits on an instance.
type instanceType struct {
	vCPU, mib float64
	pods      float64 // that a node of EKS takes with its network interfaces
	baseline  float64 // share of a vCPU beyond which credits are spent, or 0

	// interfaces is how many tasks with a network interface of their own it takes
	// on ECS, where trunking gives it more than it has; 0 when no stack asks.
	interfaces float64
}

// instanceTypes are those that the stacks use (AWS EC2 instance types; pods from
// the list of the Amazon VPC CNI, read 2026-11-23; interfaces from that of the
// Amazon VPC resource controller v1.6.3, read 2026-11-27).
var instanceTypes = map[string]instanceType{
	"c6a.large":  {2, 4096, 29, 0, 9},
	"c7g.large":  {2, 4096, 29, 0, 0},
	"m7g.medium": {1, 4096, 8, 0, 4},
	"m7g.large":  {2, 8192, 29, 0, 0},
	"t3.small":   {2, 2048, 11, 0.2, 0},
	"t3.medium":  {2, 4096, 17, 0.2, 0},
	"t4g.small":  {2, 2048, 11, 0.2, 0},
	"t4g.medium": {2, 4096, 17, 0.2, 0},
}

// systemMiB of an instance of ECS go to the agent and the system, an estimate.
const systemMiB = 256

// reserved is what of a node the kubelet keeps for itself and the system, as
// Amazon EKS's nodes are set up: 6 % of the first core, 1 % of the second, 0.5 %
// of the next two; 255 MiB, 11 MiB for each pod, and 100 MiB before it evicts
// (awslabs/amazon-eks-ami, nodeadm's kubelet configuration).
func (t instanceType) reserved() (vCPU, mib float64) {
	shares := []float64{0.06, 0.01, 0.005, 0.005}
	for i := 0; i < int(t.vCPU); i++ {
		if i < len(shares) {
			vCPU += shares[i]
		} else {
			vCPU += 0.0025
		}
	}
	return vCPU, 255 + 11*t.pods + 100
}

// A systemPod is a pod that EKS or the load balancer controller runs beside the
// app.
type systemPod struct {
	vCPU, mib float64
	perNode   bool
	count     float64 // in the cluster, when it is not one for each node
}

// addOns are the pods of each add-on of AWS (requests of their default
// configuration, read 2026-11-23).
var addOns = map[string]systemPod{
	"vpc-cni":                {vCPU: 0.05, perNode: true},
	"kube-proxy":             {vCPU: 0.1, perNode: true},
	"eks-pod-identity-agent": {perNode: true},
	"coredns":                {vCPU: 0.1, mib: 70, count: 2},
	"metrics-server":         {vCPU: 0.1, mib: 200, count: 2},
}
