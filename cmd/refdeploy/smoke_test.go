package main

import (
	"bytes"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/smoke"
)

// sampleApp builds the app once.
var sampleApp = sync.OnceValues(func() (string, error) {
	path := filepath.Join(filepath.Dir(binary), "app")
	output, err := exec.Command("go", "build", "-tags=lambda.norpc", "-o", path, "refdeploy/app").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(output), Err: err}
	}
	return path, nil
})

// startApp runs the app as a process on 127.0.0.1, and returns its address and
// the directory of its notes.
func startApp(t *testing.T, env ...string) (address, notes string) {
	t.Helper()
	program, err := sampleApp()
	require.NoError(t, err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	notes = t.TempDir()
	cmd := exec.Command(program)
	cmd.Env = append(env, "HOST=127.0.0.1", "PORT="+port, "NOTES_DIR="+notes)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return "http://127.0.0.1:" + port, notes
}

// asLambda makes the app tell that it runs on Lambda.
const asLambda = "AWS_LAMBDA_FUNCTION_NAME=app"

// through serves the app at address with answers that change.
func through(t *testing.T, address string, change func(http.ResponseWriter, *http.Request, http.Handler)) string {
	t.Helper()
	target, err := url.Parse(address)
	require.NoError(t, err)
	app := httputil.NewSingleHostReverseProxy(target)
	return serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { change(w, r, app) })).URL
}

func smoked(t *testing.T, args ...string) (results []smoke.Result, stderr string, err error) {
	t.Helper()
	stdout, stderr, err := run(append([]string{"smoke", "--format", "json", "--wait", "20s"}, args...)...)
	require.NoError(t, json.Unmarshal([]byte(stdout), &results), stdout+stderr)
	return results, stderr, err
}

func empty(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Empty(t, entries, "nothing that it wrote stays")
}

func TestSmokePassesTheAppAndLeavesNothing(t *testing.T) {
	address, notes := startApp(t)
	require.NoError(t, os.WriteFile(filepath.Join(notes, "somebody"), []byte("x"), 0o600))
	results, stderr, err := smoked(t, "--url", address+"/")
	require.NoError(t, err, stderr)
	assert.Empty(t, stderr, "no progress when piped")
	require.Len(t, results, 1)
	r := results[0]
	assert.Empty(t, r.Failures)
	assert.Equal(t, r.Checks, r.Passed)
	assert.Greater(t, r.Passed, 50)
	assert.Positive(t, r.LeftOut)
	assert.Equal(t, "local", r.RunsOn.Platform)
	assert.Positive(t, r.FirstResponse)
	assert.Positive(t, r.P50)
	assert.GreaterOrEqual(t, r.P99, r.P50)
	assert.Nil(t, r.Promised)
	require.NoError(t, os.Remove(filepath.Join(notes, "somebody")), "others' notes stay")
	empty(t, notes)
}

func TestSmokePutsTheDeployedSideBySideWithWhatWasPromised(t *testing.T) {
	lambda, _ := startApp(t, asLambda)
	elsewhere, _ := startApp(t)
	template, err := os.ReadFile("../../stacks/testdata/EcsFargate.sandbox.golden.json")
	require.NoError(t, err)
	newCloud(t, cloudFormation(
		standing{"EcsFargate", "UPDATE_COMPLETE", map[string]string{"Url": elsewhere}, string(template)},
		standing{"Lambda", "CREATE_COMPLETE", map[string]string{"Url": lambda}, `{"Resources":{}}`},
		standing{"Somebody", "CREATE_COMPLETE", map[string]string{"Url": "http://127.0.0.1:1"}, "{}"},
	))
	stdout, stderr, err := run("smoke")
	require.Error(t, err)
	lines := strings.Split(strings.TrimSpace(stdout), "\n")
	require.Len(t, lines, 4, stdout)
	assert.Regexp(t, `^STACK +PASSED +FIRST +P50 +P99 +RUNS ON +PROMISED +IDLE, \$ A MONTH$`, lines[0])
	assert.Regexp(t, `^EcsFargate +\d+ of \d+ +[\d.]+ ms +[\d.]+ ms +[\d.]+ ms +local, this computer, `+architecture+` +ECS, Fargate +3\d\.\d\d$`, lines[1])
	assert.Regexp(t, `^Lambda +(\d+) of (\d+) .* Lambda, Firecracker, `+architecture+` +Lambda, Firecracker +0\.00$`, lines[2])
	assert.Contains(t, lines[3], `EcsFargate: GET /info (it runs where the stack promises): expected platform "ECS", got "local"; expected dataPlane "Fargate", got "this computer"`)
	assert.Regexp(t, `^smoke: EcsFargate failed 1 of \d+ checks\n$`, stderr)

	// An address or a file of outputs needs no account.
	withoutAccount(t)
	results, stderr, err := smoked(t, "Lambda", "--url", lambda)
	require.NoError(t, err, stderr)
	assert.Equal(t, "Lambda", results[0].Promised.Platform)
	file := filepath.Join(t.TempDir(), "outputs.json")
	require.NoError(t, os.WriteFile(file, []byte(`{"Lambda":{"Url":"`+lambda+`"},"Other":{"Url":"http://127.0.0.1:1"}}`), 0o600))
	results, stderr, err = smoked(t, "--outputs", file)
	require.NoError(t, err, stderr)
	require.Len(t, results, 1)
	assert.Equal(t, lambda, results[0].URL)
	assert.Nil(t, results[0].IdleUSD)
}

func TestSmokeNamesRequestExpectationAndAnswerOfABrokenApp(t *testing.T) {
	address, notes := startApp(t)
	statusOf := func(match func(*http.Request) bool, status int) func(http.ResponseWriter, *http.Request, http.Handler) {
		return func(w http.ResponseWriter, r *http.Request, app http.Handler) {
			if match(r) {
				w.WriteHeader(status)
				return
			}
			app.ServeHTTP(w, r)
		}
	}
	for name, tt := range map[string]struct {
		change  func(http.ResponseWriter, *http.Request, http.Handler)
		request string
		differs string
	}{
		"a note is not written": {
			statusOf(func(r *http.Request) bool { return r.Method == "PUT" && strings.HasSuffix(r.URL.Path, "-large") }, 507),
			"PUT /notes/smoke-", "expected status 201, got 507",
		},
		"a note is not deleted": {
			statusOf(func(r *http.Request) bool { return r.Method == "DELETE" && strings.HasSuffix(r.URL.Path, "-hello") }, 204),
			"GET /notes", "expected none of its notes, got smoke-",
		},
		"reads fail": {
			statusOf(func(r *http.Request) bool { return r.Method == "GET" && strings.HasSuffix(r.URL.Path, "-measured") }, 502),
			"GET /notes/smoke-", "expected status 200, got 502",
		},
		"never ready": {
			statusOf(func(r *http.Request) bool { return r.URL.Path == "/readyz" }, 503),
			"GET /readyz", "expected status 200 within 100ms, got 503",
		},
	} {
		t.Run(name, func(t *testing.T) {
			results, stderr, err := smoked(t, "--url", through(t, address, tt.change), "--wait", "100ms")
			var exit *exec.ExitError
			require.ErrorAs(t, err, &exit)
			assert.Equal(t, 1, exit.ExitCode())
			assert.Contains(t, stderr, "smoke: app failed ")
			var all []string
			found := false
			for _, f := range results[0].Failures {
				all = append(all, f.String())
				found = found || strings.HasPrefix(f.Request, tt.request) && strings.Contains(strings.Join(f.Differs, " "), tt.differs)
			}
			assert.True(t, found, strings.Join(all, "\n"))
			left, err := filepath.Glob(filepath.Join(notes, "*"))
			require.NoError(t, err)
			for _, path := range left {
				assert.Equal(t, "a note is not deleted", name)
				require.NoError(t, os.Remove(path))
			}
		})
	}
	t.Run("it dies on the way", func(t *testing.T) {
		var mu sync.Mutex
		dead := false
		results, _, err := smoked(t, "--url", through(t, address, func(w http.ResponseWriter, r *http.Request, app http.Handler) {
			mu.Lock()
			dead = dead || strings.HasSuffix(r.URL.Path, "-empty")
			down := dead
			mu.Unlock()
			if down {
				connection, _, err := http.NewResponseController(w).Hijack()
				if err == nil {
					connection.Close()
				}
				return
			}
			app.ServeHTTP(w, r)
		}))
		require.Error(t, err)
		last := results[0].Failures[len(results[0].Failures)-2:]
		assert.Contains(t, last[0].String(), "3 requests in a row had no answer")
		assert.Contains(t, last[1].String(), "notes that begin with smoke-")
	})
}

func TestSmokeWaitsForAnAppThatStartsLater(t *testing.T) {
	address, _ := startApp(t)
	var mu sync.Mutex
	asked := 0
	results, stderr, err := smoked(t, "--url", through(t, address, func(w http.ResponseWriter, r *http.Request, app http.Handler) {
		mu.Lock()
		asked++
		early := asked == 1
		mu.Unlock()
		if early {
			w.WriteHeader(http.StatusServiceUnavailable) // a load balancer without targets
			return
		}
		app.ServeHTTP(w, r)
	}))
	require.NoError(t, err, stderr)
	assert.Greater(t, time.Duration(results[0].ReadyAfter), time.Second)
}

func TestAnInterruptedSmokeDeletesWhatItWrote(t *testing.T) {
	address, notes := startApp(t)
	slow := through(t, address, func(w http.ResponseWriter, r *http.Request, app http.Handler) {
		time.Sleep(20 * time.Millisecond)
		app.ServeHTTP(w, r)
	})
	var stderr bytes.Buffer
	cmd := exec.Command(binary, "smoke", "--url", slow)
	cmd.Stderr = &stderr
	require.NoError(t, cmd.Start())
	require.Eventually(t, func() bool {
		found, _ := filepath.Glob(filepath.Join(notes, "smoke-*"))
		return len(found) > 0
	}, 20*time.Second, 5*time.Millisecond)
	require.NoError(t, cmd.Process.Signal(os.Interrupt))
	require.Error(t, cmd.Wait())
	empty(t, notes)
}

func TestTheProgressLineFitsAndGoesAway(t *testing.T) {
	t.Setenv("COLUMNS", "20")
	var out bytes.Buffer
	status(&out, "Lambda: waiting for https://example.com")
	assert.Equal(t, "\r\x1b[KLambda: waiting for", out.String())
	out.Reset()
	status(&out, "")
	assert.Equal(t, "\r\x1b[K", out.String())
}

func TestBadInputOfSmokeIsOneLine(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	newCloud(t, cloudFormation(standing{"EcsEc2", "ROLLBACK_COMPLETE", nil, "{}"}, standing{"EcsAnywhere", "CREATE_COMPLETE", map[string]string{"Register": "aws ssm …"}, "{}"}))
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"stack":                 {[]string{"Lamda"}, `stack: got "Lamda" (did you mean Lambda?)`},
		"format":                {[]string{"--format", "jsn"}, `format: got "jsn" (did you mean json?); allowed: table, json`},
		"wait":                  {[]string{"--wait=-1s"}, "wait: got -1s; allowed: a duration"},
		"both":                  {[]string{"--url", "http://a", "--outputs", "b"}, "url, outputs: got both"},
		"two for an address":    {[]string{"Lambda", "EcsEc2", "--url", "http://a"}, "url: got 2 stacks for one address"},
		"no address":            {[]string{"--url", "localhost:8080"}, `url: got "localhost:8080"; allowed: an address without a path`},
		"address with a path":   {[]string{"--url", "http://a/notes"}, "allowed: an address without a path"},
		"no file":               {[]string{"--outputs", filepath.Join(dir, "missing.json")}, "missing.json: no such file or directory; write one with"},
		"no JSON":               {[]string{"--outputs", file("bad.json", "[")}, "bad.json is not what `cdk deploy --outputs-file` writes"},
		"nothing of ours":       {[]string{"--outputs", file("other.json", `{"Other":{"Url":"http://a"}}`)}, "other.json has no stack of refdeploy with an output Url"},
		"stack not in it":       {[]string{"Lambda", "--outputs", file("more.json", `{}`)}, "more.json has nothing of Lambda; deploy it with"},
		"not deployed":          {[]string{"Lambda"}, "Lambda: it is not in us-east-1 of account 111122223333; deploy it with `npx cdk deploy Lambda`"},
		"deploy failed":         {[]string{"EcsEc2"}, "EcsEc2: it has no outputs, its status is ROLLBACK_COMPLETE; deploy it again"},
		"on your own servers":   {[]string{"EcsAnywhere"}, "EcsAnywhere: it has no output Url, because its app is on your own servers; say where: smoke EcsAnywhere --url http://…"},
		"nothing has an output": {nil, "smoke: no stack of refdeploy with an output Url is in us-east-1 of account 111122223333"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, stderr, err := run(append([]string{"smoke"}, tt.args...)...)
			require.Error(t, err)
			assert.Empty(t, stdout)
			assert.Contains(t, stderr, tt.want)
			assert.Equal(t, 1, strings.Count(stderr, "\n"), stderr)
		})
	}
}
