package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/bill"
)

// trace is the header that a load balancer adds to each request.
const trace = "Root=1-67891233-abcdef012345678912345678"

// The comparison bills log ingestion by what a request writes.
func TestTheBillKnowsHowMuchARequestLogs(t *testing.T) {
	measure := func(t *testing.T, p *process, call caller) float64 {
		call(t, "PUT", "/notes/one", "text")
		require.Eventually(t, func() bool { return strings.Contains(p.logged(), `"method":"PUT"`) }, 5*time.Second, 10*time.Millisecond)
		before := p.logged()
		const requests = 20
		for range requests {
			call(t, "GET", "/notes/one", "", "X-Amzn-Trace-Id", trace)
		}
		var lines []string
		require.Eventually(t, func() bool {
			lines = strings.Split(strings.TrimSuffix(strings.TrimPrefix(p.logged(), before), "\n"), "\n")
			return len(lines) == requests
		}, 10*time.Second, 10*time.Millisecond, "a line a request")
		bytes := 0
		for _, line := range lines {
			bytes += len(line)
		}
		return float64(bytes) / requests
	}
	t.Run("over HTTP", func(t *testing.T) {
		p := serve(t, newS3(t).Env()...)
		assert.InEpsilon(t, bill.Profiles()[0].LogBytes, measure(t, p, overHTTP(p)), 0.1)
	})
	t.Run("on Lambda, before Lambda's own lines", func(t *testing.T) {
		l := newLambda(t)
		p := start(t, l.Env(newS3(t).Env()...)...)
		assert.InEpsilon(t, bill.Profiles()[0].LogBytes, measure(t, p, l.Call), 0.1)
	})
}

// The comparison bills S3 by what a request asks of it: by default one read.
func TestTheBillKnowsWhatARequestAsksOfS3(t *testing.T) {
	store := newS3(t)
	call := overHTTP(serve(t, store.Env()...))
	asked := func(method, path, body string) map[string]int {
		store.Set(func(s *s3) { s.Calls = map[string]int{} })
		call(t, method, path, body)
		calls := map[string]int{}
		store.Set(func(s *s3) { calls = s.Calls })
		return calls
	}
	call(t, "PUT", "/notes/one", "text")
	assert.Equal(t, map[string]int{"LIST": 1}, asked("GET", "/", ""))
	assert.Equal(t, map[string]int{"LIST": 1}, asked("GET", "/notes", ""))
	assert.Equal(t, map[string]int{"LIST": 1, "PUT": 1}, asked("PUT", "/notes/one", "text"))
	assert.Empty(t, asked("GET", "/info", ""))
	read := asked("GET", "/notes/one", "")
	assert.Equal(t, map[string]int{"GET": 1}, read)

	usage := bill.Profiles()[0]
	assert.Equal(t, []float64{float64(read["GET"]), float64(read["PUT"]), float64(read["LIST"])}, []float64{usage.Reads, usage.Writes, usage.Lists})
}
