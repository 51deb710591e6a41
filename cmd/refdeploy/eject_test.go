package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWhatEjectDoesNotTakeGetsOneLineAndLeavesNothing(t *testing.T) {
	parent, full := t.TempDir(), t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(full, "mine"), nil, 0o600))
	dir := filepath.Join(parent, "orders")
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"no directory", []string{"EcsFargate"}, "eject: got 1 arguments; it takes two, STACK and DIR"},
		{"a stack that nobody knows", []string{"EcsFargat", dir}, `stack: got "EcsFargat" (did you mean EcsFargate?); allowed: EcsEc2`},
		{"a directory that holds something", []string{"EcsFargate", full}, "holds something; nothing is overwritten"},
		{"a directory in the checkout", []string{"EcsFargate", "orders"}, "lies inside this checkout"},
		{"a module that Go does not take", []string{"EcsFargate", dir, "--module", "a b"}, `module: got "a b"`},
		{"a name that CloudFormation does not take", []string{"EcsFargate", dir, "--name", "1st"}, `name: got "1st"`},
		{"a setting that nobody knows", []string{"EcsFargate", dir, "-c", "profil=production"}, "profil: not a setting (did you mean profile?)"},
		{"a network of several", []string{"EcsFargate", dir, "-c", "network=shared"}, `network: got "shared"; a project of one deployment`},
		{"several stacks", []string{"EcsFargate", dir, "-c", "stacks=Lambda"}, `stacks: got "Lambda"; the project has one, EcsFargate`},
		{"two apps", []string{"EcsFargate", dir, "--app", full, "-c", "app=" + full}, "app: got --app and -c app=…; give one of them"},
		{"an app without a Dockerfile", []string{"EcsFargate", dir, "--app", full}, "Dockerfile"},
		{"a difference to what eject did not write", []string{"EcsFargate", full, "--diff"}, "holds no project that eject wrote"},
		{"a difference with other options", []string{"EcsFargate", full, "--diff", "--name", "x"}, "name: the project in"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"eject"}, tt.args...)...)
			require.Error(t, err)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			assert.Empty(t, stdout)
			left, err := os.ReadDir(parent)
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
}

func TestTheStatusOfADifferenceSaysWhetherThereIsOne(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my-orders")
	stdout, stderr, err := run("eject", "Lambda", dir)
	require.NoError(t, err, stderr)
	assert.Contains(t, stdout, "Lambda as a project of your own")
	module, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(module), "module example.com/my-orders\n"))

	stdout, _, err = run("eject", "Lambda", dir, "--diff")
	require.NoError(t, err)
	assert.Empty(t, stdout)

	_, stderr, err = run("eject", "EcsFargate", dir, "--diff")
	require.Error(t, err)
	assert.Contains(t, stderr, "stack: got EcsFargate; the project in "+dir+" was made of Lambda")

	// As if an older version had written another Makefile.
	makefile, record := filepath.Join(dir, "Makefile"), filepath.Join(dir, ".eject.json")
	require.NoError(t, os.WriteFile(makefile, []byte("test:\n\tgo test ./...\n"), 0o644))
	text, err := os.ReadFile(record)
	require.NoError(t, err)
	older := regexp.MustCompile(`("Makefile": ")[0-9a-f]{64}`).ReplaceAll(text, []byte("${1}"+strings.Repeat("0", 64)))
	require.NotEqual(t, string(text), string(older))
	require.NoError(t, os.WriteFile(record, older, 0o644))
	stdout, stderr, err = run("eject", "Lambda", dir, "--diff")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 2, exit.ExitCode())
	assert.Empty(t, stderr)
	assert.Contains(t, stdout, "Makefile: you changed it too; what you did shows as taken back\n--- a/Makefile\n+++ b/Makefile\n@@ ")
	assert.Contains(t, stdout, "\n+synth: node_modules ## write the template to cdk.out\n")
	kept, err := os.ReadFile(makefile)
	require.NoError(t, err)
	assert.Equal(t, "test:\n\tgo test ./...\n", string(kept), "nothing is changed")
}
