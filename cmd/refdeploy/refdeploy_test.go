package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/report"
)

// binary is the command as users run it: compare starts itself again.
var binary string

func TestMain(m *testing.M) {
	os.Unsetenv("AWS_REGION") // prices are those of us-east-1 unless a test says otherwise
	os.Unsetenv("AWS_DEFAULT_REGION")
	dir, err := os.MkdirTemp("", "refdeploy")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "refdeploy")
	if output, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		panic(string(output))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// run returns what the command writes.
func run(args ...string) (stdout, stderr string, err error) {
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestCompareSynthesizesAndReadsTheSame(t *testing.T) {
	stdout, stderr, err := run("compare", "Lambda", "AppRunner", "--format", "json", "-c", "architecture=x86_64")
	require.NoError(t, err, stderr)
	assert.Empty(t, stderr, "no progress when piped")
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	require.Len(t, r.Deployments, 2)
	assert.Equal(t, "Lambda", r.Deployments[0].ID)
	assert.Equal(t, map[string]string{"profile": "sandbox", "architecture": "x86_64"}, r.Settings)
}

func TestCompareWritesAFileWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "compare.md")
	_, stderr, err := run("compare", "Lambda", "--format", "markdown", "--out", path)
	require.NoError(t, err, stderr)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(written), "# Deployments compared\n"))

	_, stderr, err = run("compare", "Lambda", "--out", filepath.Join(dir, "missing", "x"))
	assert.Error(t, err)
	assert.Contains(t, stderr, "out: ")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing half-written")
}

func TestBadInputIsOneLineWithTheNearestName(t *testing.T) {
	empty := t.TempDir()
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"stack":              {[]string{"compare", "Lamda"}, `stack: got "Lamda" (did you mean Lambda?); allowed: EcsEc2`},
		"format":             {[]string{"compare", "--format", "jsn"}, `format: got "jsn" (did you mean json?); allowed: table`},
		"usage":              {[]string{"compare", "--usage", "huge"}, `usage: got "huge"; allowed: idle, small, medium, large`},
		"rps":                {[]string{"compare", "--rps=-1"}, "rps: got -1; allowed: 0 to"},
		"rps no number":      {[]string{"compare", "--rps=NaN"}, "rps: got NaN"},
		"hours":              {[]string{"compare", "--hours=25"}, "hours: got 25; allowed: 0 to 24"},
		"region":             {[]string{"compare", "--region", "eu-centrl-1"}, `region: got "eu-centrl-1" (did you mean eu-central-1?); allowed: us-east-1`},
		"region elsewhere":   {[]string{"diff", "Lambda", "AppRunner", "--region", "cn-north-1"}, "region: got cn-north-1; China, GovCloud"},
		"no region":          {[]string{"prices", "--region", ""}, `region: got ""`},
		"discount":           {[]string{"compare", "--compute-discount", "91"}, "compute-discount: got 91; allowed: 0 to 90, in percent"},
		"discount no number": {[]string{"compare", "--compute-discount", "NaN"}, "compute-discount: got NaN"},
		"prices file":        {[]string{"compare", "--prices", filepath.Join(empty, "mine.csv")}, "mine.csv: no such file"},
		"prices directory":   {[]string{"prices", "--prices", empty}, "is a directory"},
		"prices format":      {[]string{"prices", "--format", "jsn"}, "format: got \"jsn\"; allowed: table, csv"},
		"refresh of a file":  {[]string{"prices", "--refresh", "--prices", "x.csv"}, "refresh: leave out --prices and --format"},
		"refresh region":     {[]string{"prices", "--refresh", "--region", "eu-central"}, "did you mean eu-central-1?"},
		"refresh to nowhere": {[]string{"prices", "--refresh", "--out", filepath.Join(empty, "missing", "x.csv")}, "missing is not a directory"},
		"setting":            {[]string{"compare", "-c", "profil=production"}, "profil: not a setting (did you mean profile?)"},
		"no assembly":        {[]string{"compare", "--assembly", empty}, "no cloud assembly"},
		"assembly, settings": {[]string{"compare", "--assembly", empty, "-c", "profile=sandbox"}, "leave out -c or --assembly"},
		"diff of one":        {[]string{"diff", "Lambda"}, "diff: got 1 stacks; it takes two"},
		"diff format":        {[]string{"diff", "Lambda", "AppRunner", "--format", "markdown"}, "allowed: text, json"},
		"command":            {[]string{"comprae"}, `unknown command "comprae"`},
		"flag":               {[]string{"compare", "--formt", "x"}, "unknown flag: --formt"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(tt.args...)
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 1, exit.ExitCode())
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.NotContains(t, stderr, "goroutine")
			if name != "command" { // cobra adds its suggestion below
				assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
			}
		})
	}
}

func TestFlagsTakeThePlaceOfTheProfiles(t *testing.T) {
	stdout, stderr, err := run("compare", "Lambda", "--format", "json", "--usage", "medium", "--cpu-ms", "20")
	require.NoError(t, err, stderr)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, report.Usage{Profile: "custom", RequestsPerSecond: 50, CPUMs: 20, ResponseKB: 2, HoursPerDay: 24, ReadsPerRequest: 1, RequestsPerConnection: 10}, r.Usage)
}

func BenchmarkCompare(b *testing.B) {
	dir := b.TempDir()
	b.Run("all stacks, synthesized", func(b *testing.B) {
		for b.Loop() {
			_, stderr, err := run("compare", "--out", filepath.Join(dir, "out"))
			require.NoError(b, err, stderr)
		}
	})
	b.Run("Lambda, synthesized", func(b *testing.B) {
		for b.Loop() {
			_, stderr, err := run("compare", "Lambda", "--out", filepath.Join(dir, "out"))
			require.NoError(b, err, stderr)
		}
	})
}
