package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/report"
)

func TestMeasureTellsWhatARequestCostsAndCompareTakesIt(t *testing.T) {
	app, err := sampleApp()
	require.NoError(t, err)
	t.Setenv("NOTES_DIR", t.TempDir())
	file := filepath.Join(t.TempDir(), "usage.json")
	stdout, stderr, err := run("measure", "--method", "POST", "--path", "/work?ms=20", "--body", "12345", "--requests", "30", "--out", file, app)
	require.NoError(t, err, stderr)
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	var figures map[string]float64
	require.NoError(t, json.Unmarshal(data, &figures))

	// It works for 20 ms of time. Whoever else uses the machine takes of that.
	took := figures["cpu-ms"] + figures["wait-ms"]
	assert.GreaterOrEqual(t, took, 19.8)
	if runtime.GOOS == "linux" {
		assert.Greater(t, figures["cpu-ms"], 0.5)
		assert.Less(t, figures["cpu-ms"], 30.0)
	}
	assert.Equal(t, 0.005, figures["request-kb"])
	assert.InDelta(t, 0.026, figures["response-kb"], 0.01)
	assert.InDelta(t, 170, figures["log-bytes"], 50)
	for flag, value := range figures {
		assert.Contains(t, stdout, fmt.Sprintf(" --%s %g", flag, value))
	}
	assert.Contains(t, stdout, "30 requests one at a time")
	assert.Contains(t, stdout, "compare --usage "+file)

	stdout, stderr, err = run("compare", "--assembly", oneStack(t), "--usage", file, "--format", "json", "--rps", "7", "--response-kb", "3")
	require.NoError(t, err, stderr)
	var r report.Report
	require.NoError(t, json.Unmarshal([]byte(stdout), &r))
	assert.Equal(t, report.Usage{
		Profile: "custom", RequestsPerSecond: 7, CPUMs: figures["cpu-ms"], WaitMs: figures["wait-ms"], RequestKB: 0.005, ResponseKB: 3,
		HoursPerDay: 24, ReadsPerRequest: 1, LogBytesPerRequest: figures["log-bytes"], RequestsPerConnection: 10,
	}, r.Usage, "flags win over the file, and the rest is medium's")
}

func TestMeasureOfAnAddressSaysWhatItCannotSee(t *testing.T) {
	address, _ := startApp(t)
	stdout, stderr, err := run("measure", "--url", address, "--path", "/healthz", "--requests", "10", "--wait", "1s")
	assert.Error(t, err)
	assert.Empty(t, stdout)
	assert.Equal(t, "wait: goes with a command; leave it out\n", stderr)

	require.Eventually(t, func() bool {
		stdout, stderr, err = run("measure", "--url", address, "--path", "/healthz", "--requests", "10")
		return err == nil
	}, 10*time.Second, 100*time.Millisecond, "the app starts")
	assert.Contains(t, stdout, "not measured: give --pid, or a command")
	assert.Contains(t, stdout, "not measured: give a command in place of --url")
	assert.NotContains(t, stdout, "--cpu-ms")
	assert.NotContains(t, stdout, "--log-bytes")
	assert.Contains(t, stdout, " --response-kb 0.0")

	if runtime.GOOS == "linux" {
		stdout, stderr, err = run("measure", "--url", address, "--pid", fmt.Sprint(os.Getpid()), "--requests", "10", "--format", "json")
		require.NoError(t, err, stderr)
		assert.Contains(t, stdout, `"cpu-ms":`)
	}
}

func TestMeasureSendsNothingToAnotherMachineUnasked(t *testing.T) {
	address, _ := startApp(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"a name":             {[]string{"--url", "http://example.com"}, "url: example.com is another machine; to send it 200 requests, name it: --host example.com\n"},
		"an address":         {[]string{"--url", "http://192.0.2.1:8080"}, "url: 192.0.2.1 is another machine"},
		"every address":      {[]string{"--url", "http://0.0.0.0:8080"}, "url: 0.0.0.0 is another machine"},
		"another host":       {[]string{"--url", "http://example.com", "--host", "example.org", "--yes"}, "url: example.com is another machine"},
		"yes alone":          {[]string{"--url", "http://example.com", "--yes"}, "url: example.com is another machine"},
		"unconfirmed":        {[]string{"--url", "http://example.com", "--host", "example.com"}, "host: nobody is there to ask whether 200 requests may go to example.com; say --yes\n"},
		"a process":          {[]string{"--url", "http://example.com", "--host", "example.com", "--yes", "--pid", fmt.Sprint(os.Getpid())}, "pid: got"},
		"this machine named": {[]string{"--url", address, "--host", "127.0.0.1"}, "leave it out"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"measure"}, tt.args...)...)
			assert.Error(t, err)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
	// It is not spelled as this machine is, and leads here.
	require.Eventually(t, func() bool {
		_, _, err := run("measure", "--url", "http://LOCALHOST:"+port, "--host", "LOCALHOST", "--yes", "--requests", "5")
		return err == nil
	}, 10*time.Second, 100*time.Millisecond, "a host that is named and confirmed is measured")
}

func TestWhatMeasureCannotMeasureIsOneLine(t *testing.T) {
	app, err := sampleApp()
	require.NoError(t, err)
	busy, _ := startApp(t)
	_, port, _ := strings.Cut(strings.TrimPrefix(busy, "http://"), ":")
	require.Eventually(t, func() bool {
		return exec.Command("sh", "-c", "exec 3<>/dev/tcp/127.0.0.1/"+port).Run() == nil || answers(busy)
	}, 10*time.Second, 50*time.Millisecond)
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"nothing":           {nil, "measure: got nothing to measure; give a command"},
		"both":              {[]string{"--url", busy, app}, "measure: got --url and the command "},
		"a container":       {[]string{"docker", "run", "x"}, "docker runs the app outside of this command"},
		"no requests":       {[]string{"--requests", "0", app}, "requests: got 0; allowed: 1 to 10000"},
		"too many requests": {[]string{"--requests", "10001", app}, "requests: got 10001"},
		"a long limit":      {[]string{"--limit", "11m", app}, "limit: got 11m0s; allowed: 1s to 10m"},
		"a short wait":      {[]string{"--wait", "1ms", app}, "wait: got 1ms; allowed: 1s to 10m"},
		"a port":            {[]string{"--port", "70000", app}, "port: got 70000; allowed: 1 to 65535"},
		"a port in use":     {[]string{"--port", port, app}, "port: something listens on " + port + " already"},
		"a health path":     {[]string{"--health-path", "x", app}, `health-path: got "x"; it begins with /`},
		"a path":            {[]string{"--path", "x", app}, `path: got "x"; it begins with /`},
		"another's path":    {[]string{"--path", "//example.com/", app}, `path: got "//example.com/"`},
		"a method":          {[]string{"--method", "get it", app}, `method: got "get it"; allowed: one such as GET`},
		"a header":          {[]string{"--header", "nothing", app}, `header: got "nothing"; allowed: 'Name: value'`},
		"a format":          {[]string{"--format", "jsn", app}, `format: got "jsn" (did you mean json?); allowed: text, json`},
		"standard output":   {[]string{"--out", "-", app}, "out: got -; give a file, or use --format json"},
		"no directory":      {[]string{"--out", "/no/such/file", app}, "out: "},
		"an address":        {[]string{"--url", "ftp://127.0.0.1"}, `url: got "ftp://127.0.0.1"; allowed: an address without a path`},
		"no process":        {[]string{"--url", busy, "--pid", "-3"}, "pid: got -3; allowed: a process that runs on this machine"},
		"a command's flag":  {[]string{"--url", busy, "--port", "1"}, "port: goes with a command; leave it out"},
		"an address's flag": {[]string{"--pid", "1", app}, "pid: goes with --url; leave it out"},
		"no answer":         {[]string{"--url", "http://127.0.0.1:1"}, "GET /: no answer: "},
		"an error":          {[]string{"--path", "/nothing", app}, "GET /nothing: answered with 404; give a --path"},
		"no program":        {[]string{"./no-such-program"}, "cannot start ./no-such-program"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"measure"}, tt.args...)...)
			assert.Error(t, err)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
}

func answers(address string) bool {
	_, _, err := run("measure", "--url", address, "--requests", "1", "--path", "/healthz")
	return err == nil
}

func TestACommandThatServesNothingIsSaidWithItsOutput(t *testing.T) {
	for name, tt := range map[string]struct{ script, want string }{
		"it ends":          {"echo no such database; exit 3", "sh ended before it answered (exit status 3); it wrote:\nno such database\n"},
		"it never answers": {"echo waiting; sleep 600", "sh does not answer /healthz on http://127.0.0.1:"},
		"it does not stop": {"trap '' TERM; while :; do sleep 600; done", "it wrote nothing\n"},
	} {
		t.Run(name, func(t *testing.T) {
			mark := "MEASURED_BY=" + filepath.Base(t.TempDir()) + strings.ReplaceAll(name, " ", "-")
			cmd := exec.Command(binary, "measure", "--wait", "1s", "sh", "-c", tt.script)
			cmd.Env = append(os.Environ(), mark)
			var errs bytes.Buffer
			cmd.Stderr = &errs
			assert.Error(t, cmd.Run())
			assert.Contains(t, errs.String(), tt.want)
			assert.Empty(t, running(t, mark))
		})
	}
}

func TestAnInterruptedMeasurementLeavesNoProcess(t *testing.T) {
	app, err := sampleApp()
	require.NoError(t, err)
	for name, s := range map[string]syscall.Signal{"interrupt": syscall.SIGINT, "terminate": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mark := "NOTES_DIR=" + filepath.Join(dir, "notes")
			out := filepath.Join(dir, "usage.json")
			// A shell in between: what the command starts has to go as well.
			cmd := exec.Command(binary, "measure", "--method", "POST", "--path", "/work?ms=2000", "--out", out, "sh", "-c", app+" & wait")
			cmd.Env = append(os.Environ(), mark)
			require.NoError(t, cmd.Start())
			require.Eventually(t, func() bool { return len(running(t, mark)) >= 3 }, 20*time.Second, 10*time.Millisecond)
			time.Sleep(300 * time.Millisecond) // requests are on their way
			require.NoError(t, cmd.Process.Signal(s))
			var exit *exec.ExitError
			require.ErrorAs(t, cmd.Wait(), &exit)
			assert.Equal(t, s, exit.Sys().(syscall.WaitStatus).Signal(), "shells look at how it ended")
			assert.Empty(t, running(t, mark))
			assert.NoFileExists(t, out)
		})
	}
}

func TestAFileOfFiguresIsCheckedLineByLine(t *testing.T) {
	stack := oneStack(t)
	dir := t.TempDir()
	for name, tt := range map[string]struct {
		content string
		want    []string
	}{
		"no JSON":   {"cpu-ms: 3", []string{"is not JSON with a number for each figure"}},
		"a list":    {"[1]", []string{"is not JSON with a number for each figure"}},
		"nothing":   {"null", []string{"is not JSON with a number for each figure"}},
		"all wrong": {`{"cpu": 3, "wait-ms": -1, "hours": "all", "rps": 3}`, []string{`figure: got "cpu"`, `hours: got "all"; allowed: a number, 0 to 24`, "wait-ms: got -1; allowed: 0 to 900000"}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, "usage.json")
			require.NoError(t, os.WriteFile(path, []byte(tt.content), 0o600))
			for _, command := range [][]string{{"compare"}, {"diff", "A", "B"}} {
				stdout, stderr, err := run(append(command, "--assembly", stack, "--usage", path)...)
				assert.Error(t, err)
				assert.Empty(t, stdout)
				lines := strings.Split(strings.TrimSpace(stderr), "\n")
				require.Len(t, lines, len(tt.want), stderr)
				for i, line := range lines {
					assert.Contains(t, line, "usage: "+path)
					assert.Contains(t, line, tt.want[i])
				}
			}
		})
	}
	for given, want := range map[string]string{
		"./missing.json": "usage: stat ./missing.json: no such file or directory; write one with `refdeploy measure --out ./missing.json`",
		dir:              "is not a file; write one with",
		"larg":           "(did you mean large?); allowed: idle, small, medium, large; or a file that `refdeploy measure --out` wrote",
	} {
		_, stderr, err := run("compare", "--assembly", stack, "--usage", given)
		assert.Error(t, err)
		assert.Contains(t, stderr, want)
	}
}
