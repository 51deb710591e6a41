// Package contract is what the app promises to whoever calls it, the same on
// every platform. The app routes by it, the reference's tables are made of it,
// and the tests hold the app to it.
package contract

import (
	"fmt"
	"time"
)

// What a platform has to know to run the app.
const (
	// Port is where it listens when PORT does not say.
	Port = 8080

	// HealthPath answers while the process is alive.
	HealthPath = "/healthz"

	// SandboxTTL is how long a note lives in a sandbox, as a Go duration.
	SandboxTTL = "24h"
)

// Bounds of an app that anyone on the internet may call.
const (
	MaxKeyLength = 64
	MaxNoteBytes = 4 << 10
	MaxNotes     = 100

	// MaxFormBytes is a form's body. A browser counts a text in UTF-16, of which
	// three bytes of UTF-8 come at most, each of them as %XX.
	MaxFormBytes = 9*MaxNoteBytes + 1<<10

	// MaxHeaderBytes is the request line and all headers, those that a load
	// balancer adds included.
	MaxHeaderBytes = 16 << 10

	// MaxWork is how long POST /work works.
	MaxWork = 2 * time.Second

	// StoreSlots is how many requests use the store at once. Each costs some
	// 100 kB while it waits for S3.
	StoreSlots = 64

	// SlotTimeout is how long a request waits for one of them. It takes a burst
	// that the store can serve; a request that waits costs little.
	SlotTimeout = time.Second

	// StoreTimeout bounds a request's use of the store. With SlotTimeout it is
	// shorter than what load balancers and Lambda wait for the app.
	StoreTimeout = 4 * time.Second

	// ReadyTimeout is shorter than the timeout of a readiness probe.
	ReadyTimeout = 2 * time.Second

	// MaxConnections bounds the memory of clients that send or read slowly. The
	// next ones wait to be accepted.
	MaxConnections = 1024

	// BodyTimeout is how long a request may take to arrive.
	BodyTimeout = 10 * time.Second

	// ShutdownTimeout is how long requests in flight may take after SIGTERM. ECS
	// and Kubernetes kill 30 s after the signal by default.
	ShutdownTimeout = 10 * time.Second
)

// A Route is a method and a path, in the pattern language of [http.ServeMux].
type Route struct {
	Method, Path string
	Query        string // how the query looks, if there is one
	Statuses     []int  // that it answers, beside those of [Bounds]
	What         string
}

// Routes are all there are. A route for GET takes HEAD too.
var Routes = []Route{
	{"GET", "/{$}", "", []int{200}, "a page: where the app runs, and the notes, with a form"},
	{"GET", "/healthz", "", []int{200}, "whether the process is alive"},
	{"GET", "/readyz", "", []int{200, 503}, fmt.Sprintf("whether the store could take a note: 503 says why not, as when it does not answer within %s or the disk is full", seconds(ReadyTimeout))},
	{"GET", "/info", "", []int{200}, "JSON: where the app runs (below)"},
	{"GET", "/notes", "", []int{200, 503}, "JSON: `{\"notes\":[{\"key\",\"bytes\",\"modified\"}]}`, sorted by key"},
	{"POST", "/notes", "", []int{303, 400, 404, 409, 413, 503}, "what the page's forms send: back to the page, or the page with what was wrong"},
	{"GET", "/notes/{key}", "", []int{200, 400, 404, 503}, "the note as plain text"},
	{"PUT", "/notes/{key}", "", []int{201, 204, 400, 409, 413, 503}, "writes a note: 201 for a new one, 204 for a replaced one"},
	{"DELETE", "/notes/{key}", "", []int{204, 400, 404, 503}, "deletes a note"},
	{"POST", "/work", "?ms=N", []int{200, 400, 429}, fmt.Sprintf("keeps a CPU busy for N milliseconds, 1 to %d", MaxWork.Milliseconds())},
}

// A Bound is where a caller meets a limit.
type Bound struct{ What, Value, Beyond string }

// Bounds are all that a caller meets.
func Bounds() []Bound {
	return []Bound{
		{"key", fmt.Sprintf("`[a-z0-9-]{1,%d}`", MaxKeyLength), "400"},
		{"note", kib(MaxNoteBytes) + " of UTF-8 text, none at all included", "413, or 400 when it is no UTF-8"},
		{"notes", fmt.Sprintf("%d. Each expires where `NOTES_TTL` says so", MaxNotes), "409"},
		{"work", fmt.Sprintf("%d ms", MaxWork.Milliseconds()), "400"},
		{"work at once", "one for each CPU that Go uses", "429 with `Retry-After`"},
		{"request line and headers", kib(MaxHeaderBytes), "431"},
		{"form", kib(MaxFormBytes), "413"},
		{"a request's way in", seconds(BodyTimeout), "408"},
		{"requests that use the store at once", fmt.Sprintf("%d; the next wait for %s", StoreSlots, seconds(SlotTimeout)), "503 with `Retry-After`"},
		{"the store's answer", seconds(StoreTimeout), "503 with `Retry-After`"},
		{"connections", fmt.Sprint(MaxConnections), "the next wait"},
		{"another site's form or script", "none", "403"},
		{"another method", "none", "405 with `Allow`"},
		{"a path with `.`, `..`, `//`, or `%2F` inside a key", "none", "404"},
		{"what is no HTTP request, such as a path with `%zz`", "none", "400"},
	}
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

func kib(bytes int) string { return fmt.Sprintf("%d KiB", bytes>>10) }
