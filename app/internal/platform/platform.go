// Package platform finds out where the app runs, from what the platform itself
// tells its workloads.
package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Facts is where the app runs. What nobody tells is "".
type Facts struct {
	Platform     string `json:"platform"`     // ECS, EKS, EKS Anywhere, Lambda, App Runner, or local
	ControlPlane string `json:"controlPlane"` // ECS, EKS, or none that one sees
	DataPlane    string `json:"dataPlane"`    // what the process runs on, such as Fargate
	Region       string `json:"region"`       // such as us-east-1
	Zone         string `json:"zone"`         // availability zone, such as us-east-1a
	Instance     string `json:"instance"`     // task, pod, log stream or host name
	Architecture string `json:"architecture"` // arm64 or x86_64
	Limits       Limits `json:"limits"`
}

// Limits is what the process may use; 0 is unknown.
type Limits struct {
	VCPU      float64 `json:"vcpu"`
	MemoryMiB int     `json:"memoryMiB"`
}

// Detect returns what the environment tells, and asks the ECS metadata endpoint
// where there is one. It never fails: what cannot be found out stays "", and
// without any platform the answer is local. It takes as long as ctx allows at
// most.
func Detect(ctx context.Context, getenv func(string) string) Facts {
	f := Facts{
		Region:       first(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Architecture: strings.NewReplacer("amd64", "x86_64").Replace(runtime.GOARCH),
		Limits:       Limits{VCPU: float64(runtime.GOMAXPROCS(0))},
	}
	f.Instance, _ = os.Hostname()

	switch {
	case getenv("AWS_LAMBDA_FUNCTION_NAME") != "":
		f.Platform, f.ControlPlane, f.DataPlane = "Lambda", "none", "Firecracker"
		f.Instance = getenv("AWS_LAMBDA_LOG_STREAM_NAME")
		f.Limits.MemoryMiB, _ = strconv.Atoi(getenv("AWS_LAMBDA_FUNCTION_MEMORY_SIZE"))
		// A vCPU comes with every 1,769 MB (AWS Lambda documentation, memory).
		f.Limits.VCPU = float64(f.Limits.MemoryMiB) / 1769
	case getenv("K8S_NODE_NAME") != "":
		f.kubernetes(getenv)
	// App Runner runs on ECS underneath, so it has to be asked for before ECS.
	case getenv("APP_RUNNER") != "":
		f.Platform, f.ControlPlane, f.DataPlane = "App Runner", "none", "App Runner"
	case getenv("ECS_CONTAINER_METADATA_URI_V4") != "":
		f.Platform, f.ControlPlane, f.DataPlane = "ECS", "ECS", ""
		f.ecs(ctx, getenv("ECS_CONTAINER_METADATA_URI_V4"))
	default:
		f.Platform, f.ControlPlane, f.DataPlane = "local", "none", "this computer"
	}
	return f
}

// kubernetes reads what the stack passes on through the downward API.
func (f *Facts) kubernetes(getenv func(string) string) {
	f.Platform, f.DataPlane = first(getenv("K8S_PLATFORM"), "EKS"), "EC2"
	f.ControlPlane = f.Platform
	if strings.HasPrefix(getenv("K8S_NODE_NAME"), "fargate-") {
		f.DataPlane = "Fargate"
	}
	f.DataPlane = first(getenv("K8S_DATA_PLANE"), f.DataPlane)
	f.Zone = getenv("K8S_ZONE")
	f.Instance = getenv("K8S_NAMESPACE") + "/" + getenv("K8S_POD_NAME")
	if milli, err := strconv.ParseFloat(getenv("K8S_CPU_LIMIT"), 64); err == nil {
		f.Limits.VCPU = milli / 1000
	}
	f.Limits.MemoryMiB, _ = strconv.Atoi(getenv("K8S_MEMORY_LIMIT"))
}

// ecs asks the task metadata endpoint, version 4.
func (f *Facts) ecs(ctx context.Context, endpoint string) {
	var task struct {
		LaunchType       string
		TaskARN          string
		AvailabilityZone string
		Limits           struct {
			CPU    float64 // vCPU
			Memory int     // MiB
		}
	}
	if err := get(ctx, endpoint+"/task", &task); err != nil {
		return
	}
	planes := map[string]string{
		"EC2":               "EC2",
		"FARGATE":           "Fargate",
		"EXTERNAL":          "your own servers",
		"MANAGED_INSTANCES": "EC2 run by AWS",
	}
	f.DataPlane = first(planes[task.LaunchType], task.LaunchType)
	f.Zone = task.AvailabilityZone
	f.Instance = first(task.TaskARN[strings.LastIndex(task.TaskARN, "/")+1:], f.Instance)
	if task.Limits.CPU > 0 {
		f.Limits = Limits{VCPU: task.Limits.CPU, MemoryMiB: task.Limits.Memory}
		return
	}
	// On EC2 only the container has limits, in CPU units of 1/1024 vCPU.
	var container struct{ Limits struct{ CPU, Memory float64 } }
	if err := get(ctx, endpoint, &container); err == nil && container.Limits.CPU > 0 {
		f.Limits = Limits{VCPU: container.Limits.CPU / 1024, MemoryMiB: int(container.Limits.Memory)}
	}
}

func get(ctx context.Context, url string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", url, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
