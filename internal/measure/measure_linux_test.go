package measure_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"refdeploy/internal/measure"
)

// The tests run themselves as the server that they measure, or as what it starts.
func TestMain(m *testing.M) {
	switch os.Getenv("MEASURED") {
	case "":
		os.Exit(m.Run())
	case "child":
		burn()
	case "server":
		serve()
	}
}

const (
	burned = 20 * time.Millisecond
	slept  = 15 * time.Millisecond
	line   = 100 // bytes
)

// burn uses exactly so much CPU time, however busy the machine is.
func burn() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	now := func() time.Duration {
		var t unix.Timespec
		if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
			panic(err)
		}
		return time.Duration(t.Nano())
	}
	for begin := now(); now()-begin < burned; {
	}
}

func serve() {
	mux := http.NewServeMux()
	mux.HandleFunc("/burn", func(http.ResponseWriter, *http.Request) { burn() })
	mux.HandleFunc("/sleep", func(http.ResponseWriter, *http.Request) { time.Sleep(slept) })
	mux.HandleFunc("/child", func(http.ResponseWriter, *http.Request) {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), "MEASURED=child")
		if err := child.Run(); err != nil {
			panic(err)
		}
	})
	mux.HandleFunc("/log", func(http.ResponseWriter, *http.Request) { fmt.Println(strings.Repeat("x", line-1)) })
	mux.HandleFunc("/size", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("x", 12_345)) })
	mux.HandleFunc("/fails", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusTeapot) })
	var asked int
	mux.HandleFunc("/tires", func(w http.ResponseWriter, r *http.Request) {
		if asked++; asked > 50 {
			w.WriteHeader(http.StatusTooManyRequests)
		}
	})
	panic(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), mux))
}

func start(t *testing.T) *measure.Server {
	t.Helper()
	t.Setenv("MEASURED", "server")
	server, err := measure.Start(t.Context(), []string{os.Args[0]}, 0, "/", 20*time.Second)
	require.NoError(t, err)
	t.Cleanup(func() { server.Stop(context.Background()) })
	return server
}

func of(server *measure.Server, count int, paths ...string) (measure.Result, error) {
	load := measure.Load{Count: count, Limit: time.Minute}
	for _, path := range paths {
		load.Requests = append(load.Requests, measure.Request{Method: "GET", Path: path, Body: "12345"})
	}
	return measure.Run(context.Background(), server.Base, load, measure.Meter{
		CPU: func() (time.Duration, error) { return measure.CPU(server.PID()) }, Log: server.Logged,
	})
}

func TestCPUTimeIsWhatARequestUses(t *testing.T) {
	r, err := of(start(t), 30, "/burn")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, *r.CPU, burned)
	assert.Less(t, *r.CPU, burned+10*time.Millisecond)
}

func TestCPUTimeOfWhatARequestStartsCounts(t *testing.T) {
	r, err := of(start(t), 20, "/child")
	require.NoError(t, err)
	assert.GreaterOrEqual(t, *r.CPU, burned-time.Millisecond, "that of ended processes comes in ticks")
}

func TestWaitingIsNotCPUTime(t *testing.T) {
	r, err := of(start(t), 30, "/sleep")
	require.NoError(t, err)
	assert.Less(t, *r.CPU, slept/3)
	assert.GreaterOrEqual(t, r.Wait(), slept-slept/3)
	assert.GreaterOrEqual(t, r.P50, slept)
	assert.GreaterOrEqual(t, r.P99, r.P50)
}

func TestLogAndSizesAreThoseOfARequest(t *testing.T) {
	r, err := of(start(t), 40, "/log", "/size")
	require.NoError(t, err)
	assert.Equal(t, 40, r.Count)
	assert.EqualValues(t, line/2, *r.Log, "every second request logs")
	assert.Equal(t, 12_345.0/2, r.Respond)
	assert.Equal(t, 5.0, r.Request)
	assert.Empty(t, r.Failed)
}

func TestAnswersThatAreErrorsAreSaid(t *testing.T) {
	server := start(t)
	_, err := of(server, 10, "/size", "/fails")
	assert.EqualError(t, err, "GET /fails: answered with 418; give a --path, a --method and a --body that the app answers with less than 400")
	r, err := of(server, 100, "/tires")
	require.NoError(t, err)
	assert.Equal(t, map[int]int{429: 70}, r.Failed, "the first twenty warm it up")
}

func TestALimitEndsTheMeasurementWithWhatThereIs(t *testing.T) {
	server := start(t)
	r, err := measure.Run(context.Background(), server.Base, measure.Load{
		Requests: []measure.Request{{Method: "GET", Path: "/sleep"}}, Count: 10_000, Limit: 2 * time.Second,
	}, measure.Meter{})
	require.NoError(t, err)
	assert.Positive(t, r.Count)
	assert.Less(t, r.Count, 200)
	assert.Nil(t, r.CPU)
	assert.Equal(t, r.Answer, r.Wait())
}
