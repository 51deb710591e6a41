// Package web is the app's HTTP interface: the same on every platform.
package web

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"golang.org/x/sync/singleflight"

	"refdeploy/app/contract"
	"refdeploy/app/internal/notes"
	"refdeploy/app/internal/platform"
)

// Version is the app's. It is a constant, because a stamp from the build would
// give every build of the same source another hash.
const Version = "1.0.0"

// App answers requests.
type App struct {
	// Store keeps the notes. Required.
	Store notes.Store

	// TTL is what Store does with old notes; visitors are told.
	TTL notes.TTL

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
	a.store, a.working = make(slots, contract.StoreSlots), workSlots()
	handlers := map[string]http.HandlerFunc{
		"GET /{$}":            a.page,
		"GET /healthz":        a.alive,
		"GET /readyz":         a.isReady,
		"GET /info":           a.info,
		"GET /notes":          a.list,
		"POST /notes":         a.form,
		"GET /notes/{key}":    a.get,
		"PUT /notes/{key}":    a.put,
		"DELETE /notes/{key}": a.delete,
		"POST /work":          a.work,
	}
	mux := http.NewServeMux()
	allowed := map[string][]string{} // methods by path
	for _, route := range contract.Routes {
		mux.HandleFunc(route.Method+" "+route.Path, handlers[route.Method+" "+route.Path])
		allowed[route.Path] = append(allowed[route.Path], route.Method)
		if route.Method == http.MethodGet {
			allowed[route.Path] = append(allowed[route.Path], http.MethodHead)
		}
	}
	for path, methods := range allowed {
		slices.Sort(methods)
		allow := strings.Join(methods, ", ")
		mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
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
	return identify(recordLog(a.Log, a.count(secure(short(next)))))
}

func noPage(w http.ResponseWriter, r *http.Request) {
	writeProblem(w, r, http.StatusNotFound, "There is no such page. The start page is /.")
}

// direct refuses paths with . or .. or // in them, also when they are escaped,
// and takes %2F for the slash it is. The mux would redirect some of them, and
// which depends on who unescapes: Lambda does before the app sees the path.
func direct(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if path.Clean(r.URL.Path) != r.URL.Path {
			noPage(w, r)
			return
		}
		r.URL.RawPath = ""
		next.ServeHTTP(w, r)
	})
}

// short refuses long headers, which nobody else does on Lambda.
func short(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bytes := len(r.Method) + len(r.RequestURI)
		for name, values := range r.Header {
			for _, value := range values {
				bytes += len(name) + len(": \r\n") + len(value)
			}
		}
		if bytes > contract.MaxHeaderBytes {
			writeProblem(w, r, http.StatusRequestHeaderFieldsTooLarge, fmt.Sprintf("The request line and the headers have %d bytes at most.", contract.MaxHeaderBytes))
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
	ctx, cancel := context.WithTimeout(r.Context(), contract.ReadyTimeout)
	defer cancel()
	answer := a.ready.DoChan("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), contract.ReadyTimeout)
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
		a.refuse(r, err).write(w, r)
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
	list, refused := a.notes(r)
	if refused != nil {
		refused.write(w, r)
		return
	}
	if list == nil {
		list = []notes.Note{} // [], not null
	}
	writeJSON(w, map[string][]notes.Note{"notes": list})
}

func (a *App) get(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if refused := checkKey(key); refused != nil {
		refused.write(w, r)
		return
	}
	text, err := ask(r.Context(), a.store, func(ctx context.Context) (string, error) { return a.Store.Get(ctx, key) })
	if err != nil {
		a.refuse(r, err).write(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	io.WriteString(w, text)
}

func (a *App) put(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	if refused := checkKey(key); refused != nil {
		refused.write(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, contract.MaxNoteBytes))
	if err != nil {
		badBody(err).write(w, r)
		return
	}
	created, refused := a.keep(r, key, string(body))
	switch {
	case refused != nil:
		refused.write(w, r)
	case created:
		w.Header().Set("Location", "/notes/"+key)
		w.WriteHeader(http.StatusCreated)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (a *App) delete(w http.ResponseWriter, r *http.Request) {
	if refused := a.remove(r, r.PathValue("key")); refused != nil {
		refused.write(w, r)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// form is what the page's forms send, because a form has neither PUT nor DELETE.
// What is wrong is said on the page, beside what was written.
func (a *App) form(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, contract.MaxFormBytes)
	if err := r.ParseForm(); err != nil {
		a.show(w, r, draft{}, badBody(err))
		return
	}
	d := draft{key: r.PostForm.Get("key")}
	var refused *refusal
	if r.PostForm.Has("delete") {
		refused = a.remove(r, d.key)
		d = draft{}
	} else {
		d.text = strings.ReplaceAll(r.PostForm.Get("text"), "\r\n", "\n") // browsers send these
		_, refused = a.keep(r, d.key, d.text)
	}
	if refused != nil {
		a.show(w, r, d, refused)
		return
	}
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// work keeps one CPU busy, to see what scales and when.
func (a *App) work(w http.ResponseWriter, r *http.Request) {
	ms, err := strconv.Atoi(r.URL.Query().Get("ms"))
	work := time.Duration(ms) * time.Millisecond
	if err != nil || ms < 1 || ms > int(contract.MaxWork.Milliseconds()) {
		writeProblem(w, r, http.StatusBadRequest, fmt.Sprintf("ms is how long to work, in milliseconds: 1 to %d, as in /work?ms=100.", contract.MaxWork.Milliseconds()))
		return
	}
	if !a.working.take() {
		(&refusal{status: http.StatusTooManyRequests, retry: 1, detail: "Each CPU does one piece of work at a time, and none is free. Try again in a second."}).write(w, r)
		return
	}
	defer a.working.free()
	start := time.Now()
	sum, rounds := sha256.Sum256(nil), 0
	for time.Since(start) < work && r.Context().Err() == nil {
		for range 1000 {
			sum = sha256.Sum256(sum[:])
		}
		rounds += 1000
		runtime.Gosched() // health checks come first
	}
	if gone(r) {
		w.WriteHeader(statusGone)
		return
	}
	writeJSON(w, map[string]int{"ms": ms, "hashes": rounds})
}

func (a *App) notes(r *http.Request) ([]notes.Note, *refusal) {
	list, err := ask(r.Context(), a.store, a.Store.List)
	if err != nil {
		return nil, a.refuse(r, err)
	}
	return list, nil
}

// keep puts a note, or says why not.
func (a *App) keep(r *http.Request, key, text string) (created bool, refused *refusal) {
	if refused := checkKey(key); refused != nil {
		return false, refused
	}
	switch {
	case len(text) > contract.MaxNoteBytes:
		return false, tooLarge
	case !utf8.ValidString(text):
		return false, &refusal{status: http.StatusBadRequest, detail: "A note is UTF-8 text."}
	}
	created, err := ask(r.Context(), a.store, func(ctx context.Context) (bool, error) { return a.Store.Put(ctx, key, text) })
	if err != nil {
		return false, a.refuse(r, err)
	}
	return created, nil
}

// remove deletes a note, or says why not.
func (a *App) remove(r *http.Request, key string) *refusal {
	if refused := checkKey(key); refused != nil {
		return refused
	}
	_, err := ask(r.Context(), a.store, func(ctx context.Context) (struct{}, error) { return struct{}{}, a.Store.Delete(ctx, key) })
	if err != nil {
		return a.refuse(r, err)
	}
	return nil
}
