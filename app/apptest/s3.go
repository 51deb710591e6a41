// Package apptest is what the app's tests run it against: an S3 server and
// Lambda's Runtime API, both in the test's own process.
package apptest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/stretchr/testify/require"
)

// An S3 is a real S3 server in this process, with one bucket.
type S3 struct {
	*httptest.Server

	mu      sync.Mutex
	pending int

	Deny bool          // answer 403, as after a lost permission
	Hang chan struct{} // while not nil, answer nothing until it is closed

	Calls map[string]int // since it was set: GET, PUT, DELETE and LIST
}

// NewS3 serves S3 on a free port of 127.0.0.1, or on the given listener.
func NewS3(t testing.TB, on ...net.Listener) *S3 {
	t.Helper()
	backend := s3mem.New()
	require.NoError(t, backend.CreateBucket("notes"))
	real := gofakes3.New(backend).Server()
	s := &S3{}
	s.Server = serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		deny, hang := s.Deny, s.Hang
		if s.Calls != nil {
			name := r.Method
			if r.URL.Query().Has("list-type") {
				name = "LIST"
			}
			s.Calls[name]++
		}
		s.mu.Unlock()
		if hang != nil {
			s.wait(1)
			defer s.wait(-1)
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
	}), on)
	return s
}

// Env makes the app use this server.
func (s *S3) Env(more ...string) []string {
	return append(more, "NOTES_BUCKET=notes", "AWS_ENDPOINT_URL_S3="+s.URL, "AWS_REGION=us-east-1",
		"AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test")
}

// Set changes how the server answers.
func (s *S3) Set(f func(*S3)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// Pending returns how many requests wait for Hang to be closed.
func (s *S3) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending
}

func (s *S3) wait(more int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending += more
}

// serve runs a server until the test ends.
func serve(t testing.TB, handler http.Handler, on []net.Listener) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	if len(on) > 0 {
		server.Listener.Close()
		server.Listener = on[0]
	}
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}
