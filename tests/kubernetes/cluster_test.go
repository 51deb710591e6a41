package kubernetes_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// patience is how long something may take that takes a second or two.
const patience = time.Minute

// A cluster is the control plane as its user sees it.
type cluster struct {
	kubernetes.Interface
	programs
	config     *rest.Config
	kubeconfig string
	webhooks   []byte // of the load balancer controller, taken out
}

func connect(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{kubeconfig: os.Getenv(kubeconfigVariable)}
	var err error
	c.programs, err = findPrograms()
	require.NoError(t, err)
	c.config, err = clientcmd.BuildConfigFromFlags("", c.kubeconfig)
	require.NoError(t, err)
	c.config.QPS = -1                           // this server has no other caller to protect
	c.config.WarningHandler = rest.NoWarnings{} // of deprecated kinds, which are listed too
	c.Interface, err = kubernetes.NewForConfig(c.config)
	require.NoError(t, err)
	return c
}

// skipped counts the claims that could not be tried.
var skipped int

// needsControllers skips a test that a control plane of etcd and an API server
// alone cannot run.
func (c *cluster) needsControllers(t *testing.T) {
	t.Helper()
	if !c.complete {
		skipped++
		t.Skipf("%s has no %s", c.dir, strings.Join(missing(c.dir, optional), ", "))
	}
}

// try runs kubectl, and returns what it prints.
func (c *cluster) try(stdin []byte, args ...string) (string, error) {
	cmd := exec.Command(c.path("kubectl"), args...)
	cmd.Env = c.environment()
	cmd.Stdin = bytes.NewReader(stdin)
	output, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

// environment leads to this cluster, and away from what its user prefers.
func (c *cluster) environment() []string {
	return append(os.Environ(), "KUBECONFIG="+c.kubeconfig, "HOME="+filepath.Dir(c.kubeconfig))
}

// kubectl runs a command that has to succeed, written as on a page.
func (c *cluster) kubectl(t *testing.T, command string) string {
	t.Helper()
	output, err := c.try(nil, strings.Fields(command)...)
	require.NoError(t, err, "kubectl %s: %s", command, output)
	return output
}

// stream is objects as the CDK's handler gives them to kubectl.
func stream(t *testing.T, objects ...unstructured.Unstructured) []byte {
	t.Helper()
	var text bytes.Buffer
	for _, object := range objects {
		document, err := object.MarshalJSON()
		require.NoError(t, err)
		text.Write(document)
	}
	return text.Bytes()
}

// eventually waits until nothing is wrong any more, and fails with what is.
func eventually(t *testing.T, wrong func(ctx context.Context) string) {
	t.Helper()
	last := ""
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if last = wrong(t.Context()); last == "" {
			return
		}
	}
	require.Fail(t, last, "still so after %s", patience)
}

// stored returns the name of everything in the cluster but events and leases,
// which come and go by themselves.
func (c *cluster) stored(ctx context.Context) ([]string, error) {
	lists, err := c.Discovery().ServerPreferredResources()
	if err != nil {
		return nil, err
	}
	client, err := metadata.NewForConfig(c.config)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			if !slices.Contains(resource.Verbs, "list") || slices.Contains([]string{"Event", "Lease", "ComponentStatus"}, resource.Kind) {
				continue
			}
			objects, err := client.Resource(version.WithResource(resource.Name)).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", list.GroupVersion, resource.Name, err)
			}
			for _, item := range objects.Items {
				names = append(names, strings.TrimPrefix(fmt.Sprintf("%s/%s %s", item.Namespace, resource.Kind, item.Name), "/"))
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// leavesNothing returns what fails unless the cluster holds what it holds now.
func (c *cluster) leavesNothing(t *testing.T) func(t *testing.T) {
	t.Helper()
	before, err := c.stored(t.Context())
	require.NoError(t, err)
	return func(t *testing.T) {
		t.Helper()
		eventually(t, func(ctx context.Context) string {
			after, err := c.stored(ctx)
			if err != nil {
				return err.Error()
			}
			var left []string
			for _, name := range after {
				if _, was := slices.BinarySearch(before, name); !was {
					left = append(left, name)
				}
			}
			return strings.Join(left, ", ")
		})
	}
}

// pods returns the app's pods that are not about to leave, by name.
func (c *cluster) pods(ctx context.Context) ([]corev1.Pod, error) {
	list, err := c.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=app"})
	if err != nil {
		return nil, err
	}
	pods := slices.DeleteFunc(list.Items, func(pod corev1.Pod) bool { return pod.DeletionTimestamp != nil })
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods, nil
}

// remove deletes objects as the CDK's handler does, and those that were never
// created, so that a target which fails does not stand in the way of the next.
// Without controllers nobody ends a namespace, so this does.
func (c *cluster) remove(t *testing.T, objects ...unstructured.Unstructured) {
	t.Helper()
	if len(objects) == 0 {
		return
	}
	if c.complete {
		output, err := c.try(stream(t, objects...), "delete", "--ignore-not-found", "-f", "-")
		assert.NoError(t, err, output)
		return
	}
	output, err := c.try(stream(t, objects...), "delete", "--ignore-not-found", "--wait=false", "-f", "-")
	assert.NoError(t, err, output)
	for _, object := range objects {
		if object.GetKind() == "Namespace" {
			ending := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: object.GetName()}}
			_, err := c.CoreV1().Namespaces().Finalize(t.Context(), ending, metav1.UpdateOptions{})
			assert.NoError(t, err)
		}
	}
}

// removeNamespace deletes the app as the bundles' pages say.
func (c *cluster) removeNamespace(t *testing.T, x *target) {
	t.Helper()
	if c.complete {
		c.kubectl(t, "delete namespace notes --ignore-not-found")
		return
	}
	objects := slices.Clone(x.objects)
	slices.Reverse(objects)
	c.remove(t, objects...)
	c.kubectl(t, "-n notes delete secrets --all")
}

// ready says whether a pod is sent requests.
func ready(pod corev1.Pod) bool {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
