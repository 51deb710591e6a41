package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
)

// build compiles the CDK app as users run it, once, and returns the path of the
// binary. Linking it takes seconds.
func build(t testing.TB) string {
	t.Helper()
	binary, err := compiled()
	require.NoError(t, err)
	return binary
}

var compiled = sync.OnceValues(func() (string, error) {
	binary := filepath.Join(work, "app")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, output)
	}
	return binary, nil
})

// work is a directory that goes away with the tests.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "refdeploy-app-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(work)
	os.Exit(code)
}

// A run is one run of the CDK app, as the CDK CLI starts it.
type run struct {
	out            string // the cloud assembly's directory
	stdout, stderr string
	err            error
}

// synth runs the binary in dir with cdk.json's context and the settings given
// as key, value, ….
func synth(t testing.TB, binary, dir string, env []string, keyValues ...string) run {
	t.Helper()
	context, err := project.Context()
	require.NoError(t, err)
	for i := 0; i < len(keyValues); i += 2 {
		context[keyValues[i]] = keyValues[i+1]
	}
	encoded, err := json.Marshal(context)
	require.NoError(t, err)

	r := run{out: filepath.Join(t.TempDir(), "cdk.out")}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary)
	cmd.Dir = dir
	cmd.Env = append(append(os.Environ(), "CDK_OUTDIR="+r.out, "CDK_CONTEXT_JSON="+string(encoded)), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	r.err = cmd.Run()
	r.stdout, r.stderr = stdout.String(), stderr.String()
	return r
}

func TestSynthWritesEveryStackAndNothingElse(t *testing.T) {
	r := synth(t, build(t), ".", nil)
	require.NoError(t, r.err, r.stderr)
	assert.Empty(t, r.stdout)
	assert.Empty(t, r.stderr)
	stacks, err := assembly.Read(r.out)
	require.NoError(t, err)
	var ids []string
	for _, stack := range stacks {
		ids = append(ids, stack.ID)
	}
	assert.ElementsMatch(t, catalog.IDs(), ids)
}

func TestBadSettingsEndWithOneLineAndNothingSynthesized(t *testing.T) {
	binary := build(t)
	tests := []struct{ name, key, value, want string }{
		{"a bad value", "profile", "prod", `profile: got "prod"; allowed: sandbox or production`},
		{"an unknown key", "profil", "sandbox", "profil: not a setting (did you mean profile?)"},
		{"an unknown stack", "stacks", "EcsFargat", "did you mean EcsFargate?"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := synth(t, binary, ".", nil, tt.key, tt.value)
			var exit *exec.ExitError
			require.ErrorAs(t, r.err, &exit)
			assert.Equal(t, 1, exit.ExitCode())
			assert.Contains(t, r.stderr, tt.want)
			assert.Equal(t, 1, strings.Count(r.stderr, "\n"), r.stderr)
			assert.NotContains(t, r.stderr, "goroutine")
			entries, err := os.ReadDir(r.out)
			require.NoError(t, err)
			assert.Empty(t, entries)
		})
	}
}

// Where the checkout is, and when it was synthesized, must not change a hash:
// a deploy from another machine would replace everything.
func TestTwoDirectoriesGiveTheSameAssembly(t *testing.T) {
	binary := build(t)
	copied := t.TempDir()
	for _, name := range []string{"go.mod", "go.sum", "cdk.json", ".dockerignore", "app"} {
		duplicate(t, name, copied)
	}
	modules, err := filepath.Abs("node_modules")
	require.NoError(t, err)
	require.NoError(t, os.Symlink(modules, filepath.Join(copied, "node_modules")))

	here := synth(t, binary, ".", []string{"CDK_VALIDATION=false"})
	require.NoError(t, here.err, here.stderr)
	there := synth(t, binary, copied, []string{"CDK_VALIDATION=false"})
	require.NoError(t, there.err, there.stderr)

	want, got := contents(t, here.out), contents(t, there.out)
	require.NotEmpty(t, want)
	for _, d := range catalog.All() {
		assert.Contains(t, want, d.ID+".template.json")
	}
	assert.Equal(t, want, got)
}

// contents returns the templates, and the names of everything else, whose
// digests stand in them.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		files[entry.Name()] = ""
		if strings.HasSuffix(entry.Name(), ".template.json") || strings.HasSuffix(entry.Name(), ".assets.json") {
			data, err := os.ReadFile(filepath.Join(dir, entry.Name()))
			require.NoError(t, err)
			files[entry.Name()] = string(data)
		}
	}
	return files
}

// duplicate copies the file or directory name into dir.
func duplicate(t *testing.T, name, dir string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(name, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, path)
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, data, 0o644)
	}))
}

func BenchmarkSynth(b *testing.B) {
	binary := build(b)
	for _, bench := range []struct {
		name   string
		env    []string
		stacks []string
	}{
		{"all stacks", nil, nil},
		{"EcsFargate alone", nil, []string{"stacks", "EcsFargate"}},
		{"Lambda alone", nil, []string{"stacks", "Lambda"}},
		{"all stacks, no validation", []string{"CDK_VALIDATION=false"}, nil},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				r := synth(b, binary, ".", bench.env, bench.stacks...)
				require.NoError(b, r.err, r.stderr)
			}
		})
	}
}

// five are the deployments whose synthesis was compared with the same constructs
// in JavaScript (1.24 times its time).
const five = "EcsEc2,EcsFargate,EksEc2,Lambda,AppRunner"

// BenchmarkAllAgainstFive measures what all stacks take for each second that five
// of them take, in rounds of both, so that a busy machine slows both down. The
// target is 1.5, with validation.
func BenchmarkAllAgainstFive(b *testing.B) {
	binary := build(b)
	timed := func(keyValues ...string) time.Duration {
		start := time.Now()
		r := synth(b, binary, ".", nil, keyValues...)
		require.NoError(b, r.err, r.stderr)
		return time.Since(start)
	}
	var ofAll, ofFive time.Duration
	for b.Loop() {
		ofAll += timed()
		ofFive += timed("stacks", five)
	}
	b.ReportMetric(float64(len(catalog.All())), "stacks")
	b.ReportMetric(ofAll.Seconds()/ofFive.Seconds(), "x/five")
}

// BenchmarkRequests counts the requests to the CDK's process, of which each
// takes some 0.2 ms.
func BenchmarkRequests(b *testing.B) {
	binary := build(b)
	for _, id := range catalog.IDs() {
		b.Run(id, func(b *testing.B) {
			var requests int
			for b.Loop() {
				r := synth(b, binary, ".", []string{"CDK_VALIDATION=false", "JSII_DEBUG=1"}, "stacks", id)
				require.NoError(b, r.err, r.stderr)
				requests = strings.Count("\n"+r.stderr, "\n> {\"api\"")
				require.NotZero(b, requests)
			}
			b.ReportMetric(float64(requests), "requests")
		})
	}
}
