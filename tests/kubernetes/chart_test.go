package kubernetes_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// The controller's webhooks are asked before objects are stored.
const webhooks = "mutatingwebhookconfigurations,validatingwebhookconfigurations"

// install does what the CDK's handler does with a chart, except that it takes
// the chart from its project and not from a repository. The controller does not
// run here, so nobody would answer for its webhooks, and they are taken out.
func (c *cluster) install(t *testing.T, template *template, name string) {
	t.Helper()
	properties := template.Resources[name].Properties
	require.Equal(t, "aws-load-balancer-controller", properties["Chart"])
	var published struct{ Version string }
	text, err := os.ReadFile(filepath.Join(chart(t), "Chart.yaml"))
	require.NoError(t, err)
	require.NoError(t, yaml.Unmarshal(text, &published))
	require.Equal(t, properties["Version"], published.Version, "go.mod has the module at another version than the stack the chart")

	values, err := template.fill(properties["Values"])
	require.NoError(t, err)
	file := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(file, []byte(values), 0o600))
	c.helm(t, "upgrade", fmt.Sprint(properties["Release"]), chart(t), "--install", "--create-namespace", "--values", file,
		"--namespace", fmt.Sprint(properties["Namespace"]), "--wait", "--timeout", fmt.Sprint(properties["Timeout"]))
	var found unstructured.UnstructuredList
	require.NoError(t, json.Unmarshal([]byte(c.kubectl(t, "get "+webhooks+" -o json")), &found))
	require.Len(t, found.Items, 2)
	for i := range found.Items {
		found.Items[i].SetResourceVersion("") // or it cannot be created again
	}
	c.webhooks = stream(t, found.Items...)
	c.kubectl(t, "delete "+webhooks+" --all")
}

func (c *cluster) uninstall(t *testing.T, chart resource) {
	t.Helper()
	c.helm(t, "uninstall", fmt.Sprint(chart.Properties["Release"]), "--namespace", fmt.Sprint(chart.Properties["Namespace"]), "--wait", "--ignore-not-found")
	c.webhooks = nil
}

func (c *cluster) helm(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(c.path("helm"), args...)
	home := filepath.Dir(c.kubeconfig)
	cmd.Env = append(c.environment(), "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "helm %s: %s", args, output)
}

// withoutTheController puts the webhooks back that nobody answers for.
func withoutTheController(t *testing.T, c *cluster, x *target) {
	if c.webhooks == nil {
		t.Skip("has no chart of the load balancer controller")
	}
	output, err := c.try(c.webhooks, "create", "-f", "-")
	require.NoError(t, err, output)
	defer c.kubectl(t, "delete "+webhooks+" --all")

	err = c.ask(t, podOf(t, x))
	require.Error(t, err)
	assert.True(t, apierrors.IsInternalError(err), err)
	assert.ErrorContains(t, err, `failed calling webhook "mpod.elbv2.k8s.aws"`)

	elsewhere := podOf(t, x)
	elsewhere.Spec.ServiceAccountName = ""
	_, err = c.CoreV1().Pods("default").Create(t.Context(), elsewhere, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	assert.NoError(t, err, "a pod of another namespace")

	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "another", Namespace: namespace},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	_, err = c.CoreV1().Services(namespace).Create(t.Context(), service, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	assert.NoError(t, err, "a Service")
}
