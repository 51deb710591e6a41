package main_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/app/contract"
)

// container is the least memory that a deployment gives the app, a pod's.
const container = 128 << 20

// serveIn runs the app in a control group that has no more memory than a
// container. Where the test may not make one, the app is told what it would find
// there, and the peak of its memory has to tell.
func serveIn(t *testing.T, env ...string) (p *process, limited bool) {
	t.Helper()
	for _, controller := range []struct{ root, limit string }{
		{"/sys/fs/cgroup", "memory.max"},
		{"/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
	} {
		group := filepath.Join(controller.root, fmt.Sprintf("app-test-%d", os.Getpid()))
		if os.Mkdir(group, 0o755) != nil {
			continue
		}
		limit, err := os.OpenFile(filepath.Join(group, controller.limit), os.O_WRONLY, 0)
		if err != nil {
			syscall.Rmdir(group) // a plain directory, or a group without the controller
			continue
		}
		_, err = fmt.Fprint(limit, container)
		limit.Close()
		require.NoError(t, err)
		t.Cleanup(func() { syscall.Rmdir(group) })
		entered := exec.Command("sh", "-c", fmt.Sprintf(`echo $$ > %s/cgroup.procs && exec %s`, group, binary))
		return serveCommand(t, entered, env...), true
	}
	return serve(t, append(env, fmt.Sprintf("GOMEMLIMIT=%d", container*4/5))...), false
}

// peak returns the most memory that the process has had, in bytes.
func (p *process) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Skip("only Linux tells")
	}
	match := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, match, "the process is gone")
	kB, err := strconv.Atoi(string(match[1]))
	require.NoError(t, err)
	return kB << 10
}

func TestAThousandRequestsForAStoreThatHangsFitInASmallContainer(t *testing.T) {
	store := newS3(t)
	p, limited := serveIn(t, store.Env()...)
	t.Logf("in a control group: %t", limited)
	if limited {
		p.logs(t, fmt.Sprintf(`"memoryLimit":%d`, container*4/5), "garbage is collected before the limit")
	}
	release := make(chan struct{})
	defer close(release)
	store.Set(func(s *s3) { s.Hang = release })

	note := strings.Repeat("ü", 2048)
	uses := []struct{ method, path, body, contentType string }{
		{"GET", "/notes", "", ""},
		{"GET", "/notes/kept", "", ""},
		{"PUT", "/notes/kept", note, "text/plain"},
		{"DELETE", "/notes/kept", "", ""},
		{"POST", "/notes", "key=kept&text=" + url.QueryEscape(note), "application/x-www-form-urlencoded"},
		{"GET", "/readyz", "", ""},
	}
	client := &http.Client{Transport: &http.Transport{}, Timeout: 20 * time.Second}
	var mu sync.Mutex
	statuses, refused := map[int]int{}, 0
	var wg sync.WaitGroup
	for i := range 1000 {
		wg.Go(func() {
			use := uses[i%len(uses)]
			request, err := http.NewRequest(use.method, p.url+use.path, strings.NewReader(use.body))
			if !assert.NoError(t, err) {
				return
			}
			request.Header.Set("Content-Type", use.contentType)
			request.Header.Set("X-Long", strings.Repeat("x", 8<<10))
			response, err := client.Do(request)
			if !assert.NoError(t, err) {
				return
			}
			defer response.Body.Close()
			io.Copy(io.Discard, response.Body)
			mu.Lock()
			defer mu.Unlock()
			statuses[response.StatusCode]++
			if response.Header.Get("Retry-After") == "1" {
				refused++
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	probe(t, p)
	wg.Wait()
	probe(t, p)
	assert.Equal(t, map[int]int{503: 1000}, statuses)
	assert.Greater(t, refused, 500, "most do not wait for the store")
	most := p.peak(t)
	t.Logf("peak: %d MiB", most>>20)
	assert.Less(t, most, container)
}

// probe is a health check with the patience of a load balancer, on a connection
// of its own.
func probe(t *testing.T, p *process) {
	t.Helper()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Second}
	response, err := client.Get(p.url + "/healthz")
	if assert.NoError(t, err) {
		response.Body.Close()
		assert.Equal(t, 200, response.StatusCode)
	}
}

func TestClientsThatSendSlowlyFitInASmallContainer(t *testing.T) {
	p, limited := serveIn(t, "NOTES_DIR="+t.TempDir())
	t.Logf("in a control group: %t", limited)
	for range 2000 {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: app\r\nX-Long: %s", strings.Repeat("x", 15<<10))
	}
	most := p.peak(t)
	t.Logf("peak: %d MiB", most>>20)
	assert.Less(t, most, container)
	assert.Eventually(t, func() bool {
		client := &http.Client{Timeout: time.Second}
		response, err := client.Get(p.url + "/healthz")
		if err == nil {
			response.Body.Close()
		}
		return err == nil
	}, 15*time.Second, 100*time.Millisecond, "they are cut off")
}

func TestFormsThatAreSentSlowlyFitInASmallContainer(t *testing.T) {
	p, limited := serveIn(t, "NOTES_DIR="+t.TempDir())
	t.Logf("in a control group: %t", limited)
	for range contract.MaxConnections {
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
		fmt.Fprintf(conn, "POST /notes HTTP/1.1\r\nHost: app\r\nContent-Type: application/x-www-form-urlencoded\r\nX-Long: %s\r\nContent-Length: %d\r\n\r\ntext=%s",
			strings.Repeat("x", 15<<10), contract.MaxFormBytes, strings.Repeat("x", contract.MaxFormBytes-10))
	}
	time.Sleep(500 * time.Millisecond)
	most := p.peak(t)
	t.Logf("peak: %d MiB", most>>20)
	assert.Less(t, most, container)
}

func TestABurstLeavesConnectionsForHealthChecks(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	transport := &http.Transport{MaxIdleConnsPerHost: 2000}
	defer transport.CloseIdleConnections()
	// Each takes long enough for all to be open at the same time.
	var wg sync.WaitGroup
	for range 1000 {
		wg.Go(func() {
			reader, writer := io.Pipe()
			request, err := http.NewRequest("PUT", p.url+"/notes/a", reader)
			if !assert.NoError(t, err) {
				return
			}
			time.AfterFunc(time.Second, func() { writer.Close() })
			response, err := transport.RoundTrip(request)
			if assert.NoError(t, err) {
				io.Copy(io.Discard, response.Body)
				response.Body.Close()
			}
		})
	}
	wg.Wait()
	for range 600 { // more than would be left
		conn, err := net.Dial("tcp", strings.TrimPrefix(p.url, "http://"))
		require.NoError(t, err)
		defer conn.Close()
	}
	probe(t, p)
}

func TestWorkDoesNotStarveHealthChecks(t *testing.T) {
	for _, cpus := range []string{"1", "2"} {
		t.Run(cpus+" CPU", func(t *testing.T) {
			p := serve(t, "NOTES_DIR="+t.TempDir(), "GOMAXPROCS="+cpus)
			ctx, stop := context.WithCancel(t.Context())
			var mu sync.Mutex
			statuses := map[int]int{}
			var callers sync.WaitGroup
			for range 40 {
				callers.Go(func() {
					for ctx.Err() == nil {
						request, err := http.NewRequestWithContext(ctx, "POST", p.url+"/work?ms=500", nil)
						if !assert.NoError(t, err) {
							return
						}
						response, err := http.DefaultClient.Do(request)
						if err != nil {
							continue // stopped
						}
						response.Body.Close()
						mu.Lock()
						statuses[response.StatusCode]++
						mu.Unlock()
						if response.StatusCode == http.StatusTooManyRequests {
							assert.Equal(t, "1", response.Header.Get("Retry-After"))
							time.Sleep(100 * time.Millisecond)
						}
					}
				})
			}
			for range 15 {
				probe(t, p)
				time.Sleep(100 * time.Millisecond)
			}
			stop()
			callers.Wait()
			t.Log(statuses)
			assert.NotZero(t, statuses[200], "some work is done")
			assert.NotZero(t, statuses[429], "and some refused")
			assert.Len(t, statuses, 2)
		})
	}
}
