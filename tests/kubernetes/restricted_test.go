package kubernetes_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// weakenings are ways for a pod to reach its node, or to become able to, and the
// rules of the restricted level that refuse them.
var weakenings = []struct {
	name, rule string
	weaken     func(pod *corev1.PodSpec, container *corev1.Container)
}{
	{"root is allowed", "runAsNonRoot != true", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.SecurityContext.RunAsNonRoot = new(false) }},
	{"nothing is said of root", "runAsNonRoot != true", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.SecurityContext.RunAsNonRoot = nil }},
	{"the user is root", "runAsUser=0", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.SecurityContext.RunAsUser = new(int64(0)) }},
	{"privileges may grow", "allowPrivilegeEscalation != false", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.SecurityContext.AllowPrivilegeEscalation = new(true)
	}},
	{"nothing is said of growing privileges", "allowPrivilegeEscalation != false", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.SecurityContext.AllowPrivilegeEscalation = nil
	}},
	{"privileged", "privileged", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.SecurityContext.AllowPrivilegeEscalation = nil // with false, no such pod exists
		container.SecurityContext.Privileged = new(true)
	}},
	{"a capability is added", "unrestricted capabilities", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.SecurityContext.Capabilities.Add = []corev1.Capability{"NET_ADMIN"}
	}},
	{"capabilities are kept", "unrestricted capabilities", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.SecurityContext.Capabilities.Drop = nil
	}},
	{"no seccomp profile", "seccompProfile", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.SecurityContext.SeccompProfile = nil }},
	{"unconfined by seccomp", "seccompProfile", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.SecurityContext.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	}},
	{"unconfined by AppArmor", "forbidden AppArmor profile", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.SecurityContext.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
	}},
	{"another SELinux type", "seLinuxOptions", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.SecurityContext.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
	}},
	{"a setting of the kernel", "forbidden sysctls", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.SecurityContext.Sysctls = []corev1.Sysctl{{Name: "kernel.msgmax", Value: "65536"}}
	}},
	{"the node's network", "host namespaces", func(pod *corev1.PodSpec, container *corev1.Container) {
		pod.HostNetwork = true
		container.Ports = nil // these would be the node's, which another rule refuses
	}},
	{"the node's processes", "host namespaces", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.HostPID = true }},
	{"the node's shared memory", "host namespaces", func(pod *corev1.PodSpec, _ *corev1.Container) { pod.HostIPC = true }},
	{"a port of the node", "hostPort", func(_ *corev1.PodSpec, container *corev1.Container) { container.Ports[0].HostPort = 8080 }},
	{"a directory of the node", "restricted volume types", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "node", VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: "/"}}})
	}},
	{"a volume from the network", "restricted volume types", func(pod *corev1.PodSpec, _ *corev1.Container) {
		pod.Volumes = append(pod.Volumes, corev1.Volume{Name: "share", VolumeSource: corev1.VolumeSource{NFS: &corev1.NFSVolumeSource{Server: "192.0.2.1", Path: "/"}}})
	}},
	{"a probe of another host", "probe or lifecycle host", func(_ *corev1.PodSpec, container *corev1.Container) {
		container.LivenessProbe.HTTPGet.Host = "169.254.169.254"
	}},
	{"a second container as root", "runAsUser=0", func(pod *corev1.PodSpec, container *corev1.Container) {
		second := *container.DeepCopy()
		second.Name, second.Ports = "second", nil
		second.LivenessProbe, second.ReadinessProbe = nil, nil
		second.SecurityContext.RunAsUser = new(int64(0))
		pod.Containers = append(pod.Containers, second)
	}},
}

// podsAreAdmitted asks the API server for the target's pod. Nothing is stored.
func podsAreAdmitted(t *testing.T, c *cluster, x *target) {
	assert.NoError(t, c.ask(t, podOf(t, x)))
}

// weakenedPodsAreRefused asks for the pod weakened in one way at a time.
func weakenedPodsAreRefused(t *testing.T, c *cluster, x *target) {
	for _, weakening := range weakenings {
		t.Run(weakening.name, func(t *testing.T) {
			pod := podOf(t, x)
			weakening.weaken(&pod.Spec, &pod.Spec.Containers[0])
			err := c.ask(t, pod)
			require.Error(t, err)
			assert.True(t, apierrors.IsForbidden(err), err)
			assert.ErrorContains(t, err, `violates PodSecurity "restricted:latest": `+weakening.rule+" (")
		})
	}
}

// ask returns why a pod would not be stored.
func (c *cluster) ask(t *testing.T, pod *corev1.Pod) error {
	t.Helper()
	_, err := c.CoreV1().Pods(namespace).Create(t.Context(), pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
	return err
}

// podOf returns the pod that a target's Deployment makes.
func podOf(t *testing.T, x *target) *corev1.Pod {
	t.Helper()
	var deployment appsv1.Deployment
	require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(x.object("Deployment").Object, &deployment))
	template := deployment.Spec.Template
	pod := &corev1.Pod{ObjectMeta: template.ObjectMeta, Spec: template.Spec}
	pod.GenerateName = "app-"
	return pod
}
