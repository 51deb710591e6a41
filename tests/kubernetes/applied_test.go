package kubernetes_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// claims are what a target promises, in the words of its page where the page says
// it. Controllers are what makes pods; once is for what an overlay cannot change
// any more, because it is the base's.
var claims = []struct {
	name              string
	controllers, once bool
	holds             func(t *testing.T, c *cluster, x *target)
}{
	{"a field that no schema has is refused", false, false, unknownFieldsAreRefused},
	{"the app's pods meet the restricted level of Kubernetes' pod security standards", false, false, podsAreAdmitted},
	{"the app's namespace refuses pods that could reach the node", false, false, weakenedPodsAreRefused},
	{"the app's role trusts one service account's tokens, made out to AWS", false, false, theRoleTrustsTheToken},
	{"the Deployment makes pods, as many as the autoscaler wants at least", true, false, podsRun},
	{"the Service, the autoscaler and the disruption budget mean these pods", true, false, allMeanThePods},
	{"pods ask for nodes of the image's architecture", true, false, nodesAreOfTheArchitecture},
	{"a pod does not start without its readiness gate, and Services do not need the controller", true, false, withoutTheController},
	{"a shell with the restricted profile can be added to a pod, and no stronger one", true, true, aShellFits},
	{"the old pods stay until the new ones are ready, and a bad release is undone", true, true, aBadReleaseIsUndone},
	{"a weakened release starts no pod and stops none", true, true, aWeakenedReleaseStartsNoPod},
	{"pods of one release are spread over zones and nodes", true, true, eachReleaseIsSpread},
	{"one pod leaves at a time", true, true, onePodLeavesAtATime},
	{"a node can always be drained", true, true, everyNodeCanBeDrained},
	{"the autoscaler alone sets the number of pods", true, true, aReleaseLeavesTheCount},
}

func TestOnAControlPlane(t *testing.T) {
	c := connect(t)
	if c.complete {
		c.joinNodes(t)
	}
	each(t, func(t *testing.T, x *target) {
		nothingIsLeft := c.leavesNothing(t)
		accepted := t.Run("every object is accepted", func(t *testing.T) { x.create(t, c) })
		for _, claim := range claims {
			if !accepted || claim.once && x.derived {
				continue
			}
			t.Run(claim.name, func(t *testing.T) {
				if claim.controllers {
					c.needsControllers(t)
				}
				claim.holds(t, c, x)
			})
		}
		t.Run("removed, it leaves nothing behind", func(t *testing.T) {
			x.remove(t, c)
			nothingIsLeft(t)
		})
	})
	assert.Equal(t, []string{"eks.amazonaws.com/v1 TargetGroupBinding"}, keys(unchecked), "whose schemas are not public")
}

// unknownFieldsAreRefused shows that the server knows the schema of every object,
// and that what it does not know would not pass unseen.
func unknownFieldsAreRefused(t *testing.T, c *cluster, x *target) {
	for _, object := range x.objects {
		t.Run(object.GetKind()+" "+object.GetName(), func(t *testing.T) {
			changed := object.DeepCopy()
			path := []string{"misspelt"}
			if _, found := changed.Object["spec"]; found {
				path = []string{"spec", "misspelt"}
			}
			require.NoError(t, unstructured.SetNestedField(changed.Object, "x", path...))
			output, err := c.try(stream(t, *changed), "replace", "--dry-run=server", "-f", "-")
			require.Error(t, err, output)
			assert.Contains(t, output, `unknown field "`)
			assert.Contains(t, output, `misspelt"`)
		})
	}
}

// least returns how many pods a target runs when nothing is wrong.
func (x *target) least(t *testing.T) int {
	t.Helper()
	object, path := x.object("HorizontalPodAutoscaler"), []string{"spec", "minReplicas"}
	if object == nil {
		object, path = x.object("Deployment"), []string{"spec", "replicas"}
	}
	count, found, err := unstructured.NestedInt64(object.Object, path...)
	require.NoError(t, err)
	require.True(t, found)
	return int(count)
}

// podsRun waits for the release as the pages do.
func podsRun(t *testing.T, c *cluster, x *target) {
	c.kubectl(t, "-n notes rollout status deployment/app --timeout=60s")
	c.hasReadyPods(t, x.least(t))
}

// hasReadyPods waits until so many pods are ready, and no other one is there.
func (c *cluster) hasReadyPods(t *testing.T, want int) {
	t.Helper()
	eventually(t, func(ctx context.Context) string {
		pods, err := c.pods(ctx)
		if err != nil {
			return err.Error()
		}
		count := 0
		for _, pod := range pods {
			if ready(pod) {
				count++
			}
		}
		if count != want || len(pods) != want {
			return fmt.Sprintf("%d of %d pods are ready, not %d", count, len(pods), want)
		}
		return ""
	})
}

// allMeanThePods shows that three selectors and a reference find the same pods.
func allMeanThePods(t *testing.T, c *cluster, x *target) {
	want := x.least(t)
	eventually(t, func(ctx context.Context) string {
		slices, err := c.DiscoveryV1().EndpointSlices(namespace).List(ctx, metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=app"})
		if err != nil {
			return err.Error()
		}
		addresses := 0
		for _, slice := range slices.Items {
			for _, endpoint := range slice.Endpoints {
				if *endpoint.Conditions.Ready {
					addresses++
				}
			}
		}
		if addresses != want {
			return fmt.Sprintf("the Service sends to %d pods, not %d", addresses, want)
		}
		budget, err := c.PolicyV1().PodDisruptionBudgets(namespace).Get(ctx, "app", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if status := budget.Status; int(status.CurrentHealthy) != want || int(status.ExpectedPods) != want || status.DisruptionsAllowed != 1 {
			return fmt.Sprintf("the budget sees %d of %d pods healthy and lets %d go", status.CurrentHealthy, status.ExpectedPods, status.DisruptionsAllowed)
		}
		if x.object("HorizontalPodAutoscaler") == nil {
			return ""
		}
		autoscaler, err := c.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, "app", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		for _, condition := range autoscaler.Status.Conditions {
			if condition.Type == autoscalingv2.AbleToScale && condition.Status != corev1.ConditionTrue {
				return "the autoscaler cannot scale: " + condition.Message
			}
		}
		if current := autoscaler.Status.CurrentReplicas; int(current) != want {
			return fmt.Sprintf("the autoscaler sees %d pods, not %d", current, want)
		}
		return ""
	})
}
