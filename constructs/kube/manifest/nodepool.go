package manifest

import (
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// NodePool is the custom resource that says which instances EKS Auto Mode may
// start, and how many. It follows Karpenter's API, whose Go module brings some
// hundred others.
type NodePool struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec NodePoolSpec `json:"spec"`
}

// NodePoolSpec is the part of karpenter.sh/v1 that we use.
type NodePoolSpec struct {
	// Weight lets a pool go before others that fit a pod as well.
	Weight     int32              `json:"weight"`
	Template   NodeTemplate       `json:"template"`
	Limits     map[string]string  `json:"limits"`
	Disruption NodePoolDisruption `json:"disruption"`
}

// NodeTemplate describes each node of a pool.
type NodeTemplate struct {
	Spec NodeTemplateSpec `json:"spec"`
}

// NodeTemplateSpec is a node's class and what its instance has to be.
type NodeTemplateSpec struct {
	NodeClassRef NodeClassReference `json:"nodeClassRef"`
	Requirements []Requirement      `json:"requirements"`
}

// NodeClassReference names a NodeClass: network, disk and role of nodes.
type NodeClassReference struct {
	Group string `json:"group"`
	Kind  string `json:"kind"`
	Name  string `json:"name"`
}

// Requirement narrows what instances fit.
type Requirement struct {
	Key      string   `json:"key"`
	Operator string   `json:"operator"`
	Values   []string `json:"values"`
}

// NodePoolDisruption says when nodes may be taken away for fewer or cheaper ones.
type NodePoolDisruption struct {
	ConsolidationPolicy string `json:"consolidationPolicy"`
	ConsolidateAfter    string `json:"consolidateAfter"`
}

// DeepCopyObject makes a NodePool a runtime.Object.
func (n *NodePool) DeepCopyObject() runtime.Object {
	out := *n
	out.ObjectMeta = *n.ObjectMeta.DeepCopy()
	requirements := slices.Clone(n.Spec.Template.Spec.Requirements)
	for i, r := range requirements {
		requirements[i].Values = slices.Clone(r.Values)
	}
	out.Spec.Template.Spec.Requirements = requirements
	out.Spec.Limits = maps.Clone(n.Spec.Limits)
	return &out
}

// ARM64Pool returns a pool of arm64 nodes for EKS Auto Mode, with the default
// node class, of so many vCPUs each, and no more than four for each replica: what
// bills is bounded, whatever asks for pods. Two vCPUs are the least that Auto Mode
// starts; on the seventh generation of Graviton the cheapest of these is a
// c7g.large.
func ARM64Pool(replicas, cpus int) *NodePool {
	return &NodePool{
		TypeMeta:   metav1.TypeMeta{APIVersion: "karpenter.sh/v1", Kind: "NodePool"},
		ObjectMeta: metav1.ObjectMeta{Name: "arm64"},
		Spec: NodePoolSpec{
			// Before the built-in pool, whose nodes would be a second one for pods
			// that run on either.
			Weight: 10,
			Template: NodeTemplate{Spec: NodeTemplateSpec{
				NodeClassRef: NodeClassReference{Group: "eks.amazonaws.com", Kind: "NodeClass", Name: "default"},
				Requirements: []Requirement{
					{Key: corev1.LabelArchStable, Operator: "In", Values: []string{"arm64"}},
					{Key: "karpenter.sh/capacity-type", Operator: "In", Values: []string{"on-demand"}},
					{Key: "eks.amazonaws.com/instance-category", Operator: "In", Values: []string{"c", "m", "r"}},
					{Key: "eks.amazonaws.com/instance-generation", Operator: "Gt", Values: []string{"6"}},
					{Key: "eks.amazonaws.com/instance-cpu", Operator: "In", Values: []string{strconv.Itoa(cpus)}},
				},
			}},
			Limits:     map[string]string{"cpu": strconv.Itoa(4 * replicas * cpus)},
			Disruption: NodePoolDisruption{ConsolidationPolicy: "WhenEmptyOrUnderutilized", ConsolidateAfter: "5m"},
		},
	}
}
