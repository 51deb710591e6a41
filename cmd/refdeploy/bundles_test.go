package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestBundlesWritesWhatItListsAndWhatTheStackTold(t *testing.T) {
	dir := t.TempDir()
	outputs := filepath.Join(dir, "outputs.json")
	require.NoError(t, os.WriteFile(outputs, []byte(`{"EksAnywhere": {
		"NotesBucket": "my-notes", "Region": "eu-west-1", "ImageUri": "my/image:1",
		"IssuerUrl": "https://issuer.example", "AppRoleArn": "arn:aws:iam::111111111111:role/my"
	}}`), 0o600))
	stdout, stderr, err := run("bundles", "--outputs", outputs, "--out", filepath.Join(dir, "out"), "-c", "architecture=x86_64")
	require.NoError(t, err, stderr)
	var all strings.Builder
	for path := range strings.FieldsSeq(stdout) {
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		all.Write(content)
	}
	for _, told := range []string{"my-notes", "eu-west-1", "my/image:1", "serviceAccountIssuer: https://issuer.example", "arn:aws:iam::111111111111:role/my", "kubernetes.io/arch: amd64"} {
		assert.Contains(t, all.String(), told)
	}
	assert.Equal(t, 3, strings.Count(all.String(), "kind: Cluster\n"), "three kinds of servers")
}
