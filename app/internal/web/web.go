// Package web is the app's HTTP interface: the same on every platform.
package web

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"refdeploy/app/internal/notes"
	"refdeploy/app/internal/platform"
)

// Version is the app's. It is a constant, because a stamp from the build would
// give every build of the same source another hash.
const Version = "1.0.0"

const maxWork = 2000 // milliseconds

// App answers requests.
type App struct {
	// Store keeps the notes. Required.
	Store notes.Store

	// Facts tells where the app runs; it may know more later. Required.
	Facts func() platform.Facts

	// Log receives a line for each request. Required.
	Log *slog.Logger

	// Started is when the process did. Required.
	Started time.Time

	requests atomic.Int64
	store    slots              // for requests that use Store
	working  slots              // for requests that use the CPU on purpose
	ready    singleflight.Group // probes at the same time share an answer
}

// Handler returns the app's routes. Whatever is no route is answered with a
// problem document too.
func (a *App) Handler() http.Handler {
	a.store, a.working = make(slots, storeSlots), workSlots()
	routes := []struct {
		path     string
		handlers map[string]http.HandlerFunc // by method
	}{
		{"/{$}", map[string]http.HandlerFunc{"GET": a.page}},
		{"/healthz", map[string]http.HandlerFunc{"GET": a.alive}},
		{"/readyz", map[string]http.HandlerFunc{"GET": a.isReady}},
		{"/info", map[string]http.HandlerFunc{"GET": a.info}},
		{"/notes", map[string]http.HandlerFunc{"GET": a.list, "POST": a.form}},
		{"/notes/{key}", map[string]http.HandlerFunc{"GET": a.get, "PUT": a.put, "DELETE": a.delete}},
		{"/work", map[string]http.HandlerFunc{"POST": a.work}},
	}
	mux := http.NewServeMux()
	for _, route := range routes {
		methods := []string{}
		for method, handler := range route.handlers {
			mux.HandleFunc(method+" "+route.path, handler)
			methods = append(methods, method)
			if method == http.MethodGet {
				methods = append(methods, http.MethodHead)
			}
		}
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		mux.HandleFunc(route.path, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Allow", allow)
			writeProblem(w, r, http.StatusMethodNotAllowed, "Allowed here: "+allow+".")
		})
	}
	mux.HandleFunc("/", noPage)
	return a.around(direct(mux))
}

// Unreadable answers what is no HTTP request, where no HTTP server does.
func (a *App) Unreadable() http.Handler {
	return a.around(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, http.StatusBadRequest, "This is no HTTP request that can be read.")
	}))
}

// around adds what every answer has.
func (a *App) around(next http.Handler) http.Handler {
	return identify(recordLog(a.Log, a.count(secure(next))))
}

func noPage(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, r, http.StatusNotFound, "There is no such page. The start page is /.")
}

// direct refuses paths with . or .. or // in them, also when they are escaped.
// The mux would redirect some of them, and which depends on who unescapes.
func direct(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path {
			noPage(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (a *App) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.requests.Add(1)
		next.ServeHTTP(w, r)
	})
}

// secure keeps other sites from writing through the browser of whoever visits
// them, and a browser from doing more with an answer than showing it: anyone may
// have written the notes.
func secure(next http.Handler) http.Handler {
	sameOrigin := http.NewCrossOriginProtection()
	sameOrigin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		writeProblem(w, r, http.StatusForbidden, "Another site may not change notes through your browser.")
	}))
	next = sameOrigin.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

func (a *App) alive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, map[string]string{"status": "alive"})
}

// isReady has no slot: a store with many requests is busy and yet ready.
func (a *App) isReady(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	answer := a.ready.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), readyTimeout)
		defer cancel()
		return nil, a.Store.Ready(ctx)
	})
	err := ctx.Err()
	select {
	case result := <-answer:
		err = result.Err
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		a.fail(w, r, err)
		return
	}
	writeJSON(w, map[string]string{"status": "ready"})
}

// Info is what GET /info answers.
type Info struct {
	platform.Facts
	Version  string    `json:"version"`  // of the app
	Started  time.Time `json:"started"`  // of this process
	Uptime   string    `json:"uptime"`   // since then, such as 1h2m3s
	Requests int64     `json:"requests"` // since then, this one included
}

func (a *App) describe() Info {
	return Info{
		Facts:    a.Facts(),
		Version:  Version,
		Started:  a.Started.UTC(),
		Uptime:   time.Since(a.Started).Round(time.Second).String(),
		Requests: a.requests.Load(),
	}
}

func (a *App) info(w http.ResponseWriter, _ *http.Request) { writeJSON(w, a.describe()) }

func (a *App) list(w http.ResponseWriter, r *http.Request) {
	list, err := ask(r.Context(), a.store, func(ctx context.Context) ([]notes.Note, error) { return a.Store.List(ctx) })
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if list == nil {
		list = []notes.Note{} // [], not null
	}
	writeJSON(w, map[string][]notes.Note{"notes": list})
}

func (a *App) get(w http.ResponseWriter, r *http.Request) {
	key, ok := validKey(w, r, r.PathValue("key"))
	if !ok {
		return
	}
	text, err := ask(r.Context(), a.store, func(ctx context.Context) (string, error) { return a.Store.Get(ctx, key) })
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}

func (a *App) put(w http.ResponseWriter, r *http.Request) {
	key, ok := validKey(w, r, r.PathValue("key"))
	if !ok {
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, notes.MaxBytes))
	if err != nil {
		badBody(w, r, err)
		return
	}
	created, ok := a.write(w, r, key, string(body))
	if !ok {
		return
	}
	if created {
		w.Header().Set("Location", "/notes/"+key)
		w.WriteHeader(http.StatusCreated)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a *App) delete(w http.ResponseWriter, r *http.Request) {
	key, ok := validKey(w, r, r.PathValue("key"))
	if !ok {
		return
	}
	if a.remove(w, r, key) {
		w.WriteHeader(http.StatusNoContent)
	}
}

// form is what the page's forms send, because a form has neither PUT nor DELETE.
func (a *App) form(w http.ResponseWriter, r *http.Request) {
	// A byte of text takes three in a form at most; the rest is for the names.
	r.Body = http.MaxBytesReader(w, r.Body, 4*notes.MaxBytes)
	if err := r.ParseForm(); err != nil {
		badBody(w, r, err)
		return
	}
	key, ok := validKey(w, r, r.PostForm.Get("key"))
	if !ok {
		return
	}
	if r.PostForm.Has("delete") {
		ok = a.remove(w, r, key)
	} else {
		_, ok = a.write(w, r, key, strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n"))
	}
	if ok {
		http.Redirect(w, r, "/", http.StatusSeeOther)
	}
}

// work keeps one CPU busy, to see what scales and when.
func (a *App) work(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	if err != nil || ms < 1 || ms > maxWork {
		writeProblem(w, r, http.StatusBadRequest, fmt.Sprintf("ms is how long to work, in milliseconds: 1 to %d, as in /work?ms=100.", maxWork))
		return
	}
	if !a.working.take() {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, r, http.StatusTooManyRequests, fmt.Sprintf("Each CPU does one piece of work at a time, and %d are in hand. Try again in a second.", cap(a.working)))
		return
	}
	defer a.working.free()
	start := time.Now()
	sum, rounds := sha256.Sum256(nil), 0
	for time.Since(start) < time.Duration(ms)*time.Millisecond && r.Context().Err() == nil {
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
		rounds += 1000
		runtime.Gosched() // health checks come first
	}
	if gone(w, r) {
		return
	}
	writeJSON(w, map[string]int{"ms": ms, "hashes": rounds})
}

// write puts a note, or answers why not.
func (a *App) write(w http.ResponseWriter, r *http.Request, key, text string) (created, ok bool) {
	switch {
	case len(text) > notes.MaxBytes:
		writeProblem(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("A note has %d bytes at most.", notes.MaxBytes))
		return false, false
	case !utf8.ValidString(text):
		writeProblem(w, r, http.StatusBadRequest, "A note is UTF-8 text.")
		return false, false
	}
	created, err := ask(r.Context(), a.store, func(ctx context.Context) (bool, error) { return a.Store.Put(ctx, key, text) })
	if err != nil {
		a.fail(w, r, err)
	}
	return created, err == nil
}

// remove deletes a note, or answers why not.
func (a *App) remove(w http.ResponseWriter, r *http.Request, key string) (ok bool) {
	_, err := ask(r.Context(), a.store, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.Store.Delete(ctx, key) })
	if err != nil {
		a.fail(w, r, err)
	}
	return err == nil
}

func validKey(w http.ResponseWriter, r *http.Request, key string) (string, bool) {
	if !notes.ValidKey(key) {
		writeProblem(w, r, http.StatusBadRequest, "A key has 1 to 64 lower-case letters, digits and hyphens.")
		return "", false
	}
	return key, true
}

// badBody answers a body that is too large or could not be read.
func badBody(w http.ResponseWriter, r *http.Request, err error) {
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		writeProblem(w, r, http.StatusRequestEntityTooLarge, fmt.Sprintf("A note has %d bytes at most.", notes.MaxBytes))
	case errors.Is(err, os.ErrDeadlineExceeded):
		writeProblem(w, r, http.StatusRequestTimeout, "The request's body did not come in time.")
	default:
		writeProblem(w, r, http.StatusBadRequest, "The request's body could not be read.")
	}
}

// fail answers an error of the store. Details go to the log, not to strangers.
func (a *App) fail(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, notes.ErrNotFound):
		writeProblem(w, r, http.StatusNotFound, "There is no such note. GET /notes lists them.")
	case errors.Is(err, notes.ErrFull):
		// Not 507: whoever fills the store would ring the alarm that undoes a
		// release.
		writeProblem(w, r, http.StatusConflict, fmt.Sprintf("There are %d notes, which is the limit. Delete one first; each expires after a day.", notes.MaxNotes))
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "1")
		writeProblem(w, r, http.StatusServiceUnavailable, "Too many requests use the store. Try again in a second.")
	case gone(w, r):
	default:
		a.Log.Error("store", "id", requestID(r), "error", err.Error())
		w.Header().Set("Retry-After", "5")
		writeProblem(w, r, http.StatusServiceUnavailable, "The store does not answer. Try again in a few seconds.")
	}
}
