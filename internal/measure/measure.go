// Package measure sends a few requests to an app, one at a time, and works out
// what one of them costs: CPU time, waiting, sizes and what is logged. The
// comparison's bills are made of these figures.
package measure

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// A Request is what is sent.
type Request struct {
	Method, Path, Body string
	Header             http.Header
}

func (r Request) String() string { return r.Method + " " + r.Path }

// A Load is what is sent to an app: the requests in turn, one at a time, so that
// what an answer takes beside CPU is waiting and not other requests' work.
type Load struct {
	Requests []Request
	Count    int           // of all
	Limit    time.Duration // for all, after which no more are sent
}

// warmUp is how many requests are sent before those that count: what a program
// loads and compiles for its first answers is no part of the others.
const warmUp = 20

// settle is how long an app that has answered may still work and log.
const settle = 300 * time.Millisecond

// A Meter counts what an app has used since it started. What it cannot count is
// nil.
type Meter struct {
	CPU func() (time.Duration, error)
	Log func() int64 // bytes
}

// A Result is what requests cost on average.
type Result struct {
	Count   int           // requests that were measured
	Failed  map[int]int   // answers of 400 and above, by status
	Took    time.Duration // all of them
	Answer  time.Duration // until an answer was read, on average
	P50     time.Duration
	P99     time.Duration
	CPU     *time.Duration // nil when nobody could count it
	Request float64        // bytes of a body
	Respond float64        // bytes of a body
	Log     *float64       // bytes, nil when nobody could count it
}

// Wait is the part of an answer that is not CPU time. Without a CPU time it is
// all of it.
func (r Result) Wait() time.Duration {
	if r.CPU == nil {
		return r.Answer
	}
	return max(0, r.Answer-*r.CPU)
}

// Run sends a load to an app and counts. It fails when the app does not answer,
// or answers a request for the first time with an error.
func Run(ctx context.Context, base string, load Load, meter Meter) (Result, error) {
	client := &http.Client{
		// No proxy: it would be measured too. No compression that a client did not
		// ask for: the size is the app's.
		Transport:     &http.Transport{DisableCompression: true},
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	defer client.CloseIdleConnections()
	over := fmt.Errorf("limit: %s are over before a request was measured; give more", load.Limit)
	limited, cancel := context.WithTimeoutCause(ctx, load.Limit, over)
	defer cancel()
	for i, start := 0, time.Now(); i < len(load.Requests) || i < warmUp && time.Since(start) < load.Limit/5; i++ {
		request := load.Requests[i%len(load.Requests)]
		status, _, err := send(limited, client, base, request)
		if errors.Is(err, over) {
			return Result{}, over
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: no answer: %w", request, err)
		}
		if status >= 400 && i < len(load.Requests) {
			return Result{}, fmt.Errorf("%s: answered with %d; give a --path, a --method and a --body that the app answers with less than 400", request, status)
		}
	}
	if err := pause(ctx, settle); err != nil {
		return Result{}, err
	}

	r := Result{Failed: map[int]int{}}
	var cpu time.Duration
	var log int64
	var err error
	if meter.CPU != nil {
		if cpu, err = meter.CPU(); err != nil {
			return Result{}, err
		}
	}
	if meter.Log != nil {
		log = meter.Log()
	}
	var answers []time.Duration
	begin := time.Now()
	for r.Count < load.Count {
		request := load.Requests[r.Count%len(load.Requests)]
		sent := time.Now()
		status, size, err := send(limited, client, base, request)
		if errors.Is(err, over) {
			break
		}
		if err != nil {
			return Result{}, fmt.Errorf("%s: no answer to request %d: %w", request, r.Count+1, err)
		}
		answers = append(answers, time.Since(sent))
		if status >= 400 {
			r.Failed[status]++
		}
		r.Request += float64(len(request.Body))
		r.Respond += float64(size)
		r.Count++
	}
	if r.Count == 0 {
		return Result{}, over
	}
	r.Took = time.Since(begin)
	if err := pause(ctx, settle); err != nil {
		return Result{}, err
	}
	n := float64(r.Count)
	if meter.CPU != nil {
		now, err := meter.CPU()
		if err != nil {
			return Result{}, err
		}
		each := time.Duration(float64(now-cpu) / n)
		r.CPU = &each
	}
	if meter.Log != nil {
		each := float64(meter.Log()-log) / n
		r.Log = &each
	}
	for _, answer := range answers {
		r.Answer += answer / time.Duration(r.Count)
	}
	slices.Sort(answers)
	r.P50, r.P99 = percentile(answers, 0.5), percentile(answers, 0.99)
	r.Request, r.Respond = r.Request/n, r.Respond/n
	return r, nil
}

func percentile(sorted []time.Duration, p float64) time.Duration {
	return sorted[min(len(sorted)-1, int(math.Ceil(p*float64(len(sorted))))-1)]
}

// send returns the answer's status and how many bytes its body has.
func send(ctx context.Context, client *http.Client, base string, r Request) (status int, size int64, err error) {
	request, err := http.NewRequestWithContext(ctx, r.Method, base+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return 0, 0, err
	}
	request.Header = r.Header.Clone()
	if request.Header == nil {
		request.Header = http.Header{}
	}
	response, err := client.Do(request)
	if err != nil {
		return 0, 0, why(ctx, err)
	}
	defer response.Body.Close()
	size, err = io.Copy(io.Discard, response.Body)
	if err != nil {
		return 0, 0, why(ctx, err)
	}
	return response.StatusCode, size, nil
}

// why is an error without the method and the address, which stand beside it.
func why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var sent *url.Error
	if errors.As(err, &sent) {
		if sent.Timeout() {
			return errors.New("none within 30 s")
		}
		return sent.Err
	}
	return err
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
