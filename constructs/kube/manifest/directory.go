package manifest

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

const (
	notesVolume = "notes"
	notesDir    = "/notes"

	tmpVolume = "tmp"
	tmpDir    = "/tmp"
)

// mountDirectory gives the pod a directory for its notes. Whoever the container
// runs as may write to it, and it goes away with the pod.
func mountDirectory(pod *corev1.PodSpec) {
	pod.Volumes = append(pod.Volumes, corev1.Volume{
		Name: notesVolume,
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			SizeLimit: new(resource.MustParse("16Mi")), // the app stops at 100 notes of 4 KiB
		}},
	})
	container := &pod.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: notesVolume, MountPath: notesDir})
	container.Env = append(container.Env, corev1.EnvVar{Name: "NOTES_DIR", Value: notesDir})
}

// mountTmp gives the pod a /tmp, which many programs take for granted. It is on
// the node's disk, anyone in the container may write to it, and it goes away with
// the pod.
func (a App) mountTmp(pod *corev1.PodSpec) {
	pod.Volumes = append(pod.Volumes, corev1.Volume{
		Name: tmpVolume,
		VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{
			SizeLimit: new(resource.MustParse(fmt.Sprintf("%dMi", a.TmpMiB))),
		}},
	})
	container := &pod.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: tmpVolume, MountPath: tmpDir})
}
