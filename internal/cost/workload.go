package cost

import (
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"

	"refdeploy/internal/assembly"
	"refdeploy/internal/inventory"
)

// A workload is the app's Deployment and its autoscaler, nil without Kubernetes.
type workload struct {
	deployment *appsv1.Deployment
	scaler     *autoscalingv2.HorizontalPodAutoscaler
	poolCPU    float64 // how many vCPUs a node pool of Auto Mode may start, 0 without one
	collected  bool    // Fargate's log router sends what pods write to a log group
}

// workloadOf finds the workload in a template's manifests.
func workloadOf(template assembly.Template) workload {
	var found workload
	for _, r := range template.Resources {
		if r.Type != "Custom::AWSCDK-EKS-KubernetesResource" {
			continue
		}
		var objects []json.RawMessage
		if json.Unmarshal([]byte(text(r.Properties["Manifest"])), &objects) != nil {
			continue
		}
		for _, object := range objects {
			var kind struct{ Kind string }
			if json.Unmarshal(object, &kind) != nil {
				continue
			}
			switch kind.Kind {
			case "Deployment":
				var d appsv1.Deployment
				if json.Unmarshal(object, &d) == nil && len(d.Spec.Template.Spec.Containers) > 0 {
					found.deployment = &d
				}
			case "HorizontalPodAutoscaler":
				var h autoscalingv2.HorizontalPodAutoscaler
				if json.Unmarshal(object, &h) == nil && len(h.Spec.Metrics) > 0 && h.Spec.MinReplicas != nil {
					found.scaler = &h
				}
			case "NodePool":
				var pool struct {
					Spec struct{ Limits corev1.ResourceList }
				}
				if json.Unmarshal(object, &pool) == nil {
					found.poolCPU = pool.Spec.Limits.Cpu().AsApproximateFloat64()
				}
			case "ConfigMap":
				var m corev1.ConfigMap
				found.collected = found.collected || json.Unmarshal(object, &m) == nil && m.Name == "aws-logging"
			}
		}
	}
	return found
}

// text returns a string, or the literal parts of Fn::Join with a name in place
// of each reference.
func text(value any) string {
	if s, ok := value.(string); ok {
		return s
	}
	var b strings.Builder
	if join := inventory.List(inventory.Object(value)["Fn::Join"]); len(join) == 2 {
		for _, part := range inventory.List(join[1]) {
			if s, ok := part.(string); ok {
				b.WriteString(s)
			} else {
				b.WriteString("reference")
			}
		}
	}
	return b.String()
}

func str(value any) string {
	s, _ := value.(string)
	return s
}

// utilizationOf is the share of its CPU request at which an autoscaler keeps a
// pod.
func utilizationOf(scaler *autoscalingv2.HorizontalPodAutoscaler) float64 {
	for _, metric := range scaler.Spec.Metrics {
		if r := metric.Resource; r != nil && r.Name == corev1.ResourceCPU && r.Target.AverageUtilization != nil {
			return float64(*r.Target.AverageUtilization) / 100
		}
	}
	return defaultUtilization
}

// replicas reads how many pods a Helm chart's values ask for, or 1.
func replicas(values any) float64 {
	var chart struct{ ReplicaCount float64 }
	if json.Unmarshal([]byte(text(values)), &chart) != nil || chart.ReplicaCount < 1 {
		return 1
	}
	return chart.ReplicaCount
}
