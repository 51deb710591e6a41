package main

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
)

// running returns the processes whose environment has the variable: a program
// and all that it started.
func running(t *testing.T, variable string) []string {
	t.Helper()
	var found []string
	files, err := filepath.Glob("/proc/[0-9]*/environ")
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("processes are counted through /proc")
	}
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err == nil && bytes.Contains(environ, []byte(variable)) {
			command, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
			found = append(found, strings.ReplaceAll(string(command), "\x00", " "))
		}
	}
	return found
}

func TestAnInterruptedRunLeavesNothingBehind(t *testing.T) {
	for name, s := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminate": syscall.SIGTERM, "hang up": syscall.SIGHUP} {
		t.Run(name, func(t *testing.T) {
			temporary, dir := t.TempDir(), t.TempDir()
			var out, errs bytes.Buffer
			cmd := exec.Command(binary, "compare", "--out", filepath.Join(dir, "compare.md"))
			cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
			cmd.Stdout, cmd.Stderr = &out, &errs
			require.NoError(t, cmd.Start())
			// The CDK's process is the last to start.
			require.Eventually(t, func() bool {
				unpacked, err := filepath.Glob(filepath.Join(temporary, "*", "tmp", "jsii-runtime*"))
				return err == nil && len(unpacked) > 0 && strings.Contains(strings.Join(running(t, temporary), "\n"), "jsii-runtime.js")
			}, time.Minute, 10*time.Millisecond)

			require.NoError(t, cmd.Process.Signal(s))
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &exit)
			assert.Equal(t, s, exit.Sys().(syscall.WaitStatus).Signal(), "shells look at how it ended")
			assert.Empty(t, out.String())
			assert.Empty(t, errs.String())
			assert.Empty(t, entries(t, temporary))
			assert.Empty(t, entries(t, dir))
			assert.Empty(t, running(t, temporary))
		})
	}
}

func TestAReaderThatLeavesIsNoError(t *testing.T) {
	temporary := t.TempDir()
	read, write, err := os.Pipe()
	require.NoError(t, err)
	require.NoError(t, read.Close())
	var errs bytes.Buffer
	cmd := exec.Command(binary, "compare", "Lambda")
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	cmd.Stdout, cmd.Stderr = write, &errs
	var exit *exec.ExitError
	require.ErrorAs(t, cmd.Run(), &exit)
	assert.Equal(t, syscall.SIGPIPE, exit.Sys().(syscall.WaitStatus).Signal())
	assert.Empty(t, errs.String())
	assert.Empty(t, entries(t, temporary))
}

// What ends by itself takes its temporary files along, too.
func TestARunLeavesNothingBehind(t *testing.T) {
	temporary := t.TempDir()
	cmd := exec.Command(binary, "compare", "Lambda")
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	assert.Empty(t, entries(t, temporary))
	assert.Empty(t, running(t, temporary))
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	found, err := os.ReadDir(dir)
	require.NoError(t, err)
	var names []string
	for _, entry := range found {
		names = append(names, entry.Name())
	}
	return names
}

// The CDK's bindings unpack themselves before main runs: a command that linked
// them would need a directory for temporary files, and could leave one behind,
// before it can say or do anything.
func TestTheCommandDoesNotLinkTheCDK(t *testing.T) {
	output, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	assert.Contains(t, string(output), "refdeploy/internal/report\n")
	assert.NotContains(t, string(output), "jsii-runtime-go")
	assert.NotContains(t, string(output), "aws-cdk-go")
}
