package main_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/app/apptest"
	"refdeploy/app/contract"
)

// binary is the app as it ships: the image's entry point and Lambda's bootstrap.
var binary string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "app")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(dir, "bootstrap")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-tags=lambda.norpc", "-ldflags=-s -w", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		panic(string(output))
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// A process is a running app.
type process struct {
	cmd *exec.Cmd
	url string // of the HTTP server

	mu  sync.Mutex
	log bytes.Buffer
}

// start runs the binary with nothing in its environment but env.
func start(t testing.TB, env ...string) *process {
	t.Helper()
	return startCommand(t, exec.Command(binary), env...)
}

func startCommand(t testing.TB, command *exec.Cmd, env ...string) *process {
	t.Helper()
	p := &process{cmd: command}
	p.cmd.Env = env
	if p.cmd.Stdout == nil {
		p.cmd.Stdout = p
	}
	p.cmd.Stderr = p
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			p.cmd.Process.Kill()
			p.cmd.Wait()
		}
	})
	return p
}

func (p *process) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.Write(data)
}

// logged returns what the process has written so far.
func (p *process) logged() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.log.String()
}

// logs waits until the process has written text. It answers before it writes.
func (p *process) logs(t testing.TB, text string, why ...any) {
	t.Helper()
	assert.Eventually(t, func() bool { return strings.Contains(p.logged(), text) }, 5*time.Second, 10*time.Millisecond, why...)
}

// serve runs the app as an HTTP server and waits until it answers.
func serve(t testing.TB, env ...string) *process {
	t.Helper()
	return serveCommand(t, exec.Command(binary), env...)
}

func serveCommand(t testing.TB, command *exec.Cmd, env ...string) *process {
	t.Helper()
	port := freePort(t)
	p := startCommand(t, command, append(env, "HOST=127.0.0.1", "PORT="+port)...)
	p.url = "http://127.0.0.1:" + port
	require.Eventually(t, func() bool {
		response, err := http.Get(p.url + "/healthz")
		if err != nil {
			return false
		}
		response.Body.Close()
		return response.StatusCode == http.StatusOK
	}, 5*time.Second, time.Millisecond, "the app does not answer")
	return p
}

func freePort(t testing.TB) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}

// The servers that the app is run against.
type (
	s3     = apptest.S3
	lambda = apptest.Lambda
)

var (
	newS3     = apptest.NewS3
	newLambda = apptest.NewLambda
)

type answer = contract.Answer

// A caller sends a request to the app and returns its answer.
type caller func(t testing.TB, method, path, body string, header ...string) answer

// overHTTP returns a caller of an app that serves HTTP.
func overHTTP(p *process) caller {
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       20 * time.Second,
	}
	return func(t testing.TB, method, path, body string, header ...string) answer {
		t.Helper()
		request, err := http.NewRequest(method, p.url+path, strings.NewReader(body))
		if err != nil { // no URL: it is sent as it is
			request, err = http.NewRequest(method, p.url, strings.NewReader(body))
			require.NoError(t, err)
			request.URL.Opaque = strings.TrimPrefix(p.url, "http:") + path
		}
		for i := 0; i < len(header); i += 2 {
			request.Header.Set(header[i], header[i+1])
		}
		response, err := client.Do(request)
		require.NoError(t, err)
		defer response.Body.Close()
		data, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		return answer{Status: response.StatusCode, Header: response.Header, Body: string(data)}
	}
}
