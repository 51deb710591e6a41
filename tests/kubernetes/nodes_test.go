package kubernetes_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	quantity "k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

type machine struct{ name, zone, architecture, cpu, memory string }

// machines are what the pods may run on: for each architecture a node in one
// zone, and two in the other. The large one has the most room, so that a
// scheduler which only looks for room puts every pod there.
var machines = []machine{
	{"large-arm64", "us-east-1a", "arm64", "64", "256Gi"},
	{"small-arm64", "us-east-1a", "arm64", "2", "8Gi"},
	{"other-arm64", "us-east-1b", "arm64", "2", "8Gi"},
	{"large-amd64", "us-east-1a", "amd64", "64", "256Gi"},
	{"small-amd64", "us-east-1a", "amd64", "2", "8Gi"},
	{"other-amd64", "us-east-1b", "amd64", "2", "8Gi"},
}

var join sync.Once

// joinNodes adds the machines to the cluster. No kubelet runs on them.
func (c *cluster) joinNodes(t *testing.T) {
	t.Helper()
	join.Do(func() {
		for _, machine := range machines {
			room := corev1.ResourceList{
				corev1.ResourceCPU: quantity.MustParse(machine.cpu), corev1.ResourceMemory: quantity.MustParse(machine.memory),
				corev1.ResourcePods: quantity.MustParse("110"),
			}
			_, err := c.CoreV1().Nodes().Create(t.Context(), &corev1.Node{
				ObjectMeta: metav1.ObjectMeta{Name: machine.name, Labels: map[string]string{
					corev1.LabelHostname: machine.name, corev1.LabelArchStable: machine.architecture, corev1.LabelTopologyZone: machine.zone,
				}},
				Status: corev1.NodeStatus{Capacity: room, Allocatable: room},
			}, metav1.CreateOptions{})
			if !apierrors.IsAlreadyExists(err) {
				require.NoError(t, err)
			}
		}
		eventually(t, func(ctx context.Context) string {
			nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
			if err != nil {
				return err.Error()
			}
			for _, node := range nodes.Items {
				if len(node.Spec.Taints) > 0 {
					return "node " + node.Name + " is not ready"
				}
			}
			return ""
		})
	})
}

// machineOf returns where a pod runs.
func machineOf(pod corev1.Pod) machine {
	for _, machine := range machines {
		if machine.name == pod.Spec.NodeName {
			return machine
		}
	}
	return machine{}
}
