//go:build runtimes && linux

package runtimes_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"refdeploy/app/apptest"
	"refdeploy/app/contract"
)

// callers is how many send at once what keeps the most memory.
const callers = 1000

// fill sends a thousand requests at once while the store hangs, and tells how
// many were answered.
func fill(c *container, store *apptest.S3) (answered int) {
	release := make(chan struct{})
	defer close(release)
	store.Set(func(s *apptest.S3) { s.Hang = release })
	defer store.Set(func(s *apptest.S3) { s.Hang = nil })

	note := strings.Repeat("ü", contract.MaxNoteBytes/2)
	uses := []struct{ method, path, body, contentType string }{
		{"GET", "/notes", "", ""},
		{"PUT", "/notes/kept", note, "text/plain"},
		{"POST", "/notes", "key=kept&text=" + url.QueryEscape(note), "application/x-www-form-urlencoded"},
		{"GET", "/readyz", "", ""},
	}
	var count atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			use := uses[i%len(uses)]
			_, err := c.call(use.method, use.path, use.body, "Content-Type", use.contentType, "X-Long", strings.Repeat("x", 8<<10))
			if err == nil {
				count.Add(1)
			}
		})
	}
	wg.Wait()
	return int(count.Load())
}

// A client is what callers saw: the status of each answer that came whole, by
// the request's id.
type client struct {
	mu   sync.Mutex
	saw  map[string]int
	last atomic.Int64
}

func (l *client) call(c *container, method, path, body string) (status int) {
	id := fmt.Sprint("request-", l.last.Add(1))
	got, err := c.call(method, path, body, "X-Request-Id", id)
	if err != nil {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.saw[id] = got.Status
	return got.Status
}

// writers is how many write notes at once, each its own.
const writers = 8

// drain signals the app while it writes notes and works, and returns what was
// lost: requests that it took and did not answer, and notes of which it said
// that they are written. How long it may take is the run's.
func drain(t testing.TB, c *container, store *apptest.S3, signal syscall.Signal) (lost []string) {
	t.Helper()
	l := &client{saw: map[string]int{}}
	written, tried := make([]int, writers), make([]int, writers)
	held := make([]atomic.Int64, writers) // status of the request that waits during the signal
	var signalled atomic.Bool
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			for status := 1; status != 0; { // until nobody answers
				tried[i]++
				status = l.call(c, "PUT", fmt.Sprint("/notes/writer-", i), fmt.Sprint(tried[i]))
				if status/100 == 2 {
					written[i] = tried[i]
				}
				if signalled.Load() {
					held[i].CompareAndSwap(0, int64(status)+1) // 1: none
				}
			}
		})
	}
	for _, path := range []string{"/info", "/info", "/work?ms=20", "/work?ms=200"} {
		wg.Go(func() {
			method := "GET"
			if strings.HasPrefix(path, "/work") {
				method = "POST"
			}
			for status := 1; status != 0; {
				status = l.call(c, method, path, "")
			}
		})
	}
	time.Sleep(500 * time.Millisecond)

	// Each writer's request has reached the store, so the app has taken it.
	release := make(chan struct{})
	store.Set(func(s *apptest.S3) { s.Hang = release })
	require.Eventually(t, func() bool { return store.Pending() >= writers }, 10*time.Second, time.Millisecond, "requests wait for the store")
	signalled.Store(true)
	_, err := c.runc("kill", c.id, fmt.Sprint(int(signal)))
	require.NoError(t, err)
	begin := time.Now()
	time.Sleep(time.Second)
	store.Set(func(s *apptest.S3) { s.Hang = nil })
	close(release)

	code := c.ended(t, c.run.Stop-time.Since(begin))
	wg.Wait()
	if code != 0 {
		lost = append(lost, fmt.Sprintf("the app ended with exit code %d, expected 0", code))
	}
	for i := range writers {
		if held[i].Load() <= 1 {
			lost = append(lost, fmt.Sprintf("the note of writer %d was on its way to the store when the signal came, and got no answer", i))
		}
	}
	for id, status := range logged(c.logged()) {
		l.mu.Lock()
		if saw, ok := l.saw[id]; strings.HasPrefix(id, "request-") && (!ok || saw != status) {
			lost = append(lost, fmt.Sprintf("%s: the app says that it answered with %d, its caller got %d", id, status, saw))
		}
		l.mu.Unlock()
	}
	for i, last := range written {
		var kept int
		fmt.Sscan(c.stored(t, store, fmt.Sprint("writer-", i)), &kept)
		if kept < last || kept > tried[i] {
			lost = append(lost, fmt.Sprintf("writer %d was told that note %d is written, the store holds %d", i, last, kept))
		}
	}
	return lost
}

// logged returns the status of each request that the app logged, by its id.
func logged(log string) map[string]int {
	statuses := map[string]int{}
	for line := range strings.Lines(log) {
		var entry struct {
			Msg, ID string
			Status  int
		}
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == "request" {
			statuses[entry.ID] = entry.Status
		}
	}
	return statuses
}

// stored returns what the store holds of a note, or nothing.
func (c *container) stored(t testing.TB, store *apptest.S3, key string) string {
	t.Helper()
	response, err := c.http.Get(store.URL + "/notes/notes/" + key)
	require.NoError(t, err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	if response.StatusCode != http.StatusOK {
		return ""
	}
	return string(data)
}
