package manifest

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// A Registrar is a controller that puts the addresses of pods into a target
// group, and tells a new pod when the load balancer has found it healthy.
type Registrar struct {
	group, version string // of its TargetGroupBinding; the group names its labels too
}

var (
	// LoadBalancerController is the open source controller, which runs in the
	// cluster: see [refdeploy/constructs/kube.Controller].
	LoadBalancerController = Registrar{group: "elbv2.k8s.aws", version: "v1beta1"}

	// AutoMode is the one that AWS runs for EKS Auto Mode. It does not read the
	// other's objects and labels.
	AutoMode = Registrar{group: "eks.amazonaws.com", version: "v1"}
)

// TargetGroupBinding is the custom resource that makes a [Registrar] register a
// Service's pods in a target group that exists already.
// The load balancer stays CloudFormation's: a Service of type LoadBalancer or
// an Ingress would make one that no stack knows, and whose network interfaces
// keep the VPC from being deleted (aws-cdk#9970).
type TargetGroupBinding struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec TargetGroupBindingSpec `json:"spec"`
}

// TargetGroupBindingSpec is what both APIs have. Without a networking section a
// registrar leaves security groups alone.
type TargetGroupBindingSpec struct {
	TargetGroupARN string           `json:"targetGroupARN"`
	TargetType     string           `json:"targetType"`
	ServiceRef     ServiceReference `json:"serviceRef"`
	VPCID          string           `json:"vpcID,omitempty"`
}

// ServiceReference names a Service in the binding's namespace and its port.
type ServiceReference struct {
	Name string             `json:"name"`
	Port intstr.IntOrString `json:"port"`
}

// DeepCopyObject makes a TargetGroupBinding a runtime.Object.
func (b *TargetGroupBinding) DeepCopyObject() runtime.Object {
	out := *b
	out.ObjectMeta = *b.ObjectMeta.DeepCopy()
	return &out
}

// Bind returns the binding of the app's Service to a target group of type ip. A
// binding cannot be given another target group, so its name holds what makes
// CloudFormation replace the group: another port brings another binding, and the
// old one goes with the old group. Only the open source controller is told the
// VPC, or its webhook asks AWS for it.
func (r Registrar) Bind(targetGroupARN, vpcID string, port int) *TargetGroupBinding {
	if r != LoadBalancerController {
		vpcID = ""
	}
	return &TargetGroupBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: r.group + "/" + r.version, Kind: "TargetGroupBinding"},
		ObjectMeta: meta(fmt.Sprintf("%s-ip-http-%d", name, port)),
		Spec: TargetGroupBindingSpec{
			TargetGroupARN: targetGroupARN,
			TargetType:     "ip",
			ServiceRef:     ServiceReference{Name: name, Port: intstr.FromString(PortName)},
			VPCID:          vpcID,
		},
	}
}
