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
	_, stderr, err := run("compare", "--assembly", reviewed(t, "Lambda"), "--format", "markdown", "--out", path)
	require.NoError(t, err, stderr)
	written, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(string(written), "# Deployments compared\n"))

	_, stderr, err = run("compare", "--assembly", reviewed(t, "Lambda"), "--out", filepath.Join(dir, "missing", "x"))
	assert.Error(t, err)
	assert.Contains(t, stderr, "out: ")
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1, "nothing half-written")
}

func TestBadInputIsOneLineWithTheNearestName(t *testing.T) {
	empty := t.TempDir()
	broken := func(name, content string) string {
		dir := oneStack(t)
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
		return dir
	}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"stack":                           {[]string{"compare", "Lamda"}, `stack: got "Lamda" (did you mean Lambda?); allowed: EcsEc2`},
		"format":                          {[]string{"compare", "--format", "jsn"}, `format: got "jsn" (did you mean json?); allowed: table`},
		"usage":                           {[]string{"compare", "--usage", "huge"}, `usage: got "huge"; allowed: idle, small, medium, large`},
		"rps":                             {[]string{"compare", "--rps=-1"}, "rps: got -1; allowed: 0 to"},
		"rps no number":                   {[]string{"compare", "--rps=NaN"}, "rps: got NaN"},
		"hours":                           {[]string{"compare", "--hours=25"}, "hours: got 25; allowed: 0 to 24"},
		"setting":                         {[]string{"compare", "-c", "profil=production"}, "profil: not a setting (did you mean profile?)"},
		"no assembly":                     {[]string{"compare", "--assembly", empty}, "no cloud assembly"},
		"assembly, settings":              {[]string{"compare", "--assembly", empty, "-c", "profile=sandbox"}, "no cloud assembly"},
		"settings, nothing to synthesize": {[]string{"compare", "--assembly", oneStack(t), "-c", "profile=sandbox"}, "leave out -c or --assembly"},
		"empty stack":                     {[]string{"compare", ""}, `stack: got ""; allowed: EcsEc2`},
		"empty stacks":                    {[]string{"diff", "", ""}, `stack: got ""; allowed: EcsEc2`},
		"empty setting":                   {[]string{"compare", "-c", ""}, `context: got ""; allowed: key=value`},
		"setting without key":             {[]string{"compare", "-c", "=x"}, `context: got "=x"; allowed: key=value`},
		"setting without value":           {[]string{"compare", "-c", "profile"}, `context: got "profile"; allowed: key=value`},
		"empty assembly":                  {[]string{"compare", "--assembly", ""}, "assembly: got an empty name; allowed: a directory"},
		"empty assembly, list":            {[]string{"list", "--assembly", ""}, "assembly: got an empty name; allowed: a directory"},
		"assembly that is a file":         {[]string{"compare", "--assembly", "main.go"}, "main.go: no cloud assembly"},
		"empty out":                       {[]string{"compare", "--out", ""}, "out: got an empty name; allowed: a file, or - for standard output"},
		"empty out of prices":             {[]string{"prices", "--out", ""}, "out: got an empty name"},
		"prices to a device":              {[]string{"prices", "--out", os.DevNull}, "out: /dev/null is a device"},
		"refresh to a device":             {[]string{"prices", "--refresh", "--out", os.DevNull}, "out: /dev/null is a device"},
		"empty format":                    {[]string{"compare", "--format", ""}, `format: got ""; allowed: table`},
		"empty usage":                     {[]string{"compare", "--usage", ""}, `usage: got ""; allowed: idle`},
		"empty section":                   {[]string{"compare", "--section", ""}, "section: got"},
		"empty template file":             {[]string{"compare", "--assembly", broken("Mine.template.json", "")}, "Mine.template.json: the file is empty"},
		"template null":                   {[]string{"compare", "--assembly", broken("Mine.template.json", "null")}, "Mine.template.json: got null; a template is an object"},
		"template of a list":              {[]string{"compare", "--assembly", broken("Mine.template.json", "[]")}, "Mine.template.json: "},
		"template without resources":      {[]string{"compare", "Mine", "--assembly", broken("Mine.template.json", "{}")}, "Mine: its template has no resources, so there is nothing to compare"},
		"template cut off":                {[]string{"compare", "--assembly", broken("Mine.template.json", `{"Resources":{`)}, "Mine.template.json: "},
		"another manifest":                {[]string{"compare", "--assembly", broken("manifest.json", `{"name":"a web page","icons":[]}`)}, "manifest.json: not the manifest of a cloud assembly"},
		"manifest of a list":              {[]string{"compare", "--assembly", broken("manifest.json", `[]`)}, "manifest.json: "},
		"manifest without stacks":         {[]string{"compare", "--assembly", broken("manifest.json", `{"artifacts":{}}`)}, "the cloud assembly has no stacks"},
		"empty manifest":                  {[]string{"compare", "--assembly", broken("manifest.json", ``)}, "manifest.json: the file is empty"},
		"assembly in itself":              {[]string{"compare", "--assembly", broken("manifest.json", `{"artifacts":{"A":{"type":"cdk:cloud-assembly","properties":{"directoryName":"."}}}}`)}, "which is not below it"},
		"stack that nobody has":           {[]string{"compare", "Mines", "--assembly", oneStack(t)}, `stack: got "Mines" (did you mean Mine?); allowed: EcsEc2`},
		"diff of one":                     {[]string{"diff", "Lambda"}, "diff: got 1 stacks; it takes two"},
		"diff format":                     {[]string{"diff", "Lambda", "AppRunner", "--format", "markdown"}, "allowed: text, json"},
		"command":                         {[]string{"comprae"}, `unknown command "comprae"`},
		"flag":                            {[]string{"compare", "--formt", "x"}, "unknown flag: --formt"},
		"region":                          {[]string{"compare", "--region", "eu-centrl-1"}, `region: got "eu-centrl-1" (did you mean eu-central-1?); allowed: us-east-1`},
		"region elsewhere":                {[]string{"diff", "Lambda", "AppRunner", "--region", "cn-north-1"}, "region: got cn-north-1; China, GovCloud"},
		"no region":                       {[]string{"prices", "--region", ""}, `region: got ""`},
		"discount":                        {[]string{"compare", "--compute-discount", "91"}, "compute-discount: got 91; allowed: 0 to 90, in percent"},
		"discount no number":              {[]string{"compare", "--compute-discount", "NaN"}, "compute-discount: got NaN"},
		"prices file":                     {[]string{"compare", "--prices", filepath.Join(empty, "mine.csv")}, "mine.csv: no such file"},
		"prices directory":                {[]string{"prices", "--prices", empty}, "is a directory"},
		"prices format":                   {[]string{"prices", "--format", "jsn"}, "format: got \"jsn\"; allowed: table, csv"},
		"refresh of a file":               {[]string{"prices", "--refresh", "--prices", "x.csv"}, "refresh: leave out --prices and --format"},
		"refresh region":                  {[]string{"prices", "--refresh", "--region", "eu-central"}, "did you mean eu-central-1?"},
		"refresh to nowhere":              {[]string{"prices", "--refresh", "--out", filepath.Join(empty, "missing", "x.csv")}, "missing is not a directory"},
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
	stdout, stderr, err := run("compare", "--assembly", reviewed(t, "Lambda"), "--format", "json", "--usage", "medium", "--cpu-ms", "20")
	require.NoError(t, err, stderr)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, report.Usage{Profile: "custom", RequestsPerSecond: 50, CPUMs: 20, ResponseKB: 2, HoursPerDay: 24, ReadsPerRequest: 1, LogBytesPerRequest: 180, RequestsPerConnection: 10}, r.Usage)
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

// in runs the command in a checkout that holds the given files, with variables
// in place of the environment's.
func in(t *testing.T, files map[string]string, env []string, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.Env = append(os.Environ(), env...)
	err = cmd.Run()
	return out.String(), errs.String(), err
}

func TestAnEnvironmentThatCannotDoItIsOneLine(t *testing.T) {
	t.Run("cdk.json without a context", func(t *testing.T) {
		_, stderr, err := in(t, map[string]string{"cdk.json": `{"app":"go run ."}`}, nil, "compare")
		assert.Error(t, err)
		assert.Contains(t, stderr, "cdk.json: got no context; it holds the CDK's feature flags")
		assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
	})
	missing := filepath.Join(t.TempDir(), "missing")
	for name, tt := range map[string]struct{ env, want string }{
		"a directory for temporary files that does not exist": {"TMPDIR=" + missing, "TMPDIR: cannot write to the directory for temporary files"},
		"no Node.js": {"JSII_NODE=no-such-node", `node: found no program "no-such-node"; the CDK needs Node.js: run ` + "`npm ci`"},
		"no Go":      {"PATH=" + missing, `go: found no program "go"`},
	} {
		t.Run(name, func(t *testing.T) {
			var out, errs bytes.Buffer
			cmd := exec.Command(binary, "compare")
			cmd.Env = append(os.Environ(), tt.env)
			cmd.Stdout, cmd.Stderr = &out, &errs
			assert.Error(t, cmd.Run())
			assert.Empty(t, out.String())
			assert.Contains(t, errs.String(), tt.want)
			assert.Equal(t, 1, strings.Count(errs.String(), "\n"), errs.String())
		})
	}
	t.Run("but reading an assembly needs none of them", func(t *testing.T) {
		_, stderr, err := in(t, nil, []string{"TMPDIR=" + missing, "PATH=" + missing}, "compare", "--assembly", oneStack(t))
		require.NoError(t, err, stderr)
	})
}
