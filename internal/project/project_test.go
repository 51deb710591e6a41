package project_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
)

func TestTheRootIsTheSameFromEveryDirectoryInIt(t *testing.T) {
	root := t.TempDir()
	deep := filepath.Join(root, "a", "b")
	require.NoError(t, os.MkdirAll(deep, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(root, "cdk.json"), []byte(`{"context":{"profile":"sandbox"}}`), 0o600))
	t.Chdir(deep)
	assert.Equal(t, filepath.Join(root, "app"), project.Path("app"))
	context, err := project.Context()
	require.NoError(t, err)
	assert.Equal(t, map[string]any{"profile": "sandbox"}, context)
}

func TestOutsideACheckoutTheErrorSaysWhereToBe(t *testing.T) {
	t.Chdir(t.TempDir())
	_, err := project.Root()
	assert.ErrorContains(t, err, "run this inside a checkout of refdeploy")
	_, err = project.Context()
	assert.Error(t, err)
}

func TestABrokenCDKJSONIsNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("cdk.json", []byte("{"), 0o600))
	_, err := project.Context()
	assert.ErrorContains(t, err, "cdk.json: ")
}
