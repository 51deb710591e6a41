package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/versions"
)

// cdk runs the pinned CDK CLI in dir.
func cdk(t *testing.T, dir string, args ...string) (output string, err error) {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("node_modules", ".bin", "cdk"))
	require.NoError(t, err)
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "CDK_VALIDATION=false")
	// Go's caches are below the home too, and without them all is compiled anew.
	caches, err := exec.Command("go", "env", "GOCACHE", "GOMODCACHE").Output()
	require.NoError(t, err)
	for i, path := range strings.Fields(string(caches)) {
		cmd.Env = append(cmd.Env, []string{"GOCACHE=", "GOMODCACHE="}[i]+path)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Two ordinary commands write keys to the context that are no settings of ours.
func TestOrdinaryCommandsOfTheCDKBreakNoSynthesis(t *testing.T) {
	binary := build(t)
	dir := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "cdk.json", ".dockerignore", "app"} {
		duplicate(t, name, dir)
	}
	for _, args := range [][]string{{"acknowledge", "12345"}, {"cli-telemetry", "--disable"}} {
		output, err := cdk(t, dir, args...)
		require.NoError(t, err, output)
	}
	written, err := os.ReadFile(filepath.Join(dir, "cdk.context.json"))
	require.NoError(t, err)
	assert.Contains(t, string(written), "acknowledged-issue-numbers")
	assert.Contains(t, string(written), "cli-telemetry")

	output, err := cdk(t, dir, "synth", "--quiet", "--app", binary, "-c", "stacks=Lambda")
	require.NoError(t, err, output)
	stacks, err := assembly.Read(filepath.Join(dir, "cdk.out"))
	require.NoError(t, err)
	require.Len(t, stacks, 1)

	output, err = cdk(t, dir, "synth", "--quiet", "--app", binary, "-c", "stack=Lambda")
	require.Error(t, err)
	assert.Contains(t, output, "stack: not a setting (did you mean stacks?)")
}

// What is deployed of an app that is not ours: its directory as it is, and for
// Lambda a copy with the adapter in it.
func TestAnAppThatIsNotOursIsStagedForItsBuild(t *testing.T) {
	binary := build(t)
	out, temporary := filepath.Join(t.TempDir(), "cdk.out"), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	output, err := cdk(t, ".", "synth", "--quiet", "--app", binary, "--output", out,
		"-c", "stacks=Lambda,EcsFargate", "-c", "app=tests/apps/node", "-c", "port=3000", "-c", "healthPath=/status")
	require.NoError(t, err, output)
	own, err := os.ReadFile("tests/apps/node/Dockerfile")
	require.NoError(t, err)
	staged, err := filepath.Glob(filepath.Join(out, "asset.*", "server.js"))
	require.NoError(t, err)
	var added []string
	for _, file := range staged {
		dockerfile, err := os.ReadFile(filepath.Join(filepath.Dir(file), "Dockerfile"))
		require.NoError(t, err)
		more, ok := strings.CutPrefix(string(dockerfile), string(own))
		require.True(t, ok, "another Dockerfile")
		added = append(added, more)
	}
	assert.ElementsMatch(t, []string{
		"", // on Fargate
		"COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:" + versions.WebAdapter + " /lambda-adapter /opt/extensions/lambda-adapter\n",
	}, added)
	entries, err := os.ReadDir(temporary)
	require.NoError(t, err)
	for _, entry := range entries {
		assert.NotContains(t, entry.Name(), "refdeploy-lambda", "the copy is left behind")
	}
}

func TestAnInterruptedSynthesisLeavesNothingBehind(t *testing.T) {
	binary := build(t)
	temporary, out := t.TempDir(), t.TempDir()
	var stderr bytes.Buffer
	cmd := exec.Command(binary)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary, "CDK_OUTDIR="+filepath.Join(out, "cdk.out"))
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		return strings.Contains(strings.Join(started(t, temporary), "\n"), "jsii-runtime.js")
	}, time.Minute, 10*time.Millisecond)
	time.Sleep(300 * time.Millisecond) // into the middle of a call

	require.NoError(t, cmd.Process.Signal(syscall.SIGTERM))
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Wait(), &exit)
	assert.Equal(t, syscall.SIGTERM, exit.Sys().(syscall.WaitStatus).Signal())
	assert.NotContains(t, stderr.String(), "goroutine")
	entries, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, entries)
	assert.Empty(t, started(t, temporary))
}

// started returns the processes in whose environment a text stands.
func started(t *testing.T, text string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("processes are found through /proc")
	}
	var found []string
	for _, file := range files {
		if environ, err := os.ReadFile(file); err == nil && bytes.Contains(environ, []byte(text)) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

func TestWithoutNodeASynthesisIsOneLine(t *testing.T) {
	cmd := exec.Command(build(t))
	cmd.Env = append(os.Environ(), "PATH="+t.TempDir(), "CDK_OUTDIR="+t.TempDir())
	output, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	assert.Equal(t, 1, exit.ExitCode())
	assert.Contains(t, string(output), "node: found no program \"node\"; the CDK needs Node.js: run `npm ci`")
	assert.Equal(t, 1, strings.Count(string(output), "\n"), string(output))
}
