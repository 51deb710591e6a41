package cost

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
