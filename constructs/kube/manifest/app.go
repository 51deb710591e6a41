package manifest

import (
	"fmt"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"refdeploy/internal/settings"
)

// Names of the app's objects. They live in a namespace of their own, in a
// cluster of its own, so they need not be unique.
const (
	Namespace      = "notes"
	ServiceAccount = "app"
	PortName       = "http"
	name           = "app"
)

// App is the sample app, or the user's own, as Kubernetes objects.
type App struct {
	// Image is the container image. Required.
	Image string

	// Architecture is the node architecture the pods need, in Kubernetes'
	// spelling: arm64 or amd64. Required.
	Architecture string

	// Port is the port the app listens on, HealthPath the route that says that
	// the process answers. Required.
	Port       int32
	HealthPath string

	// Bucket is the S3 bucket for notes, Region the region it is in. Default: "",
	// notes go to a directory that goes away with its pod. Two pods would have
	// two sets of notes, so there is one and nothing adds more.
	Bucket, Region string

	// NoNotes says that the app keeps none: it is told of no bucket and gets no
	// directory, and as many pods as it needs. Default: false.
	NoNotes bool

	// Env is the app's environment beside what the cluster tells it. Default: none.
	Env []settings.Variable

	// Secrets are variables whose values a Secret holds that the app's operator
	// makes: [SecretName], with a key of that name for each. Default: none.
	Secrets []settings.Secret

	// CPU and MemoryMiB are what a pod asks for and gets at most, in ECS's CPU
	// units, 1024 to a vCPU, and in MiB. Default: 0, as little as the sample app
	// needs.
	CPU, MemoryMiB int

	// TmpMiB is the size of a writable /tmp; all else is read-only. Default: 0,
	// none.
	TmpMiB int

	// TTL is how long a note lives, as a Go duration, for the app to tell its
	// visitors. Default: "", notes stay.
	TTL string

	// Replicas is how many pods run when nothing is wrong; the autoscaler adds
	// up to three times as many. Required.
	Replicas int32

	// OwnMachine says that no other pod shares a pod's machine, as on Fargate: it
	// asks for all of the smallest one and leaves nothing that is paid for.
	// Default: false, a pod asks for little and may use more.
	OwnMachine bool

	// Registrar puts the pods into a load balancer's target group. Default:
	// none, nothing outside the cluster sends to them.
	Registrar Registrar

	// RoleARN is an IAM role that trusts the tokens which the cluster signs for
	// the service account. Default: "", the platform hands out credentials.
	RoleARN string

	// PullSecret is a Secret in the app's namespace with the password of the
	// image's registry. Default: "", the nodes may pull the image.
	PullSecret string

	// Platform and DataPlane are what the app tells its visitors of where it
	// runs. Default: "", what it finds out, which is EKS and EC2 or Fargate.
	Platform, DataPlane string
}

// Objects returns the app's objects in the order they can be created in. What
// lets traffic in is not among them: see [TargetGroupBinding].
func (a App) Objects() []Object {
	objects := []Object{a.namespace(), a.serviceAccount(), a.deployment(), a.Service()}
	if !a.keepsDirectory() {
		objects = append(objects, a.Autoscaler())
	}
	return append(objects, a.disruptionBudget())
}

// SecretName is the Secret that holds the values of [App.Secrets].
const SecretName = "app-secrets"

// keepsDirectory reports whether notes are in the pod itself.
func (a App) keepsDirectory() bool { return a.Bucket == "" && !a.NoNotes }

// The restricted level refuses pods that could reach the node: root, host
// paths, host network, added capabilities.
func (a App) namespace() *corev1.Namespace {
	namespace := &corev1.Namespace{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
		ObjectMeta: metav1.ObjectMeta{
			Name:   Namespace,
			Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		},
	}
	if a.Registrar.group != "" {
		// A new pod is ready only once the load balancer has found it healthy.
		// Without, the old one leaves before traffic can move.
		namespace.Labels[a.Registrar.group+"/pod-readiness-gate-inject"] = "enabled"
	}
	return namespace
}

func (a App) serviceAccount() *corev1.ServiceAccount {
	account := &corev1.ServiceAccount{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ServiceAccount"},
		ObjectMeta: meta(ServiceAccount),
		// The app calls AWS, never the Kubernetes API.
		AutomountServiceAccountToken: new(false),
	}
	if a.PullSecret != "" {
		account.ImagePullSecrets = []corev1.LocalObjectReference{{Name: a.PullSecret}}
	}
	return account
}

func (a App) deployment() *appsv1.Deployment {
	deployment := &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: meta(name),
		Spec: appsv1.DeploymentSpec{
			// No replicas: the autoscaler owns the count, and a number here
			// would reset it on every deploy.
			Selector: &metav1.LabelSelector{MatchLabels: labels()},
			Strategy: appsv1.DeploymentStrategy{
				Type: appsv1.RollingUpdateDeploymentStrategyType,
				RollingUpdate: &appsv1.RollingUpdateDeployment{
					MaxUnavailable: new(intstr.FromInt32(0)),
					MaxSurge:       new(intstr.FromInt32(1)),
				},
			},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels()},
				Spec:       a.pod(),
			},
		},
	}
	if a.keepsDirectory() {
		deployment.Spec.Replicas = new(int32(1)) // nobody else owns it
	}
	return deployment
}

func (a App) pod() corev1.PodSpec {
	pod := corev1.PodSpec{
		ServiceAccountName: ServiceAccount,
		NodeSelector:       map[string]string{corev1.LabelArchStable: a.Architecture},
		SecurityContext: &corev1.PodSecurityContext{
			RunAsNonRoot:   new(true),
			RunAsUser:      new(int64(65532)),
			RunAsGroup:     new(int64(65532)), // unset, it is root's
			SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
		},
		TopologySpreadConstraints: []corev1.TopologySpreadConstraint{
			spread(corev1.LabelTopologyZone), spread(corev1.LabelHostname),
		},
		// A load balancer keeps sending for some seconds after a pod is marked as
		// leaving; the app's own 10 s to finish come after the wait below.
		TerminationGracePeriodSeconds: new(int64(50)),
		Containers: []corev1.Container{{
			Name:      name,
			Image:     a.Image,
			Ports:     []corev1.ContainerPort{{Name: PortName, ContainerPort: a.Port}},
			Env:       a.environment(),
			Resources: a.resources(),
			SecurityContext: &corev1.SecurityContext{
				AllowPrivilegeEscalation: new(false),
				ReadOnlyRootFilesystem:   new(true),
				Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
			},
			// A busy pod may take seconds to answer. One that is killed for it gives
			// its load to the others.
			LivenessProbe:  a.probe(10, 5),
			ReadinessProbe: a.probe(5, 2),
			Lifecycle: &corev1.Lifecycle{
				PreStop: &corev1.LifecycleHandler{Sleep: &corev1.SleepAction{Seconds: 30}},
			},
		}},
	}
	if a.keepsDirectory() {
		mountDirectory(&pod)
	}
	if a.TmpMiB > 0 {
		a.mountTmp(&pod)
	}
	if len(a.Env)+len(a.Secrets) > 0 {
		// On, the app would find APP_PORT and others in its environment, with which
		// Kubernetes tells of its own Service, and take them for its settings.
		pod.EnableServiceLinks = new(false)
	}
	if a.RoleARN != "" {
		a.mountToken(&pod)
	}
	return pod
}

func (a App) resources() corev1.ResourceRequirements {
	of := func(cpu, memory string) corev1.ResourceList {
		return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	}
	if a.CPU > 0 {
		asked := of(fmt.Sprintf("%dm", (a.CPU*1000+1023)/1024), fmt.Sprintf("%dMi", a.MemoryMiB))
		return corev1.ResourceRequirements{Requests: asked, Limits: asked}
	}
	if a.OwnMachine {
		// Half of the smallest machine's memory is for Kubernetes' own parts.
		// Fargate wants requests and limits to be the same.
		return corev1.ResourceRequirements{Requests: of("250m", "256Mi"), Limits: of("250m", "256Mi")}
	}
	return corev1.ResourceRequirements{Requests: of("100m", "64Mi"), Limits: of("250m", "128Mi")}
}

// environment tells the app what only the cluster knows, through the downward
// API, so that it needs no access to the Kubernetes API.
func (a App) environment() []corev1.EnvVar {
	field := func(env, path string) corev1.EnvVar {
		return corev1.EnvVar{Name: env, ValueFrom: &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}}
	}
	limit := func(env, name, unit string) corev1.EnvVar {
		return corev1.EnvVar{Name: env, ValueFrom: &corev1.EnvVarSource{ResourceFieldRef: &corev1.ResourceFieldSelector{
			Resource: name, Divisor: resource.MustParse(unit),
		}}}
	}
	var environment []corev1.EnvVar
	// An empty value would win over the one that a Secret brings.
	if a.Bucket != "" {
		environment = append(environment, corev1.EnvVar{Name: "NOTES_BUCKET", Value: a.Bucket})
	}
	if !a.NoNotes {
		environment = append(environment, corev1.EnvVar{Name: "NOTES_TTL", Value: a.TTL})
	}
	if a.Region != "" {
		environment = append(environment, corev1.EnvVar{Name: "AWS_REGION", Value: a.Region})
	}
	environment = append(environment,
		field("K8S_NODE_NAME", "spec.nodeName"),
		field("K8S_POD_NAME", "metadata.name"),
		field("K8S_NAMESPACE", "metadata.namespace"),
		// Set on pods since Kubernetes 1.35; empty before.
		field("K8S_ZONE", "metadata.labels['topology.kubernetes.io/zone']"),
		limit("K8S_CPU_LIMIT", "limits.cpu", "1m"),
		limit("K8S_MEMORY_LIMIT", "limits.memory", "1Mi"),
	)
	if a.Platform != "" {
		environment = append(environment, corev1.EnvVar{Name: "K8S_PLATFORM", Value: a.Platform})
	}
	if a.DataPlane != "" {
		environment = append(environment, corev1.EnvVar{Name: "K8S_DATA_PLANE", Value: a.DataPlane})
	}
	for _, v := range a.Env {
		environment = append(environment, corev1.EnvVar{Name: v.Name, Value: escape(v.Value)})
	}
	for _, s := range a.Secrets {
		environment = append(environment, corev1.EnvVar{Name: s.Name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
			LocalObjectReference: corev1.LocalObjectReference{Name: SecretName}, Key: s.Name,
		}}})
	}
	return environment
}

// escape keeps Kubernetes from reading a variable's value as a reference to
// another: it replaces $(NAME), and takes $$ for one $.
func escape(value string) string { return strings.ReplaceAll(value, "$", "$$") }

// probe asks the process, not what it depends on: a store that fails would take
// every pod out at once, and with them the pages that do not need it.
func (a App) probe(period, timeout int32) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler:   corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{Path: a.HealthPath, Port: intstr.FromString(PortName)}},
		PeriodSeconds:  period,
		TimeoutSeconds: timeout,
	}
}

// spread asks for pods of one release to be spread over places. Pods of the
// release before it do not count: they are about to leave, and counted, they
// would push both new ones into the other zone.
func spread(over string) corev1.TopologySpreadConstraint {
	return corev1.TopologySpreadConstraint{
		MaxSkew:           1,
		TopologyKey:       over,
		WhenUnsatisfiable: corev1.ScheduleAnyway, // better in one zone than not at all
		LabelSelector:     &metav1.LabelSelector{MatchLabels: labels()},
		MatchLabelKeys:    []string{appsv1.DefaultDeploymentUniqueLabelKey},
	}
}

// Service is how the cluster reaches the pods.
func (a App) Service() *corev1.Service {
	return &corev1.Service{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
		ObjectMeta: meta(name),
		Spec: corev1.ServiceSpec{
			// Never LoadBalancer: see TargetGroupBinding.
			Type:     corev1.ServiceTypeClusterIP,
			Selector: labels(),
			Ports:    []corev1.ServicePort{{Name: PortName, Port: a.Port, TargetPort: intstr.FromString(PortName)}},
		},
	}
}

// Autoscaler adds pods under load. It needs a bucket, which all pods share.
func (a App) Autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		TypeMeta:   metav1.TypeMeta{APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler"},
		ObjectMeta: meta(name),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    new(a.Replicas),
			MaxReplicas:    4 * a.Replicas,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name:   corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(60))},
				},
			}},
		},
	}
}

// One pod at most may be down for maintenance. A minimum of one available would
// block draining the node of a single replica for ever.
func (a App) disruptionBudget() *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		TypeMeta:   metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"},
		ObjectMeta: meta(name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: new(intstr.FromInt32(1)),
			Selector:       &metav1.LabelSelector{MatchLabels: labels()},
			// A pod that fails its probe counts as down already. By default it may
			// not be evicted then, and its node never be drained.
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}

func meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: Namespace, Labels: labels()}
}

func labels() map[string]string {
	return map[string]string{"app.kubernetes.io/name": name}
}
