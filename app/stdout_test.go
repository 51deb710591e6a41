package main_test

import (
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// serveInto runs the app with a pipe as its standard output and returns the
// pipe's end to read from.
func serveInto(t *testing.T, env ...string) (*process, *os.File) {
	t.Helper()
	reader, writer, err := os.Pipe()
	require.NoError(t, err)
	t.Cleanup(func() { reader.Close() })
	command := exec.Command(binary)
	command.Stdout = writer
	p := serveCommand(t, command, env...)
	writer.Close()
	return p, reader
}

// fill sends requests until their log lines, of some kB each, are more than a
// pipe and the app's queue hold.
func fill(t *testing.T, p *process) {
	t.Helper()
	call := overHTTP(p)
	long := "/" + strings.Repeat("x", 8000)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 60 {
				assert.Equal(t, 404, call(t, "GET", long, "").Status)
			}
		})
	}
	wg.Wait()
}

func TestAnOutputThatNobodyReadsStopsNeitherTheServiceNorTheShutdown(t *testing.T) {
	p, _ := serveInto(t, "NOTES_DIR="+t.TempDir())
	begin := time.Now()
	fill(t, p)
	probe(t, p)
	assert.Less(t, time.Since(begin), 10*time.Second)

	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	begin = time.Now()
	assert.NoError(t, p.cmd.Wait(), "exit code")
	assert.Less(t, time.Since(begin), 5*time.Second)
}

func TestAnOutputThatIsReadAgainTellsHowManyLinesAreMissing(t *testing.T) {
	p, reader := serveInto(t, "NOTES_DIR="+t.TempDir())
	fill(t, p)
	read := make(chan string)
	go func() {
		all, _ := io.ReadAll(reader)
		read <- string(all)
	}()
	time.Sleep(200 * time.Millisecond)
	assert.Equal(t, 200, overHTTP(p)(t, "GET", "/notes", "", "X-Request-Id", "after").Status)
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, p.cmd.Wait(), "exit code")

	log := <-read
	assert.Contains(t, log, `"msg":"listening"`)
	assert.Contains(t, log, "log lines dropped")
	assert.Contains(t, log, `"id":"after"`)
	assert.True(t, strings.HasSuffix(log, `"msg":"stopping"}`+"\n"), "the last line is flushed")
}

func TestAnOutputWhoseReaderEndsDoesNotEndTheApp(t *testing.T) {
	p, reader := serveInto(t, "NOTES_DIR="+t.TempDir())
	reader.Close()
	call := overHTTP(p)
	for range 3 {
		assert.Equal(t, 200, call(t, "GET", "/notes", "").Status)
		time.Sleep(50 * time.Millisecond)
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	assert.NoError(t, p.cmd.Wait(), "exit code")
}
