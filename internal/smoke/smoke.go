// Package smoke tries a deployed app as its callers do: it waits until the app
// answers, sends the contract's requests, asks where it runs, and measures. What
// it writes it deletes.
package smoke

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"refdeploy/app/contract"
	"refdeploy/internal/catalog"
)

// Reads is how many requests are measured.
const Reads = 200

// mostLost is after how many requests in a row without an answer nobody asks on.
const mostLost = 3

// A Target is an app at an address.
type Target struct {
	Name, URL string

	// Promised is where the app has to run, or nil when nobody promised.
	Promised *catalog.Told

	// Architecture is the one that it was deployed for, or "" when unknown.
	Architecture string

	// HealthPath is set for an app that is not ours, and which knows nothing of the
	// contract: it is asked for that and for its first page. Default: "", the sample
	// app.
	HealthPath string
}

// A Result is what became of a target.
type Result struct {
	Name     string    `json:"name"`
	URL      string    `json:"url"`
	Passed   int       `json:"passed"`
	Checks   int       `json:"checks"`
	LeftOut  int       `json:"leftOut"` // requests that only hold under conditions that a deployment does not give
	Resent   int       `json:"resent"`  // requests that were sent a second time, because the first had no answer
	Failures []Failure `json:"failures"`

	ReadyAfter    Millis `json:"readyAfterMs"`    // how long the smoke test waited
	FirstResponse Millis `json:"firstResponseMs"` // of the request that was answered first, with its connection
	P50           Millis `json:"p50Ms"`
	P99           Millis `json:"p99Ms"`

	RunsOn Info `json:"runsOn"`

	// Promised and IdleUSD are what the comparison says, null when it says
	// nothing: where the app runs, and the bill of a month without requests.
	Promised *catalog.Told `json:"promised"`
	IdleUSD  *float64      `json:"idleMonthlyUSD"`
}

// OK reports whether nothing failed.
func (r Result) OK() bool { return len(r.Failures) == 0 }

// A Failure is a check that an app did not pass.
type Failure struct {
	Request string   `json:"request"` // method and path
	Check   string   `json:"check"`
	Differs []string `json:"differs"` // what was expected, and what came
}

func (f Failure) String() string {
	return fmt.Sprintf("%s (%s): %s", f.Request, f.Check, strings.Join(f.Differs, "; "))
}

// Millis is a duration that JSON shows in milliseconds.
type Millis time.Duration

func (m Millis) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(m).Microseconds()) / 1000)
}

func (m *Millis) UnmarshalJSON(data []byte) error {
	var ms float64
	err := json.Unmarshal(data, &ms)
	*m = Millis(ms * float64(time.Millisecond))
	return err
}

// Info is the part of the app's /info that a smoke test reads.
type Info struct {
	Platform     string `json:"platform"`
	DataPlane    string `json:"dataPlane"`
	Region       string `json:"region"`
	Zone         string `json:"zone"`
	Architecture string `json:"architecture"`
	Version      string `json:"version"`
}

// Options say how patient a smoke test is, and who watches.
type Options struct {
	// Wait is how long an app may take until it answers. Zero asks once.
	Wait time.Duration

	// Progress is told what happens. Default: nil, nobody.
	Progress func(string)
}

// prefix begins the keys of the notes that a smoke test writes.
const prefix = "smoke-"

// Run tries the app. It fails only when ctx ends; what is wrong with the app is
// in the result.
func Run(ctx context.Context, target Target, options Options) (Result, error) {
	t := &trial{
		client: newClient(target.URL), target: target, options: options,
		prefix: prefix + strings.ToLower(rand.Text()[:8]) + "-",
		result: Result{Name: target.Name, URL: target.URL, Promised: target.Promised, Failures: []Failure{}},
	}
	defer t.client.close()
	if !t.wait(ctx) {
		return t.result, context.Cause(ctx)
	}
	switch {
	case target.HealthPath != "":
		t.own(ctx)
	case t.contract(ctx):
		t.info(ctx)
		t.measure(ctx)
		fallthrough
	default:
		t.cleanUp(ctx)
	}
	if ctx.Err() != nil {
		return t.result, context.Cause(ctx)
	}
	return t.result, nil
}

// A trial is one run.
type trial struct {
	client  client
	target  Target
	options Options
	prefix  string
	result  Result
}

func (t *trial) say(format string, args ...any) {
	if t.options.Progress != nil {
		t.options.Progress(t.target.Name + ": " + fmt.Sprintf(format, args...))
	}
}

// check counts a check, and keeps what differs.
func (t *trial) check(request, name string, differs []string) {
	t.result.Checks++
	if len(differs) == 0 {
		t.result.Passed++
		return
	}
	t.result.Failures = append(t.result.Failures, Failure{request, name, differs})
}

// wait asks until the app is ready, and reports whether it is.
func (t *trial) wait(ctx context.Context) bool {
	const pause = 2 * time.Second
	path := cmp.Or(t.target.HealthPath, "/readyz")
	request := "GET " + path
	started := time.Now()
	for {
		asked := time.Now()
		got, err := t.client.send(ctx, http.MethodGet, path, "", nil)
		switch {
		case ctx.Err() != nil:
			return false
		case err == nil && got.Status == http.StatusOK:
			t.result.FirstResponse = Millis(time.Since(asked))
			t.result.ReadyAfter = Millis(time.Since(started))
			return true
		}
		last := fmt.Sprintf("got %v", err)
		if err == nil {
			last = fmt.Sprintf("got %d", got.Status)
			if got.Header.Get("Location") != "" {
				last += " to " + got.Header.Get("Location")
			}
		}
		waited := time.Since(started)
		if waited >= t.options.Wait {
			t.check(request, "the app is ready", []string{fmt.Sprintf("expected status 200 within %s, %s", t.options.Wait, last)})
			return false
		}
		t.say("waiting for %s since %s (%s)", t.target.URL, waited.Round(time.Second), last)
		select {
		case <-time.After(min(pause, t.options.Wait-waited)):
		case <-ctx.Done():
			return false
		}
	}
}

// contract sends the contract's requests. It reports whether the app answered
// until the end.
func (t *trial) contract(ctx context.Context) bool {
	requests := contract.Requests(t.prefix)
	lost := 0
	for i, r := range requests {
		if r.Holds != contract.Everywhere {
			t.result.LeftOut++
			continue
		}
		t.say("request %d of %d", i+1, len(requests))
		got, err := t.client.send(ctx, r.Method, r.Path, r.Body, r.Header)
		if err != nil && ctx.Err() == nil {
			// An app ends the connection of a body that is too large, and what stands
			// before it may have sent the next request there.
			t.result.Resent++
			got, err = t.client.send(ctx, r.Method, r.Path, r.Body, r.Header)
		}
		if ctx.Err() != nil {
			return false
		}
		if err != nil {
			t.check(r.Method+" "+r.Path, r.Name, []string{fmt.Sprintf("expected status %d, got %v", r.Status, err)})
			if lost++; lost == mostLost {
				t.check("the rest", "the app answers", []string{fmt.Sprintf("%d requests in a row had no answer; %d were not sent", lost, len(requests)-i-1)})
				return false
			}
			continue
		}
		lost = 0
		t.check(r.Method+" "+r.Path, r.Name, r.Differs(got))
	}
	return true
}

// own tries an app that is not ours: that it is well, that its first page is no
// error of a server, and how fast it says that it is well. It writes nothing.
func (t *trial) own(ctx context.Context) {
	t.check("GET "+t.target.HealthPath, "the app says that it is well", nil) // or nobody would be here
	got, err := t.client.send(ctx, http.MethodGet, "/", "", nil)
	if ctx.Err() != nil {
		return
	}
	var differs []string
	if err != nil || got.Status >= 500 {
		differs = []string{fmt.Sprintf("expected a status below 500, got %s", told(got, err))}
	}
	t.check("GET /", "the first page is there, or at least no error of the server", differs)
	t.reads(ctx, t.target.HealthPath, fmt.Sprintf("%d times whether it is well", Reads))
}

// info asks where the app runs.
func (t *trial) info(ctx context.Context) {
	got, err := t.client.send(ctx, http.MethodGet, "/info", "", nil)
	if err == nil {
		err = json.Unmarshal([]byte(got.Body), &t.result.RunsOn)
	}
	if ctx.Err() != nil || t.target.Promised == nil && err == nil {
		return
	}
	var differs []string
	differ := func(what, want, got string) {
		if want != "" && want != got {
			differs = append(differs, fmt.Sprintf("expected %s %q, got %q", what, want, got))
		}
	}
	if err != nil {
		differs = []string{"expected JSON, got " + err.Error()}
	} else {
		differ("platform", t.target.Promised.Platform, t.result.RunsOn.Platform)
		differ("dataPlane", t.target.Promised.DataPlane, t.result.RunsOn.DataPlane)
		differ("architecture", t.target.Architecture, t.result.RunsOn.Architecture)
	}
	t.check("GET /info", "it runs where the stack promises", differs)
}

// measure reads a note again and again over a connection that stays open.
func (t *trial) measure(ctx context.Context) {
	path := "/notes/" + t.prefix + "measured"
	if got, err := t.client.send(ctx, http.MethodPut, path, "x", nil); err != nil || got.Status != http.StatusCreated {
		t.check("PUT "+path, "a note to measure with", []string{fmt.Sprintf("expected status 201, got %s", told(got, err))})
		return
	}
	t.reads(ctx, path, fmt.Sprintf("%d reads of a note", Reads))
}

// reads asks for a path again and again over a connection that stays open.
func (t *trial) reads(ctx context.Context, path, what string) {
	var took []time.Duration
	var differs []string
	failed := 0
	for i := range Reads {
		t.say("read %d of %d", i+1, Reads)
		asked := time.Now()
		got, err := t.client.send(ctx, http.MethodGet, path, "", nil)
		if ctx.Err() != nil {
			return
		}
		if err == nil && got.Status == http.StatusOK {
			took = append(took, time.Since(asked))
			continue
		}
		if failed++; failed == 1 {
			differs = append(differs, fmt.Sprintf("expected status 200, got %s", told(got, err)))
		}
		if failed == mostLost && len(took) == 0 {
			break
		}
	}
	if failed > 1 {
		differs = append(differs, fmt.Sprintf("%d reads of %d failed", failed, failed+len(took)))
	}
	t.check("GET "+path, what, differs)
	slices.Sort(took)
	t.result.P50, t.result.P99 = Millis(percentile(took, 50)), Millis(percentile(took, 99))
}

// percentile returns the value that p percent of the sorted ones do not exceed.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[(len(sorted)*p+99)/100-1]
}

// cleanUpTimeout is shorter than what an interrupted command is given.
const cleanUpTimeout = 4 * time.Second

// cleanUp deletes every note that this run wrote, also when ctx has ended, and
// looks whether one is left.
func (t *trial) cleanUp(ctx context.Context) {
	t.say("deleting what was written")
	within := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		var cancel context.CancelFunc
		within, cancel = context.WithTimeout(within, cleanUpTimeout)
		defer cancel()
	}
	mine, err := t.written(within)
	for _, key := range mine {
		// The list tells afterwards whether it worked.
		_, _ = t.client.send(within, http.MethodDelete, "/notes/"+key, "", nil)
	}
	if err == nil && len(mine) > 0 {
		mine, err = t.written(within)
	}
	var differs []string
	switch {
	case err != nil:
		differs = []string{fmt.Sprintf("expected a list of notes, got %v; notes that begin with %s may be left", err, t.prefix)}
	case len(mine) > 0:
		differs = []string{"expected none of its notes, got " + strings.Join(mine, ", ")}
	}
	t.check("GET /notes", "nothing that it wrote stays", differs)
}

// written returns the keys of this run's notes.
func (t *trial) written(ctx context.Context) ([]string, error) {
	got, err := t.client.send(ctx, http.MethodGet, "/notes", "", nil)
	if err != nil {
		return nil, err
	}
	if got.Status != http.StatusOK {
		return nil, fmt.Errorf("status %d", got.Status)
	}
	var list struct{ Notes []struct{ Key string } }
	if err := json.Unmarshal([]byte(got.Body), &list); err != nil {
		return nil, errors.New("no JSON")
	}
	var mine []string
	for _, n := range list.Notes {
		if strings.HasPrefix(n.Key, t.prefix) {
			mine = append(mine, n.Key)
		}
	}
	return mine, nil
}

func told(got contract.Answer, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(got.Status)
}
