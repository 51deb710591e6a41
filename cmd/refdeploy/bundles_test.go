package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// written returns what is in dir, by path, and fails unless it is what the
// command listed.
func written(t *testing.T, dir, stdout string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for path := range strings.Lines(stdout) {
		content, err := os.ReadFile(strings.TrimSpace(path))
		require.NoError(t, err)
		relative, err := filepath.Rel(dir, strings.TrimSpace(path))
		require.NoError(t, err)
		files[relative] = string(content)
	}
	found := 0
	require.NoError(t, filepath.WalkDir(dir, func(_ string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found++
		}
		return err
	}))
	assert.Len(t, files, found, "listed")
	return files
}

func TestBundlesNeedNothingFromAWS(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundles")
	stdout, stderr, err := run("bundles", "--out", dir, "-c", "image=registry.example.com/app:7", "-c", "architecture=x86_64")
	require.NoError(t, err, stderr)
	assert.Equal(t, "no files for EKS Anywhere: they need --outputs, the file that `npx cdk deploy EksAnywhere --outputs-file FILE` writes\n", stderr)
	files := written(t, dir, stdout)
	for _, path := range []string{
		"kustomize/overlays/kubernetes/kustomization.yaml", "kustomize/overlays/gke/kustomization.yaml",
		"kustomize/overlays/aks/kustomization.yaml", "kustomize/overlays/openshift/kustomization.yaml",
	} {
		assert.Contains(t, files, path)
	}
	for _, path := range []string{"kustomize/base/app.yaml", "swarm/stack.yaml", "compose/compose.yaml"} {
		assert.Contains(t, files[path], "image: registry.example.com/app:7\n")
	}
	assert.Contains(t, files["kustomize/base/app.yaml"], "kubernetes.io/arch: amd64\n")
}

func TestBundlesHoldEKSAnywhereWithWhatTheStackTold(t *testing.T) {
	dir := t.TempDir()
	outputs := filepath.Join(t.TempDir(), "outputs.json")
	require.NoError(t, os.WriteFile(outputs, []byte(`{"EksAnywhere": {
		"NotesBucket": "my-notes", "Region": "eu-west-1", "ImageUri": "my/image:1",
		"IssuerUrl": "https://issuer.example", "AppRoleArn": "arn:aws:iam::111111111111:role/my"
	}}`), 0o600))
	stdout, stderr, err := run("bundles", "--outputs", outputs, "--out", dir, "-c", "architecture=x86_64")
	require.NoError(t, err, stderr)
	assert.Empty(t, stderr)
	files := written(t, dir, stdout)
	assert.Contains(t, files, "kustomize/base/app.yaml")
	for _, told := range []string{"my-notes", "eu-west-1", "my/image:1", "arn:aws:iam::111111111111:role/my", "kubernetes.io/arch: amd64"} {
		assert.Contains(t, files["eks-anywhere/app.yaml"], told)
	}
	for _, servers := range []string{"docker", "vsphere", "bare-metal"} {
		assert.Contains(t, files["eks-anywhere/cluster-"+servers+".yaml"], "serviceAccountIssuer: https://issuer.example\n")
	}
}

func TestBundlesRefuseInOneLineAndWriteNothing(t *testing.T) {
	full := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "mine"), nil, 0o600))
	tests := []struct {
		name string
		dir  string
		args []string
		want string
	}{
		{"a directory with something in it", full, nil, "out: " + full + " is not empty; remove it, or choose another directory"},
		{"no outputs", filepath.Join(full, "new"), []string{"--outputs", filepath.Join(full, "none.json")}, "write it with `npx cdk deploy EksAnywhere --outputs-file "},
		{"a wrong setting", filepath.Join(full, "new"), []string{"-c", "profile=test"}, `profile: got "test"; allowed: sandbox or production`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"bundles", "--out", tt.dir}, tt.args...)...)
			require.Error(t, err)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), "lines of %q", stderr)
			entries, err := os.ReadDir(full)
			require.NoError(t, err)
			assert.Len(t, entries, 1)
		})
	}
}
