package kube_test

import (
	"encoding/json"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/kube"
	"refdeploy/internal/project"
)

var app = kube.App{
	Image: "image", Architecture: "arm64", Port: 8080, HealthPath: "/healthz",
	Bucket: "bucket", Region: "us-east-1", Replicas: 2,
}

// find returns the app's object of type T.
func find[T runtime.Object](t *testing.T) T {
	for _, object := range app.Objects() {
		if found, ok := object.(T); ok {
			return found
		}
	}
	require.Fail(t, "no such object")
	panic("unreachable")
}

func TestTheVersionOfTheClusterAndOfKubectlAreOne(t *testing.T) {
	pins, err := os.ReadFile(project.Path("package.json"))
	require.NoError(t, err)
	var minor int
	_, err = fmt.Sscanf(*kube.Version().Version(), "1.%d", &minor)
	require.NoError(t, err)
	assert.Contains(t, string(pins), fmt.Sprintf(`"@aws-cdk/lambda-layer-kubectl-v%d"`, minor))
}

func TestABindingTellsTheControllerItsTargetGroupAndNothingOfSecurityGroups(t *testing.T) {
	encoded, err := json.Marshal(kube.LoadBalancerController.Bind("arn", "vpc", 8080))
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"apiVersion": "elbv2.k8s.aws/v1beta1",
		"kind": "TargetGroupBinding",
		"metadata": {"name": "app-ip-http-8080", "namespace": "notes", "labels": {"app.kubernetes.io/name": "app"}},
		"spec": {"targetGroupARN": "arn", "targetType": "ip", "serviceRef": {"name": "app", "port": "http"}, "vpcID": "vpc"}
	}`, string(encoded))
}

func TestEveryObjectSaysWhatItIs(t *testing.T) {
	for _, object := range append(app.Objects(), kube.LoadBalancerController.Bind("arn", "vpc", 8080)) {
		kind := object.GetObjectKind().GroupVersionKind()
		assert.NotEmpty(t, kind.Kind, "%T", object)
		assert.NotEmpty(t, kind.Version, "%T", object)
		assert.Equal(t, object, object.DeepCopyObject(), "%T", object)
	}
}

func TestTheServiceIsNoLoadBalancer(t *testing.T) {
	assert.Equal(t, corev1.ServiceTypeClusterIP, find[*corev1.Service](t).Spec.Type)
}

func TestTheServiceAccountCannotCallTheCluster(t *testing.T) {
	assert.False(t, *find[*corev1.ServiceAccount](t).AutomountServiceAccountToken)
}

func TestAMissingLayerIsAnErrorThatSaysWhatToRun(t *testing.T) {
	empty := t.TempDir()
	require.NoError(t, os.WriteFile(empty+"/cdk.json", []byte(`{"context":{}}`), 0o600))
	t.Chdir(empty)
	stack := cdktest.NewStack(t)
	kube.KubectlLayer(stack, "Kubectl")
	cdktest.HasError(t, stack, "kubectl layer: .*run `npm ci`")
}
