package main_test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The app's promises about speed are measured, not asserted: a busy machine
// would fail a timed test for no fault of the code.

// BenchmarkReady measures from the start of the process to its first answer.
func BenchmarkReady(b *testing.B) {
	dir := b.TempDir()
	for b.Loop() {
		port := freePort(b)
		begin := time.Now()
		p := start(b, "HOST=127.0.0.1", "PORT="+port, "NOTES_DIR="+dir)
		for {
			response, err := http.Get("http://127.0.0.1:" + port + "/readyz")
			if err == nil {
				response.Body.Close()
				break
			}
			time.Sleep(200 * time.Microsecond)
		}
		b.ReportMetric(float64(time.Since(begin).Microseconds())/1000, "ms-to-ready")
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// BenchmarkFirstLambdaResponse measures from the start of the bootstrap to the
// response to its first event.
func BenchmarkFirstLambdaResponse(b *testing.B) {
	store := newS3(b)
	for b.Loop() {
		l := newLambda(b)
		begin := time.Now()
		p := start(b, store.Env(l.Env()...)...)
		require.Equal(b, 200, l.Call(b, "GET", "/info", "").Status)
		b.ReportMetric(float64(time.Since(begin).Microseconds())/1000, "ms-to-response")
		p.cmd.Process.Kill()
		p.cmd.Wait()
	}
}

// BenchmarkIdleMemory reads the resident memory of an app that has served one
// request from S3, and the size of the binary.
func BenchmarkIdleMemory(b *testing.B) {
	store := newS3(b)
	for b.Loop() {
		p := serve(b, store.Env()...)
		require.Equal(b, 200, overHTTP(p)(b, "GET", "/readyz", "").Status)
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
		require.NoError(b, err, "only Linux tells")
		_, after, _ := strings.Cut(string(status), "VmRSS:")
		kB, err := strconv.Atoi(strings.Fields(after)[0])
		require.NoError(b, err)
		b.ReportMetric(float64(kB)/1024, "MiB-resident")
	}
	info, err := os.Stat(binary)
	require.NoError(b, err)
	b.ReportMetric(float64(info.Size())/1e6, "MB-binary")
}

// BenchmarkInfo measures GET /info of an app that may use one core, with its
// log written. The clients are raw connections: they share the machine, and
// Go's HTTP client costs more than the server.
func BenchmarkInfo(b *testing.B) {
	const clients = 32
	p := serve(b, "NOTES_DIR="+b.TempDir(), "GOMAXPROCS=1")
	address := strings.TrimPrefix(p.url, "http://")
	request := []byte("GET /info HTTP/1.1\r\nHost: app\r\n\r\n")

	perClient := b.N/clients + 1
	b.ResetTimer()
	begin := time.Now()
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				b.Error(err)
				return
			}
			defer conn.Close()
			buffer := make([]byte, 4096)
			for range perClient {
				if _, err := conn.Write(request); err != nil {
					b.Error(err)
					return
				}
				// An answer is smaller than the buffer and comes in one piece.
				n, err := conn.Read(buffer)
				if err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") || buffer[n-1] != '\n' {
					b.Errorf("answer %q: %v", buffer[:n], err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(perClient*clients)/time.Since(begin).Seconds(), "requests/s")
}
