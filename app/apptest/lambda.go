package apptest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"refdeploy/app/contract"
)

// A Lambda is the Runtime API that Lambda serves to the bootstrap, as far as an
// invocation needs it.
type Lambda struct {
	*httptest.Server
	events  chan string
	answers chan string
}

// NewLambda serves the Runtime API on a free port of 127.0.0.1, or on the given
// listener.
func NewLambda(t testing.TB, on ...net.Listener) *Lambda {
	t.Helper()
	l := &Lambda{events: make(chan string), answers: make(chan string, 1)}
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
	l.Server = serve(t, mux, on)
	return l
}

// Env is what Lambda tells a function.
func (l *Lambda) Env(more ...string) []string {
	return append(more,
		"AWS_LAMBDA_RUNTIME_API="+l.Listener.Addr().String(),
		"AWS_LAMBDA_FUNCTION_NAME=app", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=256", "AWS_LAMBDA_LOG_STREAM_NAME=2026/11/23/[1]0123",
		"AWS_REGION=us-east-1")
}

// Call sends the event of a function URL, payload version 2.
func (l *Lambda) Call(t testing.TB, method, path, body string, header ...string) contract.Answer {
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
	return contract.Answer{Status: response.StatusCode, Header: h, Body: response.Body}
}
