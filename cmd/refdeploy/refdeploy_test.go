package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
	"refdeploy/internal/report"
)

// binary is the command as users run it: compare starts itself again.
var binary string

func TestMain(m *testing.M) {
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
	assert.Equal(t, report.Usage{Profile: "custom", RequestsPerSecond: 50, CPUMs: 20, ResponseKB: 2, HoursPerDay: 24}, r.Usage)
}

func TestPricesShowTheirAge(t *testing.T) {
	table, err := price.Parse("us-east-1", []byte("key,price,unit,item,source,date,confidence\nnat.hour,0.045,hour,NAT gateway,AWS page,2026-09-20,high\n"))
	require.NoError(t, err)
	var out bytes.Buffer
	require.NoError(t, printPrices(&out, table, time.Date(2026, 9, 30, 12, 0, 0, 0, time.UTC)))
	assert.Contains(t, out.String(), "nat.hour  0.045  hour  NAT gateway  AWS page  2026-09-20  10 days  high")
}

// renew runs `prices --refresh` in a checkout that consists of its prices, and
// returns what became of them. The endpoint is the Price List API's.
func renew(t *testing.T, env ...string) (before, after, stdout, stderr string) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "internal", "price", "prices.csv")
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	data, err := os.ReadFile("../../internal/price/prices.csv")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cdk.json"), []byte(`{"context":{}}`), 0o644))
	var out, errs bytes.Buffer
	cmd := exec.Command(binary, "prices", "--refresh")
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1"}, env...)
	_ = cmd.Run() // what it says and leaves is looked at
	now, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(data), string(now), out.String(), errs.String()
}

func TestRefreshWithoutCredentialsSaysWhatToSet(t *testing.T) {
	before, after, _, stderr := renew(t)
	assert.Equal(t, before, after)
	assert.Contains(t, stderr, "found no AWS credentials; set AWS_PROFILE")
	assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
}

func TestRefreshWritesTheFileWholeOrNotAtAll(t *testing.T) {
	credentials := []string{"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test"}
	serve := func(good int) string {
		answered := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			if answered++; answered > good {
				w.WriteHeader(http.StatusBadRequest)
				io.WriteString(w, `{"__type":"AccessDeniedException","message":"no"}`)
				return
			}
			product := `{"terms":{"OnDemand":{"t":{"priceDimensions":{"d":{"beginRange":"0","pricePerUnit":{"USD":"0.5000000000"}}}}}}}`
			json.NewEncoder(w).Encode(map[string]any{"FormatVersion": "aws_v1", "PriceList": []string{product}})
		}))
		t.Cleanup(server.Close)
		return "AWS_ENDPOINT_URL_PRICING=" + server.URL
	}
	t.Run("when all answer", func(t *testing.T) {
		before, after, stdout, stderr := renew(t, append(credentials, serve(1000))...)
		assert.NotEqual(t, before, after, stderr)
		assert.Contains(t, after, "nat.hour,0.5,hour,NAT gateway,AWS Price List API,"+time.Now().Format(time.DateOnly))
		assert.Contains(t, stdout, "prices renewed")
		_, err := price.Parse("us-east-1", []byte(after))
		assert.NoError(t, err)
	})
	t.Run("when one fails", func(t *testing.T) {
		before, after, _, stderr := renew(t, append(credentials, serve(7))...)
		assert.Equal(t, before, after)
		assert.Contains(t, stderr, "the file is unchanged")
	})
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
