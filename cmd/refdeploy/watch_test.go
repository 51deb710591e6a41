package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
)

// copied returns a copy of the checkout that a test may edit.
func copied(t testing.TB) string {
	t.Helper()
	to, from := t.TempDir(), project.Path()
	require.NoError(t, filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if base := entry.Name(); name != "." && (strings.HasPrefix(base, ".") || base == "node_modules" || base == "bin" || base == "cdk.out" || base == "docs" || base == "testdata") {
				return filepath.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, 0o600)
	}))
	require.NoError(t, os.Symlink(filepath.Join(from, "node_modules"), filepath.Join(to, "node_modules")))
	return to
}

// A watcher is a running `refdeploy watch`.
type watcher struct {
	cmd       *exec.Cmd
	root      string
	temporary string

	mu  sync.Mutex
	out strings.Builder
}

func (w *watcher) Write(data []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(data)
}

// take returns what was written, and forgets it, once it contains text.
func (w *watcher) take(t testing.TB, text string) string {
	t.Helper()
	var taken string
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if !strings.Contains(w.out.String(), text) {
			return false
		}
		taken = w.out.String()
		w.out.Reset()
		return true
	}, 3*time.Minute, 20*time.Millisecond, "waits for %q", text)
	return taken
}

// replace edits a file of the checkout.
func (w *watcher) replace(t testing.TB, name, from, to string) {
	t.Helper()
	path := filepath.Join(w.root, name)
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Contains(t, string(data), from)
	require.NoError(t, os.WriteFile(path, []byte(strings.Replace(string(data), from, to, 1)), 0o600))
}

func watching(t testing.TB, id string) *watcher {
	t.Helper()
	w := &watcher{root: copied(t), temporary: t.TempDir()}
	w.cmd = exec.Command(binary, "watch", id)
	w.cmd.Dir = w.root
	w.cmd.Env = append(os.Environ(), "TMPDIR="+w.temporary)
	w.cmd.Stdout, w.cmd.Stderr = w, w
	require.NoError(t, w.cmd.Start())
	t.Cleanup(func() { _ = w.cmd.Process.Kill() })
	w.take(t, "Save a file to see what changes")
	return w
}

const fargateTarget = "TargetUtilizationPercent: jsii.Number(60)"

func TestWatchShowsWhatASaveChanges(t *testing.T) {
	w := watching(t, "EcsFargate")
	w.replace(t, "stacks/ecs_fargate.go", fargateTarget, strings.Replace(fargateTarget, "60", "70", 1))
	got := w.take(t, "@@")
	assert.Regexp(t, `(?m)^stacks/ecs_fargate.go: \(\d+\.\d s\)$`, got)
	assert.Regexp(t, `(?m)^-\s+"TargetValue": 60$`, got)
	assert.Regexp(t, `(?m)^\+\s+"TargetValue": 70$`, got)
	assert.Len(t, regexp.MustCompile(`(?m)^[-+] `).FindAllString(got, -1), 2, got)

	w.replace(t, "stacks/ecs_fargate.go", "jsii.Number(70)", "jsii.Numbr(70)")
	assert.Contains(t, w.take(t, "undefined: jsii.Numbr"), "stacks/ecs_fargate.go: ")

	w.replace(t, "stacks/ecs_fargate.go", "jsii.Numbr(70)", "jsii.Number(70)")
	w.take(t, "the template stays as it is")

	require.NoError(t, w.cmd.Process.Signal(os.Interrupt))
	var exit *exec.ExitError
	require.ErrorAs(t, w.cmd.Wait(), &exit)
	assert.Equal(t, syscall.SIGINT, exit.Sys().(syscall.WaitStatus).Signal())
	assert.Empty(t, w.out.String())
	assert.Empty(t, entries(t, w.temporary))
	assert.Empty(t, running(t, w.temporary))
}

func TestWatchRefusesInOneLineWhatItCannotFollow(t *testing.T) {
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"an unknown stack": {[]string{"EcsFargat"}, `stack: got "EcsFargat" (did you mean EcsFargate?); allowed: EcsEc2`},
		"no stack":         {nil, "watch: got 0 stacks; name one, as in `make watch STACK=EcsFargate`; allowed: EcsEc2"},
		"two stacks":       {[]string{"EcsEc2", "Lambda"}, "watch: got 2 stacks; name one"},
		"a bad setting":    {[]string{"Lambda", "-c", "profile=prod"}, `profile: got "prod"; allowed: sandbox or production`},
	} {
		t.Run(name, func(t *testing.T) {
			_, stderr, err := run(append([]string{"watch"}, tt.args...)...)
			require.Error(t, err)
			assert.True(t, strings.HasPrefix(stderr, tt.want), stderr)
			assert.Equal(t, 1, strings.Count(stderr, "\n"))
		})
	}
}

// BenchmarkWatch measures the loop that people live in: from a save to the
// difference. The target is 3 s on two cores.
func BenchmarkWatch(b *testing.B) {
	w := watching(b, "EcsFargate")
	from, to := fargateTarget, strings.Replace(fargateTarget, "60", "70", 1)
	took := regexp.MustCompile(`\((\d+\.\d) s\)`)
	var slowest float64
	for b.Loop() {
		w.replace(b, "stacks/ecs_fargate.go", from, to)
		from, to = to, from
		seconds, err := strconv.ParseFloat(took.FindStringSubmatch(w.take(b, "@@"))[1], 64)
		require.NoError(b, err)
		slowest = max(slowest, seconds)
	}
	b.ReportMetric(slowest, "s/slowest")
}
