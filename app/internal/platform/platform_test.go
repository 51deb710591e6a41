package platform_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"refdeploy/app/internal/platform"
)

// task is what the ECS task metadata endpoint, version 4, answers, as far as the
// app reads it.
const task = `{"TaskARN":"arn:aws:ecs:us-east-1:111111111111:task/cluster/0123abc","LaunchType":"LAUNCH","AvailabilityZone":"us-east-1b","Limits":{"CPU":0.25,"Memory":512}}`

func metadata(t *testing.T, taskJSON, containerJSON string) string {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v4/task", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(taskJSON)) })
	mux.HandleFunc("GET /v4", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(containerJSON)) })
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL + "/v4"
}

func detect(env map[string]string) platform.Facts {
	return platform.Detect(context.Background(), func(key string) string { return env[key] })
}

func TestECSNamesTheDataPlane(t *testing.T) {
	for launchType, want := range map[string]string{
		"FARGATE": "Fargate", "EC2": "EC2", "EXTERNAL": "your own servers", "MANAGED_INSTANCES": "EC2 run by AWS", "NEW_KIND": "NEW_KIND",
	} {
		t.Run(launchType, func(t *testing.T) {
			got := detect(map[string]string{
				"AWS_REGION":                    "us-east-1",
				"ECS_CONTAINER_METADATA_URI_V4": metadata(t, strings.Replace(task, "LAUNCH", launchType, 1), "{}"),
			})
			assert.Equal(t, "ECS", got.Platform)
			assert.Equal(t, "ECS", got.ControlPlane)
			assert.Equal(t, want, got.DataPlane)
			assert.Equal(t, "us-east-1", got.Region)
			assert.Equal(t, "us-east-1b", got.Zone)
			assert.Equal(t, "0123abc", got.Instance)
			assert.Equal(t, platform.Limits{VCPU: 0.25, MemoryMiB: 512}, got.Limits)
		})
	}
}

func TestATaskOnEC2HasItsContainersLimits(t *testing.T) {
	got := detect(map[string]string{"ECS_CONTAINER_METADATA_URI_V4": metadata(t,
		`{"TaskARN":"arn:aws:ecs:us-east-1:111111111111:task/cluster/0123abc","LaunchType":"EC2"}`,
		`{"Limits":{"CPU":256,"Memory":256}}`)})
	assert.Equal(t, platform.Limits{VCPU: 0.25, MemoryMiB: 256}, got.Limits)
}

func TestMetadataThatFailsLeavesWhatIsKnown(t *testing.T) {
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hanging.Close()
	refused := httptest.NewServer(nil)
	refused.Close()
	for name, endpoint := range map[string]string{
		"hangs": hanging.URL, "refuses": refused.URL, "talks nonsense": metadata(t, "<html>", "<html>"), "is not there": metadata(t, "", "") + "/x", "is no URL": ":",
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			got := detect(map[string]string{"ECS_CONTAINER_METADATA_URI_V4": endpoint})
			assert.Less(t, time.Since(begin), 3*time.Second)
			assert.Equal(t, "ECS", got.Platform)
			assert.Empty(t, got.DataPlane)
			assert.NotEmpty(t, got.Instance)
		})
	}
}

func TestNoTimeMeansNobodyIsAsked(t *testing.T) {
	asked := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer server.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	got := platform.Detect(ctx, func(key string) string {
		return map[string]string{"ECS_CONTAINER_METADATA_URI_V4": server.URL}[key]
	})
	assert.Equal(t, "ECS", got.Platform)
	assert.False(t, asked)
}

func TestTheEnvironmentNamesThePlatform(t *testing.T) {
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	tests := []struct {
		name string
		env  map[string]string
		want platform.Facts
	}{
		{
			"EKS on EC2",
			map[string]string{
				"K8S_NODE_NAME": "ip-10-0-0-1.ec2.internal", "K8S_POD_NAME": "app-1", "K8S_NAMESPACE": "notes",
				"K8S_ZONE": "us-east-1a", "K8S_CPU_LIMIT": "250", "K8S_MEMORY_LIMIT": "128", "AWS_REGION": "us-east-1",
			},
			platform.Facts{
				Platform: "EKS", ControlPlane: "EKS", DataPlane: "EC2", Region: "us-east-1", Zone: "us-east-1a",
				Instance: "notes/app-1", Limits: platform.Limits{VCPU: 0.25, MemoryMiB: 128},
			},
		},
		{
			"EKS on Fargate",
			map[string]string{"K8S_NODE_NAME": "fargate-ip-10-0-0-1.ec2.internal", "K8S_POD_NAME": "app-1", "K8S_NAMESPACE": "notes", "K8S_CPU_LIMIT": "1000"},
			platform.Facts{Platform: "EKS", ControlPlane: "EKS", DataPlane: "Fargate", Instance: "notes/app-1", Limits: platform.Limits{VCPU: 1}},
		},
		{
			"EKS Auto Mode",
			map[string]string{"K8S_NODE_NAME": "i-0123456789abcdef0", "K8S_POD_NAME": "app-1", "K8S_NAMESPACE": "notes", "K8S_DATA_PLANE": "EC2 run by AWS"},
			platform.Facts{Platform: "EKS", ControlPlane: "EKS", DataPlane: "EC2 run by AWS", Instance: "notes/app-1", Limits: platform.Limits{VCPU: float64(runtime.GOMAXPROCS(0))}},
		},
		{
			"EKS Anywhere",
			map[string]string{"K8S_NODE_NAME": "refdeploy-md-0-x", "K8S_POD_NAME": "app-1", "K8S_NAMESPACE": "notes", "K8S_PLATFORM": "EKS Anywhere", "K8S_DATA_PLANE": "your own servers"},
			platform.Facts{Platform: "EKS Anywhere", ControlPlane: "EKS Anywhere", DataPlane: "your own servers", Instance: "notes/app-1", Limits: platform.Limits{VCPU: float64(runtime.GOMAXPROCS(0))}},
		},
		{
			"Lambda",
			map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "app", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "AWS_LAMBDA_LOG_STREAM_NAME": "2026/11/23/[1]0", "AWS_REGION": "eu-west-1"},
			platform.Facts{
				Platform: "Lambda", ControlPlane: "none", DataPlane: "Firecracker", Region: "eu-west-1",
				Instance: "2026/11/23/[1]0", Limits: platform.Limits{VCPU: 1, MemoryMiB: 1769},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Architecture = architecture
			assert.Equal(t, tt.want, detect(tt.env))
		})
	}

	t.Run("App Runner, even where it shows the ECS beneath it", func(t *testing.T) {
		got := detect(map[string]string{"APP_RUNNER": "true", "ECS_CONTAINER_METADATA_URI_V4": "http://127.0.0.1:1"})
		assert.Equal(t, "App Runner", got.Platform)
	})
	t.Run("nothing known is local", func(t *testing.T) {
		got := detect(nil)
		assert.Equal(t, "local", got.Platform)
		assert.Empty(t, got.Region)
		assert.NotEmpty(t, got.Instance)
	})
}
