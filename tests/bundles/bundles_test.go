// Package bundles_test holds the files of `refdeploy bundles` against what reads
// them: kustomize, Kubernetes' and OpenShift's types, the restricted level of pod
// security, and Compose. It is a module of its own, for it brings some hundred
// others.
package bundles_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	routev1 "github.com/openshift/api/route/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer/json"
	podsecurity "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

const files = "../../internal/bundle/testdata/elsewhere"

var (
	profiles = []string{"sandbox", "production"}
	overlays = []string{"kubernetes", "gke", "aks", "openshift"}
)

// copyOf returns a copy of a profile's files that a test may edit.
func copyOf(t *testing.T, profile string) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(files, profile))))
	return dir
}

// edit replaces what a file has to contain once.
func edit(t *testing.T, path, old, with string) {
	t.Helper()
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, 1, strings.Count(string(content), old), "%q in %s", old, path)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(content), old, with, 1)), 0o600))
}

// withBucket takes the comment signs away, as the file tells its reader to.
func withBucket(t *testing.T, dir, overlay string) {
	t.Helper()
	edit(t, filepath.Join(dir, "kustomize", "overlays", overlay, "kustomization.yaml"),
		"# components:\n#   - ../../components/s3\n", "components:\n  - ../../components/s3\n")
}

// build does what `kubectl apply -k` does before it sends anything.
func build(dir, overlay string) ([]byte, error) {
	kustomizer := krusty.MakeKustomizer(krusty.MakeDefaultOptions())
	objects, err := kustomizer.Run(filesys.MakeFsOnDisk(), filepath.Join(dir, "kustomize", "overlays", overlay))
	if err != nil {
		return nil, err
	}
	return objects.AsYaml()
}

// decode returns objects of the types that an API server has, and fails at a
// field that they have not.
func decode(documents []byte) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, autoscalingv2.AddToScheme, policyv1.AddToScheme, routev1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	decoder := json.NewSerializerWithOptions(json.DefaultMetaFactory, scheme, scheme, json.SerializerOptions{Yaml: true, Strict: true})
	var objects []runtime.Object
	for document := range strings.SplitSeq(string(documents), "---\n") {
		object, _, err := decoder.Decode([]byte(document), nil, nil)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
	return objects, nil
}

// objects builds and decodes an overlay.
func objects(t *testing.T, dir, overlay string) []runtime.Object {
	t.Helper()
	built, err := build(dir, overlay)
	require.NoError(t, err)
	decoded, err := decode(built)
	require.NoError(t, err)
	return decoded
}

// one returns the only object of type T.
func one[T runtime.Object](t *testing.T, objects []runtime.Object) T {
	t.Helper()
	var found []T
	for _, object := range objects {
		if typed, ok := object.(T); ok {
			found = append(found, typed)
		}
	}
	require.Len(t, found, 1)
	return found[0]
}

func has[T runtime.Object](objects []runtime.Object) bool {
	for _, object := range objects {
		if _, ok := object.(T); ok {
			return true
		}
	}
	return false
}

// violations returns why the restricted level would refuse a pod.
func violations(t *testing.T, pod corev1.PodTemplateSpec) []string {
	t.Helper()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	require.NoError(t, err)
	var found []string
	for _, result := range evaluator.EvaluatePod(
		podsecurity.LevelVersion{Level: podsecurity.LevelRestricted, Version: podsecurity.LatestVersion()}, &pod.ObjectMeta, &pod.Spec) {
		if !result.Allowed {
			found = append(found, result.ForbiddenReason+": "+result.ForbiddenDetail)
		}
	}
	return found
}

func env(container corev1.Container) map[string]string {
	values := map[string]string{}
	for _, variable := range container.Env {
		values[variable.Name] = variable.Value
	}
	return values
}

func each(t *testing.T, f func(t *testing.T, dir, overlay string)) {
	for _, profile := range profiles {
		for _, overlay := range overlays {
			t.Run(profile+"/"+overlay, func(t *testing.T) { f(t, copyOf(t, profile), overlay) })
		}
	}
}

func TestEveryOverlayBuildsIntoObjectsThatAnAPIServerKnows(t *testing.T) {
	each(t, func(t *testing.T, dir, overlay string) {
		wantLen := 5 // namespace, service account, deployment, service, disruption budget
		if overlay == "openshift" {
			wantLen++ // route
		}
		assert.Len(t, objects(t, dir, overlay), wantLen)
		withBucket(t, dir, overlay)
		assert.Len(t, objects(t, dir, overlay), wantLen+1, "and the autoscaler")
	})
}

func TestEveryPodIsRestricted(t *testing.T) {
	each(t, func(t *testing.T, dir, overlay string) {
		assert.Empty(t, violations(t, one[*appsv1.Deployment](t, objects(t, dir, overlay)).Spec.Template))
		assert.Equal(t, "restricted", one[*corev1.Namespace](t, objects(t, dir, overlay)).Labels[podsecurity.EnforceLevelLabel])
		withBucket(t, dir, overlay)
		assert.Empty(t, violations(t, one[*appsv1.Deployment](t, objects(t, dir, overlay)).Spec.Template))
	})
}

func TestTheRestrictedLevelWouldRefuseRoot(t *testing.T) {
	pod := one[*appsv1.Deployment](t, objects(t, copyOf(t, "sandbox"), "kubernetes")).Spec.Template
	pod.Spec.SecurityContext.RunAsNonRoot = nil
	assert.NotEmpty(t, violations(t, pod))
}

func TestAWrongFieldIsRefused(t *testing.T) {
	tests := []struct{ name, file, old, with string }{
		{"of the app", "base/app.yaml", "allowPrivilegeEscalation:", "allowPrivilegesEscalation:"},
		{"of the route", "overlays/openshift/route.yaml", "insecureEdgeTerminationPolicy:", "insecurePolicy:"},
		{"of a patch", "overlays/openshift/kustomization.yaml", "securityContext/runAsUser", "securityContext/runAsUsers"},
		{"of the kustomization", "base/kustomization.yaml", "resources:", "ressources:"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyOf(t, "sandbox")
			edit(t, filepath.Join(dir, "kustomize", tt.file), tt.old, tt.with)
			built, err := build(dir, "openshift")
			if err == nil {
				_, err = decode(built)
			}
			assert.Error(t, err)
		})
	}
}

func TestNotesInADirectoryMeanOnePod(t *testing.T) {
	each(t, func(t *testing.T, dir, overlay string) {
		all := objects(t, dir, overlay)
		deployment := one[*appsv1.Deployment](t, all)
		pod := deployment.Spec.Template.Spec
		assert.Equal(t, int32(1), *deployment.Spec.Replicas)
		assert.False(t, has[*autoscalingv2.HorizontalPodAutoscaler](all), "an autoscaler")
		require.Len(t, pod.Volumes, 1)
		assert.NotNil(t, pod.Volumes[0].EmptyDir)
		assert.Equal(t, []corev1.VolumeMount{{Name: pod.Volumes[0].Name, MountPath: env(pod.Containers[0])["NOTES_DIR"]}}, pod.Containers[0].VolumeMounts)
		assert.NotContains(t, env(pod.Containers[0]), "NOTES_BUCKET")
	})
}

func TestNotesInABucketAreReachedWithASecretAndScale(t *testing.T) {
	each(t, func(t *testing.T, dir, overlay string) {
		withBucket(t, dir, overlay)
		all := objects(t, dir, overlay)
		deployment := one[*appsv1.Deployment](t, all)
		pod := deployment.Spec.Template.Spec
		assert.Nil(t, deployment.Spec.Replicas, "the autoscaler's")
		assert.Empty(t, pod.Volumes)
		assert.Empty(t, pod.Containers[0].VolumeMounts)
		require.Len(t, pod.Containers[0].EnvFrom, 1)
		assert.Equal(t, "notes-store", pod.Containers[0].EnvFrom[0].SecretRef.Name)
		assert.Nil(t, pod.Containers[0].EnvFrom[0].SecretRef.Optional, "a pod without it does not start")
		// A variable that is set wins over the Secret's.
		for _, name := range []string{"NOTES_BUCKET", "AWS_REGION", "AWS_ENDPOINT_URL_S3", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
			assert.NotContains(t, env(pod.Containers[0]), name)
		}
		assert.Equal(t, "app", one[*autoscalingv2.HorizontalPodAutoscaler](t, all).Spec.ScaleTargetRef.Name)
	})
}

func TestTheAppTellsWhereItRuns(t *testing.T) {
	seen := map[string]bool{}
	for _, overlay := range overlays {
		values := env(one[*appsv1.Deployment](t, objects(t, copyOf(t, "sandbox"), overlay)).Spec.Template.Spec.Containers[0])
		assert.NotEmpty(t, values["K8S_PLATFORM"])
		assert.NotEmpty(t, values["K8S_DATA_PLANE"])
		seen[values["K8S_PLATFORM"]] = true
	}
	assert.Len(t, seen, len(overlays))
}

func TestOpenShiftChoosesTheUser(t *testing.T) {
	for _, overlay := range overlays {
		pod := one[*appsv1.Deployment](t, objects(t, copyOf(t, "sandbox"), overlay)).Spec.Template.Spec
		fixed := overlay != "openshift"
		assert.Equal(t, fixed, pod.SecurityContext.RunAsUser != nil, overlay)
		assert.Equal(t, fixed, pod.SecurityContext.RunAsGroup != nil, overlay)
		assert.Nil(t, pod.SecurityContext.FSGroup, overlay)
		assert.Nil(t, pod.Containers[0].SecurityContext.RunAsUser, overlay)
		assert.Nil(t, pod.Containers[0].SecurityContext.RunAsGroup, overlay)
	}
}

func TestHowTheAppIsReached(t *testing.T) {
	for overlay, want := range map[string]corev1.ServiceType{
		"kubernetes": corev1.ServiceTypeClusterIP, "gke": corev1.ServiceTypeLoadBalancer,
		"aks": corev1.ServiceTypeLoadBalancer, "openshift": corev1.ServiceTypeClusterIP,
	} {
		t.Run(overlay, func(t *testing.T) {
			all := objects(t, copyOf(t, "production"), overlay)
			service := one[*corev1.Service](t, all)
			assert.Equal(t, want, service.Spec.Type)
			if want == corev1.ServiceTypeLoadBalancer {
				assert.Equal(t, int32(80), service.Spec.Ports[0].Port)
				assert.Equal(t, []string{"203.0.113.0/24"}, service.Spec.LoadBalancerSourceRanges, "allowCidr")
			}
			port := one[*appsv1.Deployment](t, all).Spec.Template.Spec.Containers[0].Ports[0]
			assert.Equal(t, port.Name, service.Spec.Ports[0].TargetPort.String())
			if overlay != "openshift" {
				return
			}
			route := one[*routev1.Route](t, all)
			assert.Equal(t, service.Name, route.Spec.To.Name)
			assert.Equal(t, service.Spec.Ports[0].Name, route.Spec.Port.TargetPort.String())
			assert.Equal(t, routev1.TLSTerminationEdge, route.Spec.TLS.Termination)
			assert.Equal(t, routev1.InsecureEdgeTerminationPolicyRedirect, route.Spec.TLS.InsecureEdgeTerminationPolicy)
			assert.Equal(t, "203.0.113.0/24", route.Annotations["haproxy.router.openshift.io/ip_allowlist"], "allowCidr")
		})
	}
}
