package manifest_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"refdeploy/constructs/kube/manifest"
)

var app = manifest.App{
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

func TestABindingTellsTheControllerItsTargetGroupAndNothingOfSecurityGroups(t *testing.T) {
	encoded, err := json.Marshal(manifest.LoadBalancerController.Bind("arn", "vpc", 8080))
	require.NoError(t, err)
	assert.JSONEq(t, `{
		"apiVersion": "elbv2.k8s.aws/v1beta1",
		"kind": "TargetGroupBinding",
		"metadata": {"name": "app-ip-http-8080", "namespace": "notes", "labels": {"app.kubernetes.io/name": "app"}},
		"spec": {"targetGroupARN": "arn", "targetType": "ip", "serviceRef": {"name": "app", "port": "http"}, "vpcID": "vpc"}
	}`, string(encoded))
}

// Auto Mode's API has no field for the VPC, and refuses fields that it has not.
func TestABindingOfAutoModeIsOfItsOwnAPI(t *testing.T) {
	encoded, err := json.Marshal(manifest.AutoMode.Bind("arn", "vpc", 8080).Spec)
	require.NoError(t, err)
	assert.JSONEq(t, `{"targetGroupARN": "arn", "targetType": "ip", "serviceRef": {"name": "app", "port": "http"}}`, string(encoded))
	assert.Equal(t, "eks.amazonaws.com/v1", manifest.AutoMode.Bind("arn", "vpc", 8080).APIVersion)
}

func TestEveryObjectSaysWhatItIs(t *testing.T) {
	for _, object := range append(append(app.Objects(), manifest.LoadBalancerController.Bind("arn", "vpc", 8080), manifest.ARM64Pool(1, 2)), manifest.FargateLogs("group", "us-east-1")...) {
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

func TestACopyOfANodePoolSharesNothing(t *testing.T) {
	pool := manifest.ARM64Pool(1, 2)
	copied := pool.DeepCopyObject().(*manifest.NodePool)
	copied.Spec.Limits["cpu"] = "9"
	copied.Spec.Template.Spec.Requirements[0].Values[0] = "amd64"
	assert.Equal(t, manifest.ARM64Pool(1, 2), pool)
}

// Fargate refuses a configuration that is larger, and pods then log to nobody
// (AWS documentation, logging of Fargate on EKS, read 2026-11-27).
func TestTheLogRoutersConfigurationIsShortEnough(t *testing.T) {
	bytes := 0
	for _, object := range manifest.FargateLogs("a-log-group-with-a-name-of-some-length", "ap-southeast-1") {
		if config, ok := object.(*corev1.ConfigMap); ok {
			for _, text := range config.Data {
				bytes += len(text)
			}
		}
	}
	assert.Positive(t, bytes)
	assert.Less(t, bytes, 5300)
}

// Two pods would have two sets of notes.
func TestWithoutABucketThereIsOnePodWithADirectory(t *testing.T) {
	alone := app
	alone.Bucket, alone.Region = "", ""
	for _, object := range alone.Objects() {
		_, scales := object.(*autoscalingv2.HorizontalPodAutoscaler)
		assert.False(t, scales, "an autoscaler")
		deployment, ok := object.(*appsv1.Deployment)
		if !ok {
			continue
		}
		assert.Equal(t, int32(1), *deployment.Spec.Replicas)
		pod := deployment.Spec.Template.Spec
		require.Len(t, pod.Volumes, 1)
		assert.NotNil(t, pod.Volumes[0].EmptyDir)
		require.Len(t, pod.Containers[0].VolumeMounts, 1)
		assert.Contains(t, pod.Containers[0].Env, corev1.EnvVar{Name: "NOTES_DIR", Value: pod.Containers[0].VolumeMounts[0].MountPath})
		for _, variable := range pod.Containers[0].Env {
			assert.NotContains(t, []string{"NOTES_BUCKET", "AWS_REGION"}, variable.Name, "would win over a Secret's")
		}
		return
	}
	require.Fail(t, "no deployment")
}

func TestWithABucketTheAutoscalerOwnsTheCount(t *testing.T) {
	assert.Nil(t, find[*appsv1.Deployment](t).Spec.Replicas)
	assert.Empty(t, find[*appsv1.Deployment](t).Spec.Template.Spec.Volumes)
	assert.Equal(t, app.Autoscaler(), find[*autoscalingv2.HorizontalPodAutoscaler](t))
}
