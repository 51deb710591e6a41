package main_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestANoteWrittenThroughOneInstanceIsReadThroughAnother(t *testing.T) {
	store := newS3(t)
	one, other := overHTTP(serve(t, store.Env()...)), overHTTP(serve(t, store.Env()...))
	require.Equal(t, 201, one(t, "PUT", "/notes/shared", "from one").Status)
	assert.Equal(t, "from one", other(t, "GET", "/notes/shared", "").Body)
	require.Equal(t, 204, other(t, "PUT", "/notes/shared", "from the other").Status)
	assert.Equal(t, "from the other", one(t, "GET", "/notes/shared", "").Body)
}

// everyUse is each request that needs the store.
var everyUse = []struct{ method, path, body string }{
	{"GET", "/readyz", ""},
	{"GET", "/notes", ""},
	{"GET", "/notes/kept", ""},
	{"PUT", "/notes/kept", "lost?"},
	{"DELETE", "/notes/kept", ""},
}

func TestAStoreThatFailsIsA503AndNoNoteIsLost(t *testing.T) {
	store := newS3(t)
	p := serve(t, store.Env()...)
	call := overHTTP(p)
	require.Equal(t, 201, call(t, "PUT", "/notes/kept", "kept").Status)

	store.Set(func(s *s3) { s.Deny = true })
	for _, use := range everyUse {
		got := call(t, use.method, use.path, use.body)
		assert.Equal(t, 503, got.Status, use)
		assert.Equal(t, problem, got.Header.Get("Content-Type"), use)
		assert.Equal(t, "5", got.Header.Get("Retry-After"), use)
		assert.NotContains(t, got.Body, "AccessDenied", "details are for the log")
	}
	assert.Equal(t, 200, call(t, "GET", "/healthz", "").Status, "a restart would not help")
	page := call(t, "GET", "/", "")
	assert.Equal(t, 200, page.Status)
	assert.Contains(t, page.Body, "The store does not answer")
	p.logs(t, "AccessDenied")

	store.Set(func(s *s3) { s.Deny = false })
	assert.Equal(t, "kept", call(t, "GET", "/notes/kept", "").Body)
}

func TestAStoreThatHangsIsA503InSecondsAndNoNoteIsLost(t *testing.T) {
	store := newS3(t)
	call := overHTTP(serve(t, store.Env()...))
	require.Equal(t, 201, call(t, "PUT", "/notes/kept", "kept").Status)

	release := make(chan struct{})
	store.Set(func(s *s3) { s.Hang = release })
	answers := make(chan answer)
	begin := time.Now()
	for _, use := range everyUse {
		go func() { answers <- call(t, use.method, use.path, use.body) }()
	}
	for range everyUse {
		assert.Equal(t, 503, (<-answers).Status)
	}
	assert.Less(t, time.Since(begin), 9*time.Second)
	assert.Equal(t, 200, call(t, "GET", "/healthz", "").Status)

	store.Set(func(s *s3) { s.Hang = nil })
	close(release)
	assert.Equal(t, "kept", call(t, "GET", "/notes/kept", "").Body)
}

func TestADirectoryThatCannotBeWrittenIsA503(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	call := overHTTP(serve(t, "NOTES_DIR="+file))
	assert.Equal(t, 503, call(t, "GET", "/readyz", "").Status)
	assert.Equal(t, 503, call(t, "PUT", "/notes/a", "x").Status)
	assert.Equal(t, 200, call(t, "GET", "/healthz", "").Status)
}

func TestATermSignalLetsRequestsFinishAndExitsWith0(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	call := overHTTP(p)
	working := make(chan answer, 1)
	go func() { working <- call(t, "POST", "/work?ms=1000", "") }()
	time.Sleep(200 * time.Millisecond) // the request is in flight

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		if err == nil {
			conn.Close()
		}
		return err != nil
	}, 500*time.Millisecond, 10*time.Millisecond, "new connections are refused while it works")

	got := <-working
	assert.Equal(t, 200, got.Status)
	assert.Contains(t, got.Body, `"ms":1000`)
	assert.NoError(t, p.cmd.Wait(), "exit code")
	assert.Contains(t, p.logged(), `"msg":"stopping"`)
}

func TestATermSignalDoesNotWaitForEver(t *testing.T) {
	t.Parallel() // it takes as long as a shutdown may
	store := newS3(t)
	p := serve(t, store.Env()...)
	// A client that announces a body and never sends it keeps its request open.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /notes/slow HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf")
	time.Sleep(100 * time.Millisecond)

	begin := time.Now()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, p.cmd.Wait(), "exit code")
	assert.Less(t, time.Since(begin), 12*time.Second)
	assert.Equal(t, 404, overHTTP(serve(t, store.Env()...))(t, "GET", "/notes/slow", "").Status, "half a note is no note")
}

func TestEndlessHeadersAreCutOff(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: app\r\nX-Long: %s\r\n\r\n", strings.Repeat("x", 64<<10))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
}

func TestEachRequestIsOneLineOfJSONWithItsID(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	call := overHTTP(p)
	call(t, "GET", "/notes", "", "X-Request-Id", "seen-1")
	call(t, "GET", "/healthz", "", "X-Request-Id", "unseen-1")
	p.logs(t, `"id":"seen-1"`)
	assert.Equal(t, 1, strings.Count(p.logged(), "seen-1"))
	assert.Contains(t, p.logged(), `"method":"GET","path":"/notes","status":200`)
	assert.NotContains(t, p.logged(), "unseen-1", "health checks are not logged")
}

func TestAPortInUseEndsTheStart(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	p := start(t, "HOST=127.0.0.1", "PORT="+port)
	require.Error(t, p.cmd.Wait())
	assert.Equal(t, 1, p.cmd.ProcessState.ExitCode())
	assert.Contains(t, p.logged(), "address already in use")
}

func TestNotesExpireWhereTheEnvironmentSaysSo(t *testing.T) {
	dir := t.TempDir()
	for name, env := range map[string][]string{"a directory": {"NOTES_DIR=" + dir}, "S3": newS3(t).Env()} {
		t.Run("in "+name, func(t *testing.T) {
			t.Parallel()
			// S3 tells times to the second, and this one in lists more exactly.
			call := overHTTP(serve(t, append(env, "NOTES_TTL=2s")...))
			require.Equal(t, 201, call(t, "PUT", "/notes/old", "x").Status)
			require.Equal(t, 200, call(t, "GET", "/notes/old", "").Status)
			assert.Contains(t, call(t, "GET", "/", "").Body, "it expires after 2 seconds")

			assert.Eventually(t, func() bool { return call(t, "GET", "/notes/old", "").Status == 404 }, 4*time.Second, 100*time.Millisecond)
			assert.Eventually(t, func() bool { return call(t, "GET", "/notes", "").Body == "{\"notes\":[]}\n" }, 2*time.Second, 100*time.Millisecond)
			assert.Equal(t, 404, call(t, "DELETE", "/notes/old", "").Status)
			assert.Equal(t, 201, call(t, "PUT", "/notes/old", "x").Status, "it is a new one")
		})
	}
}

func TestADirectoryIsRidOfWhatExpiredAndOfWhatACrashLeft(t *testing.T) {
	dir := t.TempDir()
	ago := func(name string, age time.Duration) {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte("x"), 0o600))
		require.NoError(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	ago("expired", 25*time.Hour)
	ago("kept", 23*time.Hour)
	ago(".new-crashed", time.Hour)
	ago(".new-being-written", time.Second)
	ago("Not-A-Note", 25*time.Hour)
	serve(t, "NOTES_DIR="+dir, "NOTES_TTL=24h") // nobody asks for a note
	assert.Eventually(t, func() bool {
		entries, err := os.ReadDir(dir)
		require.NoError(t, err)
		var names []string
		for _, entry := range entries {
			names = append(names, entry.Name())
		}
		return assert.ObjectsAreEqual([]string{".new-being-written", "Not-A-Note", "kept"}, names)
	}, time.Second, 10*time.Millisecond)
}

func TestANoteStaysWithoutALifetime(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	require.NoError(t, os.WriteFile(old, []byte("still here"), 0o600))
	require.NoError(t, os.Chtimes(old, time.Time{}, time.Now().AddDate(-10, 0, 0)))
	for _, env := range [][]string{{"NOTES_DIR=" + dir}, {"NOTES_DIR=" + dir, "NOTES_TTL="}} {
		call := overHTTP(serve(t, env...))
		assert.Equal(t, "still here", call(t, "GET", "/notes/old", "").Body)
	}
}

func TestALifetimeThatIsNoneEndsTheStart(t *testing.T) {
	for _, ttl := range []string{"1 day", "0", "-1h"} {
		p := start(t, "HOST=127.0.0.1", "PORT="+freePort(t), "NOTES_TTL="+ttl)
		require.Error(t, p.cmd.Wait())
		assert.Equal(t, 1, p.cmd.ProcessState.ExitCode())
		assert.Contains(t, p.logged(), ttl)
		assert.Contains(t, p.logged(), "such as 24h")
	}
}

func TestADiskThatIsFullIsSaidSo(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=16k"); err != nil {
		t.Skip("only root may mount a small disk: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	call := overHTTP(serve(t, "NOTES_DIR="+dir))
	require.Equal(t, 200, call(t, "GET", "/readyz", "").Status)
	require.Equal(t, 201, call(t, "PUT", "/notes/kept", "kept").Status)
	other, err := os.Create(filepath.Join(dir, "Other"))
	require.NoError(t, err)
	defer other.Close()
	for err == nil { // an empty file still fits then
		_, err = other.Write(make([]byte, 1024))
	}

	for _, use := range []struct{ method, path, body string }{{"GET", "/readyz", ""}, {"PUT", "/notes/kept", "lost?"}} {
		got := call(t, use.method, use.path, use.body)
		assert.Equal(t, 503, got.Status, use)
		assert.Contains(t, got.Body, "The disk that holds the notes is full.", use)
	}
	assert.Equal(t, 200, call(t, "GET", "/healthz", "").Status, "a restart would not help")
	assert.Equal(t, "kept", call(t, "GET", "/notes/kept", "").Body)
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 2, "no half-written file stays")
}

func TestAClientThatHangsUpIsNoErrorOfTheStore(t *testing.T) {
	store := newS3(t)
	p := serve(t, store.Env()...)
	release := make(chan struct{})
	defer close(release)
	store.Set(func(s *s3) { s.Hang = release })
	uses := append(slices.Clone(everyUse), struct{ method, path, body string }{"GET", "/", ""},
		struct{ method, path, body string }{"POST", "/work?ms=2000", ""})
	for _, use := range uses {
		ctx, hangUp := context.WithTimeout(t.Context(), 200*time.Millisecond)
		request, err := http.NewRequestWithContext(ctx, use.method, p.url+use.path, strings.NewReader(use.body))
		require.NoError(t, err)
		_, err = http.DefaultClient.Do(request)
		require.Error(t, err, use)
		hangUp()
	}
	logged := len(uses) - 1 // a probe's line is for debugging
	assert.Eventually(t, func() bool { return strings.Count(p.logged(), `"status":499`) == logged }, 2*time.Second, 10*time.Millisecond)
	assert.NotContains(t, p.logged(), `"level":"ERROR"`)
}

func TestABodyThatDoesNotComeIsTheCallersFault(t *testing.T) {
	t.Parallel() // it takes as long as a body may
	p := serve(t, "NOTES_DIR="+t.TempDir())
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
	require.NoError(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "PUT /notes/slow HTTP/1.1\r\nHost: app\r\nContent-Length: 10\r\n\r\nhalf")
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	assert.Equal(t, http.StatusRequestTimeout, response.StatusCode)
}
