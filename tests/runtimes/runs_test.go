//go:build runtimes

package runtimes_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"refdeploy/internal/project"
)

// A run is how a platform runs the app, as far as this machine can do the same.
// Two deployments with equal runs are tried once.
type run struct {
	// On is whose defaults hold for what the template does not say.
	On string

	User, Group     int // -1: the image's
	ReadOnlyRoot    bool
	Capabilities    []string // that a process of root would have
	NoNewPrivileges bool

	MemoryMiB int
	MilliCPU  int // at most, or 0 for as much as is free
	Shares    int // of a CPU for which others wait too, 1024 for a whole one

	Port int
	Env  map[string]string

	// Tmp is the directory /tmp, if the template gives one.
	Tmp tmp

	// Stop is how long after SIGTERM the platform kills.
	Stop time.Duration

	// Function says that Lambda starts the program, with events.
	Function bool
}

// A tmp is a /tmp: of so many MiB, in the container's memory or on the node's disk.
type tmp struct {
	MiB      int
	InMemory bool
}

// docker are the capabilities that a container engine leaves to a container for
// which nobody says otherwise. What does not run as root has none of them at
// hand, but may gain them.
var docker = []string{
	"CAP_AUDIT_WRITE", "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_MKNOD",
	"CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
}

// ecsStop is what ECS waits where no task definition says how long.
const ecsStop = 30 * time.Second

// runOf reads how a deployment runs the app from its reviewed template or, where
// the app is not in it, from the reviewed files beside it.
func runOf(id, profile string) (run, error) {
	path := project.Path("stacks", "testdata", id+"."+profile+".golden.json")
	data, err := os.ReadFile(path)
	if err != nil {
		return run{}, err
	}
	runs, err := runsIn(data)
	if err != nil {
		return run{}, fmt.Errorf("%s, %s: %w", id, profile, err)
	}
	if len(runs) == 0 && id == "EksAnywhere" {
		path = project.Path("internal", "bundle", "testdata", "eks-anywhere", profile, "app.yaml")
		if data, err = os.ReadFile(path); err != nil {
			return run{}, err
		}
		for _, document := range strings.Split(string(data), "\n---\n") {
			if found, err := ofManifest([]byte(document)); err != nil {
				return run{}, fmt.Errorf("%s: %w", path, err)
			} else {
				runs = append(runs, found...)
			}
		}
	}
	if len(runs) != 1 {
		return run{}, fmt.Errorf("%s, %s: found %d ways to run the app in %s, expected one; teach tests/runtimes what else runs it", id, profile, len(runs), path)
	}
	return runs[0], nil
}

// runsIn finds what runs the app in a template. What a template says of it and
// this file does not know is an error: it would be left out of the run.
func runsIn(template []byte) (runs []run, err error) {
	var parsed struct {
		Resources map[string]struct {
			Type       string
			Properties json.RawMessage
		}
	}
	if err := json.Unmarshal(template, &parsed); err != nil {
		return nil, err
	}
	for id, resource := range parsed.Resources {
		var found []run
		switch resource.Type {
		case "AWS::ECS::TaskDefinition":
			found, err = ofTask(resource.Properties)
		case "AWS::ECS::ExpressGatewayService":
			found, err = ofExpress(resource.Properties)
		case "AWS::AppRunner::Service":
			found, err = ofAppRunner(resource.Properties)
		case "AWS::Lambda::Function":
			found, err = ofFunction(resource.Properties)
		case "Custom::AWSCDK-EKS-KubernetesResource":
			found, err = ofResource(resource.Properties)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", id, err)
		}
		runs = append(runs, found...)
	}
	return runs, nil
}

// A text is a property that may be a reference, whose value nobody knows here.
type text struct {
	value string
	known bool
}

func (t *text) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case string:
		*t = text{value, true}
	case float64:
		*t = text{strconv.FormatFloat(value, 'f', -1, 64), true}
	case bool:
		*t = text{strconv.FormatBool(value), true}
	}
	return nil
}

type variables []struct{ Name, Value text }

func (v variables) env() map[string]string {
	env := map[string]string{}
	for _, variable := range v {
		keep(env, variable.Name.value, variable.Value)
	}
	return env
}

// secretNames are variables whose value is kept elsewhere: where, is in other
// properties.
type secretNames []struct {
	Name             string
	Value, ValueFrom any
}

// secret is what an app gets here for each.
const secret = "not-a-secret"

func (s secretNames) give(env map[string]string) {
	for _, one := range s {
		env[one.Name] = secret
	}
}

// given are the variables for which the tests have values of their own: where
// the notes are, and who the app is to AWS.
var given = []string{"NOTES_BUCKET", "AWS_REGION", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"}

// keep adds a variable that is not among those. One that is a reference would
// have another value there than the app gets here.
func keep(env map[string]string, name string, value text) {
	if !slices.Contains(given, name) {
		if !value.known {
			panic(fmt.Errorf("%s is a reference; teach tests/runtimes what to give for it", name))
		}
		env[name] = value.value
	}
}

func ofTask(properties []byte) ([]run, error) {
	type limits struct{ Add, Drop []string }
	var task struct {
		RequiresCompatibilities []string
		Cpu, Memory             text
		ContainerDefinitions    []json.RawMessage

		ExecutionRoleArn, TaskRoleArn, Family, NetworkMode, PlacementConstraints, RuntimePlatform, Tags any
	}
	if err := strict(properties, &task); err != nil {
		return nil, err
	}
	var runs []run
	for _, data := range task.ContainerDefinitions {
		var named struct{ Name string }
		if err := json.Unmarshal(data, &named); err != nil {
			return nil, err
		}
		if named.Name != "App" {
			continue // a helper of the app's, such as a log router
		}
		var container struct {
			Cpu, Memory  int
			Environment  variables
			PortMappings []struct {
				ContainerPort                         int
				HostPort, Protocol, Name, AppProtocol any
			}
			ReadonlyRootFilesystem bool
			User                   string
			StopTimeout            int
			LinuxParameters        struct {
				Capabilities limits
				Tmpfs        []struct {
					ContainerPath string
					Size          int
				}
			}
			Secrets secretNames

			Name, Image, Essential, LogConfiguration, DependsOn any
		}
		if err := strict(data, &container); err != nil {
			return nil, err
		}
		r := run{
			On: "ECS", User: -1, Group: -1, ReadOnlyRoot: container.ReadonlyRootFilesystem,
			Capabilities: capabilities(container.LinuxParameters.Capabilities.Add, container.LinuxParameters.Capabilities.Drop),
			MemoryMiB:    container.Memory, Shares: container.Cpu, Env: container.Environment.env(), Stop: ecsStop,
		}
		container.Secrets.give(r.Env)
		for _, t := range container.LinuxParameters.Tmpfs {
			if t.ContainerPath != "/tmp" {
				return nil, fmt.Errorf("a tmpfs at %s; teach tests/runtimes what it means for the run", t.ContainerPath)
			}
			r.Tmp = tmp{t.Size, true}
		}
		if container.StopTimeout > 0 {
			r.Stop = time.Duration(container.StopTimeout) * time.Second
		}
		// A task's size is a limit, with which a container's is only a part of it.
		if task.Cpu.known {
			r.MilliCPU = number(task.Cpu.value) * 1000 / 1024
		}
		if task.Memory.known && r.MemoryMiB == 0 {
			r.MemoryMiB = number(task.Memory.value)
		}
		if container.User != "" {
			user, group, _ := strings.Cut(container.User, ":")
			r.User, r.Group = number(user), number("0"+group)
		}
		if len(container.PortMappings) != 1 {
			return nil, fmt.Errorf("the container App has %d ports, expected one", len(container.PortMappings))
		}
		r.Port = container.PortMappings[0].ContainerPort
		runs = append(runs, r)
	}
	return runs, nil
}

// ofExpress reads a service of Express Mode, which runs tasks on Fargate and
// lets nobody say more of them than this.
func ofExpress(properties []byte) ([]run, error) {
	var service struct {
		Cpu, Memory      text
		PrimaryContainer struct {
			ContainerPort               int
			Environment                 variables
			Secrets                     secretNames
			Image, AwsLogsConfiguration any
		}
		Cluster, ServiceName, ExecutionRoleArn, InfrastructureRoleArn, TaskRoleArn, HealthCheckPath, NetworkConfiguration, ScalingTarget, Tags any
	}
	if err := strict(properties, &service); err != nil {
		return nil, err
	}
	env := service.PrimaryContainer.Environment.env()
	service.PrimaryContainer.Secrets.give(env)
	return []run{{
		On: "ECS", User: -1, Group: -1, Capabilities: docker,
		MemoryMiB: number(service.Memory.value), MilliCPU: number(service.Cpu.value) * 1000 / 1024,
		Port: service.PrimaryContainer.ContainerPort, Env: env, Stop: ecsStop,
	}}, nil
}

func ofAppRunner(properties []byte) ([]run, error) {
	var service struct {
		InstanceConfiguration struct {
			Cpu, Memory     text
			InstanceRoleArn any
		}
		SourceConfiguration struct {
			ImageRepository struct {
				ImageConfiguration struct {
					Port                        text
					RuntimeEnvironmentVariables variables
					RuntimeEnvironmentSecrets   secretNames
				}
				ImageIdentifier, ImageRepositoryType any
			}
			AuthenticationConfiguration, AutoDeploymentsEnabled any
		}
		AutoScalingConfigurationArn, HealthCheckConfiguration, NetworkConfiguration, ObservabilityConfiguration, Tags any
	}
	if err := strict(properties, &service); err != nil {
		return nil, err
	}
	image := service.SourceConfiguration.ImageRepository.ImageConfiguration
	env := image.RuntimeEnvironmentVariables.env()
	image.RuntimeEnvironmentSecrets.give(env)
	return []run{{
		On: "App Runner", User: -1, Group: -1, Capabilities: docker,
		MemoryMiB: number(service.InstanceConfiguration.Memory.value), MilliCPU: number(service.InstanceConfiguration.Cpu.value) * 1000 / 1024,
		Port: number(image.Port.value), Env: env,
		// AWS documents no time; the app needs less than ECS gives.
		Stop: ecsStop,
	}}, nil
}

func ofFunction(properties []byte) ([]run, error) {
	var entry struct{ Handler string }
	if err := json.Unmarshal(properties, &entry); err != nil || entry.Handler != "bootstrap" {
		return nil, err // one of the CDK's own
	}
	var function struct {
		Environment struct{ Variables map[string]text }
		MemorySize  int

		Architectures, Code, Handler, LoggingConfig, Role, Runtime, Timeout, Tags any
	}
	if err := strict(properties, &function); err != nil {
		return nil, err
	}
	r := run{
		On: "Lambda", Function: true, User: 65534, Group: 65534, ReadOnlyRoot: true, NoNewPrivileges: true,
		// Lambda gives a whole CPU at 1,769 MB, and in proportion.
		MemoryMiB: function.MemorySize, MilliCPU: function.MemorySize * 1000 / 1769, Env: map[string]string{},
	}
	for name, value := range function.Environment.Variables {
		keep(r.Env, name, value)
	}
	return []run{r}, nil
}

// ofResource reads what the CDK hands to kubectl: a text, in whose middle there
// may be references.
func ofResource(properties []byte) ([]run, error) {
	objects, err := manifests(properties)
	if err != nil {
		return nil, err
	}
	var runs []run
	for _, object := range objects {
		found, err := ofManifest(object)
		if err != nil {
			return nil, err
		}
		runs = append(runs, found...)
	}
	return runs, nil
}

// manifests are the objects in it.
func manifests(properties []byte) (objects []json.RawMessage, err error) {
	var resource struct{ Manifest json.RawMessage }
	if err := json.Unmarshal(properties, &resource); err != nil {
		return nil, err
	}
	var manifest string
	if json.Unmarshal(resource.Manifest, &manifest) != nil {
		var join struct {
			Parts []json.RawMessage `json:"Fn::Join"`
		}
		if err := json.Unmarshal(resource.Manifest, &join); err != nil || len(join.Parts) != 2 {
			return nil, fmt.Errorf("Manifest is neither a text nor a Fn::Join of two: %s", resource.Manifest)
		}
		var parts []text
		if err := json.Unmarshal(join.Parts[1], &parts); err != nil {
			return nil, err
		}
		for _, part := range parts {
			if part.known {
				manifest += part.value
			} else {
				manifest += reference
			}
		}
	}
	if err := json.Unmarshal([]byte(manifest), &objects); err != nil {
		return nil, err
	}
	return objects, nil
}

// reference stands for what only a deploy knows.
const reference = "REFERENCE"

// ofManifest reads the pod of a Deployment as Kubernetes starts it.
func ofManifest(object []byte) ([]run, error) {
	var deployment appsv1.Deployment
	err := yaml.Unmarshal(object, &deployment)
	if err != nil || deployment.Kind != "Deployment" {
		return nil, nil // of another kind
	}
	if err := yaml.UnmarshalStrict(object, &deployment); err != nil {
		return nil, err
	}
	pod := deployment.Spec.Template.Spec
	if len(pod.Containers) != 1 || len(pod.InitContainers) != 0 {
		return nil, fmt.Errorf("the pod has %d containers and %d before them, expected one alone", len(pod.Containers), len(pod.InitContainers))
	}
	container := pod.Containers[0]
	r := run{On: "Kubernetes", User: -1, Group: -1, Env: map[string]string{}}
	if s := pod.SecurityContext; s != nil {
		r.User, r.Group = value(s.RunAsUser, -1), value(s.RunAsGroup, -1)
	}
	r.Capabilities = docker
	if s := container.SecurityContext; s != nil {
		r.User, r.Group = value(s.RunAsUser, r.User), value(s.RunAsGroup, r.Group)
		r.ReadOnlyRoot = s.ReadOnlyRootFilesystem != nil && *s.ReadOnlyRootFilesystem
		r.NoNewPrivileges = s.AllowPrivilegeEscalation != nil && !*s.AllowPrivilegeEscalation
		if c := s.Capabilities; c != nil {
			r.Capabilities = capabilities(names(c.Add), names(c.Drop))
		}
	}
	limits, requests := container.Resources.Limits, container.Resources.Requests
	r.MemoryMiB = int(limits.Memory().Value() >> 20)
	r.MilliCPU = int(limits.Cpu().MilliValue())
	r.Shares = int(requests.Cpu().MilliValue()) * 1024 / 1000
	for _, variable := range container.Env {
		switch from := variable.ValueFrom; {
		case from == nil:
			keep(r.Env, variable.Name, text{variable.Value, !strings.Contains(variable.Value, reference)})
		case from != nil && from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.cpu":
			r.Env[variable.Name] = strconv.Itoa(r.MilliCPU)
		case from != nil && from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
			r.Env[variable.Name] = strconv.Itoa(r.MemoryMiB)
		case from.SecretKeyRef != nil:
			r.Env[variable.Name] = secret
		case from.FieldRef != nil:
			r.Env[variable.Name] = "some-" + strings.ToLower(strings.Trim(from.FieldRef.FieldPath[strings.LastIndexAny(from.FieldRef.FieldPath, "./")+1:], "']"))
		default:
			return nil, fmt.Errorf("%s comes from neither a field nor a limit; teach tests/runtimes what to give for it", variable.Name)
		}
	}
	if r.Tmp, err = tmpOf(pod); err != nil {
		return nil, err
	}
	if len(container.Ports) != 1 {
		return nil, fmt.Errorf("the container has %d ports, expected one", len(container.Ports))
	}
	r.Port = int(container.Ports[0].ContainerPort)
	// Kubernetes sends SIGTERM after preStop, and both share the grace period.
	r.Stop = time.Duration(value(pod.TerminationGracePeriodSeconds, 30)) * time.Second
	if l := container.Lifecycle; l != nil && l.PreStop != nil {
		if l.PreStop.Sleep == nil {
			return nil, fmt.Errorf("preStop does something else than sleep")
		}
		r.Stop -= time.Duration(l.PreStop.Sleep.Seconds) * time.Second
	}
	return []run{r}, nil
}

// tmpOf reads the pod's /tmp: an emptyDir.
func tmpOf(pod corev1.PodSpec) (tmp, error) {
	for _, mount := range pod.Containers[0].VolumeMounts {
		at := slices.IndexFunc(pod.Volumes, func(v corev1.Volume) bool { return v.Name == mount.Name })
		switch {
		case at >= 0 && pod.Volumes[at].Projected != nil:
			continue // a token
		case at < 0 || mount.MountPath != "/tmp" || pod.Volumes[at].EmptyDir == nil || pod.Volumes[at].EmptyDir.SizeLimit == nil:
			return tmp{}, fmt.Errorf("a volume at %s; teach tests/runtimes what it means for the run", mount.MountPath)
		}
		empty := pod.Volumes[at].EmptyDir
		return tmp{int(empty.SizeLimit.Value() >> 20), empty.Medium == corev1.StorageMediumMemory}, nil
	}
	return tmp{}, nil
}

func capabilities(add, drop []string) []string {
	left := slices.Clone(docker)
	for _, name := range drop {
		if name == "ALL" {
			left = nil
		}
		left = slices.DeleteFunc(left, func(has string) bool { return has == "CAP_"+name })
	}
	for _, name := range add {
		left = append(left, "CAP_"+name)
	}
	slices.Sort(left)
	return slices.Compact(left)
}

func names(capabilities []corev1.Capability) (all []string) {
	for _, c := range capabilities {
		all = append(all, string(c))
	}
	return all
}

func value(p *int64, otherwise int) int {
	if p == nil {
		return otherwise
	}
	return int(*p)
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(fmt.Errorf("%q is no number", s))
	}
	return n
}

// strict fails on a property that into does not name.
func strict(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("%w; teach tests/runtimes what it means for the run", err)
	}
	return nil
}
