package manifest

import (
	"path"

	corev1 "k8s.io/api/core/v1"
)

const (
	tokenVolume = "aws-token"
	tokenDir    = "/var/run/secrets/aws"
	tokenFile   = "token"
)

// mountToken gives the pod a token of its service account, made out to AWS's
// security token service, and tells the AWS SDK which role to assume with it. EKS
// has a webhook that does the same to pods of an annotated service account; this
// way no webhook has to be there, and the manifest shows what happens.
func (a App) mountToken(pod *corev1.PodSpec) {
	pod.Volumes = append(pod.Volumes, corev1.Volume{
		Name: tokenVolume,
		VolumeSource: corev1.VolumeSource{Projected: &corev1.ProjectedVolumeSource{Sources: []corev1.VolumeProjection{{
			ServiceAccountToken: &corev1.ServiceAccountTokenProjection{
				Audience:          Audience,
				ExpirationSeconds: new(int64(3600)), // renewed before that; the SDK reads it again
				Path:              tokenFile,
			},
		}}}},
	})
	container := &pod.Containers[0]
	container.VolumeMounts = append(container.VolumeMounts, corev1.VolumeMount{Name: tokenVolume, MountPath: tokenDir, ReadOnly: true})
	container.Env = append(container.Env,
		corev1.EnvVar{Name: "AWS_ROLE_ARN", Value: a.RoleARN},
		corev1.EnvVar{Name: "AWS_WEB_IDENTITY_TOKEN_FILE", Value: path.Join(tokenDir, tokenFile)},
	)
}

// Audience is whom the tokens of [App.RoleARN] are for, and Subject whose they
// are: what the role's trust policy has to ask for.
const (
	Audience = "sts.amazonaws.com"
	Subject  = "system:serviceaccount:" + Namespace + ":" + ServiceAccount
)
