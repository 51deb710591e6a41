package image_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"refdeploy/constructs/cdktest"
	"refdeploy/constructs/image"
	"refdeploy/constructs/logs"
	"refdeploy/internal/settings"
)

func TestTheAppIsBuiltForTheArchitecture(t *testing.T) {
	for architecture, want := range map[settings.Architecture]string{settings.ARM64: "linux/arm64", settings.X86_64: "linux/amd64"} {
		t.Run(want, func(t *testing.T) {
			stack := cdktest.NewStack(t)
			img := image.New(stack, "Image", &image.Props{Architecture: architecture})
			assert.NotNil(t, img.Repository)
			logs.NewGroup(stack, "Logs", nil) // a stack needs a resource
			assert.Equal(t, []string{want}, cdktest.SynthStack(t, stack).ImagePlatforms)
		})
	}
}

func TestOnlyPrivateImagesHaveARepositoryToBePulledFrom(t *testing.T) {
	tests := []struct {
		name    string
		private bool
	}{
		{"public.ecr.aws/nginx/nginx:1.29", false},
		{"ghcr.io/stefanprodan/podinfo:6.14.1", false},
		{"111111111111.dkr.ecr.us-east-1.amazonaws.com/mine", true},
		{"111111111111.dkr.ecr.us-east-1.amazonaws.com/team/mine:1", true},
		{"111111111111.dkr.ecr.cn-north-1.amazonaws.com.cn/mine@sha256:0123456789012345678901234567890123456789012345678901234567890123", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stack := cdktest.NewStack(t)
			img := image.New(stack, "Image", &image.Props{Architecture: settings.ARM64, Registry: tt.name})
			assert.Equal(t, tt.name, *img.URI)
			assert.Equal(t, tt.private, img.Repository != nil)
		})
	}
}

func TestInECR(t *testing.T) {
	for name, want := range map[string]bool{
		"": true, "public.ecr.aws/nginx/nginx:1.29": true, "111111111111.dkr.ecr.us-east-1.amazonaws.com/mine:1": true,
		"ghcr.io/stefanprodan/podinfo:6.14.1": false, "nginx": false,
	} {
		assert.Equal(t, want, image.InECR(name), name)
	}
}
