package main_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
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

// An answer is what a client sees, whatever carried it.
type answer struct {
	status int
	header http.Header
	body   string
}

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
		return answer{response.StatusCode, response.Header, string(data)}
	}
}

// A lambda is the Runtime API that Lambda serves to the bootstrap, as far as an
// invocation needs it.
type lambda struct {
	*httptest.Server
	events  chan string
	answers chan string
}

func newLambda(t testing.TB) *lambda {
	t.Helper()
	l := &lambda{events: make(chan string), answers: make(chan string, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-l.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(10*time.Second).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:111111111111:function:app")
			io.WriteString(w, event)
		case <-r.Context().Done():
		}
	})
	answered := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		l.answers <- string(body)
	}
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", answered)
	mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", answered)
	l.Server = httptest.NewServer(mux)
	t.Cleanup(func() {
		l.CloseClientConnections()
		l.Close()
	})
	return l
}

// env is what Lambda tells a function.
func (l *lambda) env(more ...string) []string {
	return append(more,
		"AWS_LAMBDA_RUNTIME_API="+l.Listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=app", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_STREAM_NAME=2026/11/23/[1]0123",
		"AWS_REGION=us-east-1")
}

// throughFunctionURL returns a caller that sends the events of a function URL,
// payload version 2.
func throughFunctionURL(l *lambda) caller {
	return func(t testing.TB, method, path, body string, header ...string) answer {
		t.Helper()
		raw, query, _ := strings.Cut(path, "?") // not parsed: what is sent may be no URL
		headers := map[string]string{"host": "abc.lambda-url.us-east-1.on.aws"}
		for i := 0; i < len(header); i += 2 {
			headers[strings.ToLower(header[i])] = header[i+1]
		}
		event, err := json.Marshal(map[string]any{
			"version": "2.0", "routeKey": "$default", "rawPath": raw, "rawQueryString": query,
			"headers": headers, "body": base64.StdEncoding.EncodeToString([]byte(body)), "isBase64Encoded": true,
			"requestContext": map[string]any{
				"domainName": headers["host"], "requestId": "1", "stage": "$default",
				"http": map[string]any{"method": method, "path": raw, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9"},
			},
		})
		require.NoError(t, err)
		select {
		case l.events <- string(event):
		case <-time.After(10 * time.Second):
			require.Fail(t, "the bootstrap does not ask for events")
		}
		var response struct {
			StatusCode      int
			Headers         map[string]string
			Body            string
			IsBase64Encoded bool
		}
		select {
		case sent := <-l.answers:
			require.NoError(t, json.Unmarshal([]byte(sent), &response), sent)
		case <-time.After(20 * time.Second):
			require.Fail(t, "the bootstrap does not answer")
		}
		if response.IsBase64Encoded {
			decoded, err := base64.StdEncoding.DecodeString(response.Body)
			require.NoError(t, err)
			response.Body = string(decoded)
		}
		h := http.Header{}
		for name, value := range response.Headers {
			h.Set(name, value)
		}
		return answer{response.StatusCode, h, response.Body}
	}
}

// An s3 is a real S3 server in this process, with one bucket.
type s3 struct {
	*httptest.Server

	mu   sync.Mutex
	deny bool          // answer 403, as after a lost permission
	hang chan struct{} // while not nil, answer nothing until it is closed

	calls map[string]int // since it was set: GET, PUT, DELETE and LIST
}

func newS3(t testing.TB) *s3 {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("notes"))
	real := gofakes3.New(backend).Server()
	s := &s3{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		deny, hang := s.deny, s.hang
		if s.calls != nil {
			name := r.Method
			if r.URL.Query().Has("list-type") {
				name = "LIST"
			}
			s.calls[name]++
		}
		s.mu.Unlock()
		if hang != nil {
			select {
			case <-hang:
			case <-r.Context().Done():
				return
			}
		}
		if deny {
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
			return
		}
		real.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// env makes the app use this server.
func (s *s3) env(more ...string) []string {
	return append(more, "NOTES_BUCKET=notes", "AWS_ENDPOINT_URL_S3="+s.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
}

func (s *s3) set(f func(*s3)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}
