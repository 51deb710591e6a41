package bundle_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/distribution/reference"
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

// elsewhere returns the files for one profile. Production narrows who may reach
// the app and names an image, as one would there.
func elsewhere(t *testing.T, profile settings.Profile) []bundle.File {
	t.Helper()
	chosen := settings.Default()
	chosen.Profile = profile
	if profile == settings.Production {
		chosen.AllowCIDR, chosen.Image, chosen.Architecture = "203.0.113.0/24", "registry.example.com/notes/app:1.2.3", settings.X86_64
	}
	all, err := bundle.Elsewhere(chosen)
	require.NoError(t, err)
	return all
}

// The golden files are what tests/eksanywhere validates against the schemas of
// EKS Anywhere, and tests/bundles with kustomize and Compose. Regenerate with
// `go test ./internal/bundle -update`.
func TestGolden(t *testing.T) {
	for name, files := range map[string]func(*testing.T, settings.Profile) []bundle.File{"eks-anywhere": files, "elsewhere": elsewhere} {
		for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
			dir := filepath.Join("testdata", name, string(profile))
			if *update {
				require.NoError(t, os.RemoveAll(dir))
				require.NoError(t, bundle.Write(dir, files(t, profile)))
			}
			want := map[string]string{}
			require.NoError(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
				if err != nil || entry.IsDir() {
					return err
				}
				content, err := os.ReadFile(path)
				relative, _ := filepath.Rel(dir, path) // path is below dir
				want[filepath.ToSlash(relative)] = string(content)
				return err
			}), "create it with -update")
			got := map[string]string{}
			for _, file := range files(t, profile) {
				content, err := file.Content()
				require.NoError(t, err)
				got[file.Path] = string(content)
			}
			assert.Equal(t, want, got)
		}
	}
}

// What differs from EKS Anywhere is where the notes are, and how AWS knows the app.
func TestTheObjectsAreThoseOfTheOtherClusters(t *testing.T) {
	onAWS := bundle.App(settings.Default(), deployed())
	onAWS.RoleARN, onAWS.PullSecret = "", ""
	onAWS.Bucket, onAWS.Region = "", ""
	onAWS.Image, onAWS.Platform, onAWS.DataPlane = bundle.LocalImage, "Kubernetes", "nodes of the cluster"
	var want []any
	for _, object := range onAWS.Objects() {
		want = append(want, object)
	}
	for _, file := range elsewhere(t, settings.Sandbox) {
		if file.Path == "kustomize/base/app.yaml" {
			assert.Equal(t, want, file.Objects)
			return
		}
	}
	require.Fail(t, "no base")
}

func TestWithoutAnImageNoStrangersIsPulled(t *testing.T) {
	named, err := reference.ParseNormalizedNamed(bundle.LocalImage)
	require.NoError(t, err)
	assert.Equal(t, "localhost", reference.Domain(named))
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
	parent := t.TempDir()
	full, file := filepath.Join(parent, "full"), filepath.Join(parent, "file")
	link := filepath.Join(parent, "link")
	require.NoError(t, bundle.Write(full, []bundle.File{{Path: "below/a", Text: "first"}}))
	require.NoError(t, os.WriteFile(file, []byte("text"), 0o600))
	require.NoError(t, os.Symlink("nowhere", link))
	for dir, want := range map[string]string{
		full:                                 "out: " + full + " is not empty; remove it, or choose another directory",
		file:                                 "out: " + file + " is not a directory; allowed: a new directory, or an empty one",
		link:                                 "out: " + link + " is a symbolic link that leads nowhere; allowed: a new directory, or an empty one",
		filepath.Join(parent, "none", "new"): "out: cannot write " + filepath.Join(parent, "none", "new") + ": " + filepath.Join(parent, "none") + " is not a directory",
		"":                                   "out: got an empty name; allowed: a new directory, or an empty one",
	} {
		assert.EqualError(t, bundle.Write(dir, []bundle.File{{Path: "below/a", Text: "second"}}), want)
	}
	got, err := os.ReadFile(filepath.Join(full, "below", "a"))
	require.NoError(t, err)
	assert.Equal(t, "first", string(got))
}

func TestAnEmptyDirectoryIsTaken(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, bundle.Write(dir, []bundle.File{{Path: "a", Text: "text"}}))
	assert.FileExists(t, filepath.Join(dir, "a"))
}

func TestALinkToAnEmptyDirectoryStays(t *testing.T) {
	dir, link := t.TempDir(), filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(dir, link))
	require.NoError(t, bundle.Write(link, []bundle.File{{Path: "a", Text: "text"}}))
	assert.FileExists(t, filepath.Join(dir, "a"))
	target, err := os.Readlink(link)
	require.NoError(t, err)
	assert.Equal(t, dir, target)
}

func TestNothingHalfWrittenStays(t *testing.T) {
	parent := t.TempDir()
	err := bundle.Write(filepath.Join(parent, "bundle"), []bundle.File{{Path: "a", Text: "fine"}, {Path: "a/b", Text: "a is a file"}})
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
