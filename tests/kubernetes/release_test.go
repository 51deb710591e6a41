package kubernetes_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// second is the image of a release that works.
const second = "registry.example/app:2"

// nodesAreOfTheArchitecture shows where the pods run: there is room on nodes of
// both architectures.
func nodesAreOfTheArchitecture(t *testing.T, c *cluster, x *target) {
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	want, _, err := unstructured.NestedString(x.object("Deployment").Object, "spec", "template", "spec", "nodeSelector", corev1.LabelArchStable)
	require.NoError(t, err)
	for _, pod := range pods {
		assert.Equal(t, want, machineOf(pod).architecture, pod.Name)
	}
}

// eachReleaseIsSpread looks at the pods that run, and at those of a release that
// replaces them.
func eachReleaseIsSpread(t *testing.T, c *cluster, x *target) {
	c.areSpread(t)
	x.update(t, c, second)
	c.kubectl(t, "-n notes rollout status deployment/app --timeout=60s")
	c.hasReadyPods(t, x.least(t))
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	for _, pod := range pods {
		assert.Equal(t, second, pod.Spec.Containers[0].Image, pod.Name)
	}
	c.areSpread(t)
}

// areSpread fails unless the pods are as evenly in both zones, and on as many
// nodes, as their number allows.
func (c *cluster) areSpread(t *testing.T) {
	t.Helper()
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	zones, nodes := map[string]int{}, map[string]int{}
	for _, pod := range pods {
		machine := machineOf(pod)
		zones[machine.zone]++
		nodes[machine.name]++
		assert.Equal(t, machine.zone, pod.Labels[corev1.LabelTopologyZone], "what K8S_ZONE tells the app")
	}
	assert.Len(t, zones, min(len(pods), 2), "zones")
	assert.Len(t, nodes, min(len(pods), 3), "nodes")
	for zone, count := range zones {
		assert.LessOrEqual(t, count, (len(pods)+1)/2, zone)
	}
}

// aBadReleaseIsUndone deploys an image whose pods never become ready, and goes
// back as the pages say.
func aBadReleaseIsUndone(t *testing.T, c *cluster, x *target) {
	want := x.least(t)
	before, err := c.pods(t.Context())
	require.NoError(t, err)
	x.update(t, c, broken)
	output, err := c.try(nil, strings.Fields("-n notes rollout status deployment/app --timeout=3s")...)
	assert.Error(t, err, output)
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	assert.Len(t, pods, want+1, "one more, and none less")
	for _, pod := range pods {
		assert.Equal(t, pod.Spec.Containers[0].Image != broken, ready(pod), pod.Name)
	}
	for _, pod := range before {
		still, err := c.CoreV1().Pods(namespace).Get(t.Context(), pod.Name, metav1.GetOptions{})
		if assert.NoError(t, err) {
			assert.Equal(t, pod.UID, still.UID)
		}
	}
	c.kubectl(t, "-n notes rollout undo deployment/app")
	c.kubectl(t, "-n notes rollout status deployment/app --timeout=60s")
	c.hasReadyPods(t, want)
}

// aWeakenedReleaseStartsNoPod changes the running Deployment so that its pods
// would reach the node's network.
func aWeakenedReleaseStartsNoPod(t *testing.T, c *cluster, x *target) {
	before, err := c.pods(t.Context())
	require.NoError(t, err)
	output, err := c.try(nil, "-n", namespace, "patch", "deployment", "app", "--patch", `{"spec":{"template":{"spec":{"hostNetwork":true}}}}`)
	require.NoError(t, err, output)
	assert.Contains(t, output, `Warning: would violate PodSecurity "restricted:latest": host namespaces`)
	eventually(t, func(ctx context.Context) string {
		deployment, err := c.AppsV1().Deployments(namespace).Get(ctx, "app", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		for _, condition := range deployment.Status.Conditions {
			if condition.Type == appsv1.DeploymentReplicaFailure && strings.Contains(condition.Message, `violates PodSecurity "restricted:latest": host namespaces`) {
				return ""
			}
		}
		return fmt.Sprintf("the Deployment does not say that its pods are refused: %v", deployment.Status.Conditions)
	})
	after, err := c.pods(t.Context())
	require.NoError(t, err)
	assert.Equal(t, names(before), names(after), "the pods of the release before")
	c.kubectl(t, "-n notes rollout undo deployment/app")
	c.kubectl(t, "-n notes rollout status deployment/app --timeout=60s")
}

// aReleaseLeavesTheCount makes the autoscaler add pods, with the command that the
// page of EksAuto fills a node with, and deploys.
func aReleaseLeavesTheCount(t *testing.T, c *cluster, x *target) {
	if x.object("HorizontalPodAutoscaler") == nil {
		t.Skip("has no autoscaler")
	}
	scale := func(least int) {
		output, err := c.try(nil, "-n", namespace, "patch", "hpa", "app", "--patch", fmt.Sprintf(`{"spec":{"minReplicas":%d}}`, least))
		require.NoError(t, err, output)
	}
	scale(4)
	c.hasReadyPods(t, 4)
	c.areSpread(t)
	// Without metrics it takes none away. A release that did would not see them
	// come back.
	scale(x.least(t))
	x.update(t, c, "registry.example/app:3")
	c.kubectl(t, "-n notes rollout status deployment/app --timeout=60s")
	eventually(t, func(ctx context.Context) string {
		deployment, err := c.AppsV1().Deployments(namespace).Get(ctx, "app", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if *deployment.Spec.Replicas != 4 || deployment.Status.ReadyReplicas != 4 {
			return fmt.Sprintf("%d pods are wanted and %d ready, not 4", *deployment.Spec.Replicas, deployment.Status.ReadyReplicas)
		}
		return ""
	})
}

// evict asks for a pod to leave, as a drain does.
func (c *cluster) evict(t *testing.T, pod string) error {
	t.Helper()
	return c.PolicyV1().Evictions(namespace).Evict(t.Context(), &policyv1.Eviction{ObjectMeta: metav1.ObjectMeta{Name: pod, Namespace: namespace}})
}

// onePodLeavesAtATime evicts pods while no node takes new ones, so that whoever
// left stays away.
func onePodLeavesAtATime(t *testing.T, c *cluster, x *target) {
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	c.kubectl(t, "cordon --selector=kubernetes.io/arch")
	open := func() { c.kubectl(t, "uncordon --selector=kubernetes.io/arch") }
	defer open()
	require.NoError(t, c.evict(t, pods[0].Name))
	if len(pods) == 1 {
		return
	}
	eventually(t, func(ctx context.Context) string {
		err := c.evict(t, pods[1].Name)
		if !apierrors.IsTooManyRequests(err) || !strings.Contains(err.Error(), "disruption budget") {
			return fmt.Sprintf("a second eviction is answered with %v", err)
		}
		return ""
	})
	open()
	c.hasReadyPods(t, len(pods))
	eventually(t, func(context.Context) string {
		if err := c.evict(t, pods[1].Name); err != nil {
			return err.Error()
		}
		return ""
	})
	c.hasReadyPods(t, len(pods))
}

// unreadyPodsLeave marks pods as not ready. One counts as the one that is down.
// When none is ready, each may be evicted all the same.
func unreadyPodsLeave(t *testing.T, c *cluster) {
	t.Helper()
	c.hasReadyPods(t, c.count(t))
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	for i, pod := range pods {
		_, err = c.CoreV1().Pods(namespace).Patch(t.Context(), pod.Name, "application/strategic-merge-patch+json",
			[]byte(`{"status":{"conditions":[{"type":"Ready","status":"False"}]}}`), metav1.PatchOptions{}, "status")
		require.NoError(t, err)
		healthy := int32(len(pods) - i - 1)
		eventually(t, func(ctx context.Context) string {
			budget, err := c.PolicyV1().PodDisruptionBudgets(namespace).Get(ctx, "app", metav1.GetOptions{})
			if err != nil {
				return err.Error()
			}
			if budget.Status.CurrentHealthy != healthy {
				return fmt.Sprintf("the budget counts %d healthy pods, not %d", budget.Status.CurrentHealthy, healthy)
			}
			return ""
		})
		if healthy > 0 {
			assert.True(t, apierrors.IsTooManyRequests(c.evict(t, pods[i+1].Name)), "a healthy pod has to stay")
		}
	}
	for _, pod := range pods {
		assert.NoError(t, c.evict(t, pod.Name))
	}
	c.hasReadyPods(t, len(pods))
}

// everyNodeCanBeDrained drains each node that has pods, as an upgrade does, and
// evicts pods that fail.
func everyNodeCanBeDrained(t *testing.T, c *cluster, x *target) {
	unreadyPodsLeave(t, c)
	want := c.count(t)
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	drained := map[string]bool{}
	for _, pod := range pods {
		if node := pod.Spec.NodeName; !drained[node] {
			drained[node] = true
			c.kubectl(t, "drain "+node+" --ignore-daemonsets --delete-emptydir-data --timeout=60s")
			c.hasReadyPods(t, want)
			left, err := c.pods(t.Context())
			require.NoError(t, err)
			for _, pod := range left {
				assert.NotEqual(t, node, pod.Spec.NodeName)
			}
			c.kubectl(t, "uncordon "+node)
		}
	}
	assert.NotEmpty(t, drained)
}

// aShellFits adds the container that the pages add to look into a pod.
func aShellFits(t *testing.T, c *cluster, x *target) {
	pods, err := c.pods(t.Context())
	require.NoError(t, err)
	debug := func(profile string) (string, error) {
		return c.try(nil, "-n", namespace, "debug", "pod/"+pods[0].Name, "--image=public.ecr.aws/docker/library/busybox:stable",
			"--target=app", "--profile="+profile, "--", "sh")
	}
	output, err := debug("restricted")
	assert.NoError(t, err, output)
	output, err = debug("sysadmin")
	assert.Error(t, err)
	assert.Contains(t, output, `violates PodSecurity "restricted:latest"`)
}

// count returns how many pods the Deployment wants.
func (c *cluster) count(t *testing.T) int {
	t.Helper()
	deployment, err := c.AppsV1().Deployments(namespace).Get(t.Context(), "app", metav1.GetOptions{})
	require.NoError(t, err)
	return int(*deployment.Spec.Replicas)
}

func names(pods []corev1.Pod) []string {
	var names []string
	for _, pod := range pods {
		names = append(names, pod.Name)
	}
	return names
}
