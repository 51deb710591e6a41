package web

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"
)

type contextKey struct{}

// A caller's id is kept when it is short and plain; it ends up in logs.
var plainID = regexp.MustCompile(`^[A-Za-z0-9=:;._-]{1,128}$`)

// identify gives each request an id: the caller's, the load balancer's or a new
// one. The response carries it, and so does every log line.
func identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get("X-Request-Id")
		if id == "" {
			id = r.Header.Get("X-Amzn-Trace-Id")
		}
		if !plainID.MatchString(id) {
			id = rand.Text()
		}
		w.Header().Set("X-Request-Id", id)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, id)))
	})
}

func requestID(r *http.Request) string {
	id, _ := r.Context().Value(contextKey{}).(string)
	return id
}

// recordLog writes one line a request, and turns a panic into a 500. Health
// checks come every few seconds and tell nothing; they are logged at debug.
func recordLog(log *slog.Logger, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK, head: r.Method == http.MethodHead}
		defer func() {
			if p := recover(); p != nil {
				log.Error("panic", "id", requestID(r), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				if !recorder.wrote {
					writeProblem(recorder, r, http.StatusInternalServerError, "The app failed; the log has the reason.")
				}
			}
			level := slog.LevelInfo
			if r.URL.Path == "/healthz" || r.URL.Path == "/readyz" {
				level = slog.LevelDebug
			}
			if recorder.status >= 500 {
				level = slog.LevelError
			}
			log.LogAttrs(r.Context(), level, "request",
				slog.String("id", requestID(r)), slog.String("method", r.Method), slog.String("path", r.URL.Path),
				slog.Int("status", recorder.status), slog.Float64("ms", float64(time.Since(start).Microseconds())/1000))
		}()
		next.ServeHTTP(recorder, r)
	})
}

// statusRecorder remembers what was answered. It leaves out the body of an
// answer to HEAD, which an HTTP server does by itself and Lambda does not.
type statusRecorder struct {
	http.ResponseWriter
	status int
	wrote  bool
	head   bool
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status, r.wrote = status, true
	r.ResponseWriter.WriteHeader(status)
}

func (r *statusRecorder) Write(data []byte) (int, error) {
	r.wrote = true
	if r.head {
		return len(data), nil
	}
	return r.ResponseWriter.Write(data)
}

func (r *statusRecorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }
