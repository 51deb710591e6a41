package bundle_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"sigs.k8s.io/yaml"

	"refdeploy/internal/bundle"
	"refdeploy/internal/settings"
)

var update = flag.Bool("update", false, "rewrite golden files")

func deployed() map[string]string {
	return map[string]string{
		"NotesBucket": "notes-bucket", "Region": "us-east-1", "ImageUri": "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:1",
		"IssuerUrl": "https://d111111abcdef8.cloudfront.net", "AppRoleArn": "arn:aws:iam::111111111111:role/app",
	}
}

func files(t *testing.T, profile settings.Profile) []bundle.File {
	t.Helper()
	chosen := settings.Default()
	chosen.Profile = profile
	all, err := bundle.EKSAnywhere(chosen, deployed())
	require.NoError(t, err)
	return all
}

// The golden files are what tests/eksanywhere validates against the schemas of
// EKS Anywhere. Regenerate with `go test ./internal/bundle -update`.
func TestGolden(t *testing.T) {
	for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
		dir := filepath.Join("testdata", "eks-anywhere", string(profile))
		if *update {
			require.NoError(t, os.RemoveAll(dir))
			require.NoError(t, bundle.Write(dir, files(t, profile)))
		}
		for _, file := range files(t, profile) {
			got, err := file.Content()
			require.NoError(t, err)
			want, err := os.ReadFile(filepath.Join(dir, file.Path))
			require.NoError(t, err, "create it with -update")
			assert.Equal(t, string(want), string(got))
		}
	}
}

func TestTheAppsObjectsDecodeStrictly(t *testing.T) {
	into := map[string]func() any{
		"Namespace":               func() any { return &corev1.Namespace{} },
		"ServiceAccount":          func() any { return &corev1.ServiceAccount{} },
		"Deployment":              func() any { return &appsv1.Deployment{} },
		"Service":                 func() any { return &corev1.Service{} },
		"HorizontalPodAutoscaler": func() any { return &autoscalingv2.HorizontalPodAutoscaler{} },
		"PodDisruptionBudget":     func() any { return &policyv1.PodDisruptionBudget{} },
	}
	decoded := 0
	for _, file := range files(t, settings.Production) {
		if file.Path != "app.yaml" {
			continue
		}
		content, err := file.Content()
		require.NoError(t, err)
		for document := range bytes.SplitSeq(content, []byte("---\n")) {
			var kind struct{ Kind string }
			require.NoError(t, yaml.Unmarshal(document, &kind))
			require.Contains(t, into, kind.Kind)
			assert.NoError(t, yaml.UnmarshalStrict(document, into[kind.Kind]()), kind.Kind)
			decoded++
		}
	}
	assert.Equal(t, len(into), decoded)
}

func TestAMissingOutputIsNamed(t *testing.T) {
	without := deployed()
	delete(without, "IssuerUrl")
	_, err := bundle.EKSAnywhere(settings.Default(), without)
	assert.EqualError(t, err, "no output IssuerUrl of the stack EksAnywhere; deploy it with `npx cdk deploy EksAnywhere --outputs-file outputs.json`")
}

func TestWhatIsThereAlreadyIsLeftAlone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new", "bundle")
	require.NoError(t, bundle.Write(dir, []bundle.File{{Path: "a", Text: "first"}}))
	assert.ErrorContains(t, bundle.Write(dir, []bundle.File{{Path: "a", Text: "second"}}), "is there already; remove it, or choose another --out")
	got, err := os.ReadFile(filepath.Join(dir, "a"))
	require.NoError(t, err)
	assert.Equal(t, "first", string(got))
}

func TestNothingHalfWrittenStays(t *testing.T) {
	parent := t.TempDir()
	err := bundle.Write(filepath.Join(parent, "bundle"), []bundle.File{{Path: "a", Text: "fine"}, {Path: "no/such/directory", Text: "x"}})
	require.Error(t, err)
	entries, err := os.ReadDir(parent)
	require.NoError(t, err)
	assert.Empty(t, entries)
}

func TestOutputsOfAnotherStackOrShapeAreRefused(t *testing.T) {
	tests := []struct{ name, content, want string }{
		{"no file", "", "write it with `npx cdk deploy EksAnywhere --outputs-file "},
		{"another stack", `{"Lambda":{"Url":"https://example.com"}}`, "no outputs of EksAnywhere; write them with"},
		{"no outputs", `["EksAnywhere"]`, "not what `cdk deploy --outputs-file` writes"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "outputs.json")
			if tt.content != "" {
				require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
			}
			_, err := bundle.ReadOutputs(path, "EksAnywhere")
			require.ErrorContains(t, err, tt.want)
			assert.False(t, strings.Contains(err.Error(), "\n"), "one line")
		})
	}
}
