package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"refdeploy/app/contract"
	"refdeploy/internal/measure"
)

// measureInput is what measure sends, and to whom.
type measureInput struct {
	url, host, method, body, healthPath string
	paths, headers                      []string
	yes                                 bool
	pid, port, requests                 int
	limit, wait                         time.Duration
	format, out                         string
}

func newMeasure() *cobra.Command {
	var in measureInput
	cmd := &cobra.Command{
		Use:   "measure [flags] -- COMMAND [ARGUMENT…]",
		Short: "Measure what a request costs your app: CPU time, waiting, sizes, log; compare takes the figures",
		Long: "Start a command that serves HTTP on PORT, send it some requests, one at a time, and print what one of\n" +
			"them costs, as the flags that compare takes. With --out, the figures go to a file for compare --usage.\n" +
			"With --url in place of a command, an app that runs already is measured: what it logs stays unknown, and\n" +
			"without --pid its CPU time too. Requests go to this machine only, unless you name another host.",
		RunE: func(cmd *cobra.Command, command []string) error {
			load, err := in.check(cmd, command)
			if err != nil {
				return err
			}
			if in.url != "" {
				if err := in.confirm(cmd, load); err != nil {
					return err
				}
			}
			result, err := in.run(cmd.Context(), command, load)
			if err != nil {
				return err
			}
			return in.print(cmd, load, result)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows the command is the command's
	f.StringVar(&in.url, "url", "", "measure the app at this address, in place of a command")
	f.IntVar(&in.pid, "pid", 0, "with --url: the app's process on this machine, whose CPU time counts (Linux only)")
	f.StringVar(&in.host, "host", "", "with --url: the host of the address, when it is not this machine")
	f.BoolVar(&in.yes, "yes", false, "do not ask before requests go to another machine")
	f.StringArrayVar(&in.paths, "path", []string{"/"}, "what to ask for; several are asked for in turn")
	f.StringVar(&in.method, "method", http.MethodGet, "how to ask")
	f.StringVar(&in.body, "body", "", "what to send with each request")
	f.StringArrayVar(&in.headers, "header", nil, "a header of each request: 'Name: value'")
	f.IntVar(&in.requests, "requests", 200, "how many requests to measure, 1 to 10000; 20 before them warm the app up")
	f.DurationVar(&in.limit, "limit", time.Minute, "how long to measure at most, up to 10m")
	f.IntVar(&in.port, "port", 0, "the port on which the command listens, when it does not read PORT")
	f.StringVar(&in.healthPath, "health-path", contract.HealthPath, "what the command answers when it is ready")
	f.DurationVar(&in.wait, "wait", 30*time.Second, "how long the command may take until it answers")
	f.StringVar(&in.format, "format", "text", strings.Join(measureFormats, ", "))
	f.StringVar(&in.out, "out", "", "also write the figures to this file, for compare --usage")
	return cmd
}

var measureFormats = []string{"text", "json"}

// engines start containers in a process that is not below theirs.
var engines = []string{"docker", "podman", "nerdctl", "finch"}

// check returns the load that the flags ask for.
func (in *measureInput) check(cmd *cobra.Command, command []string) (load measure.Load, err error) {
	changed := cmd.Flags().Changed
	one := func(name string, what []string) error {
		for _, flag := range what {
			if changed(flag) {
				return fmt.Errorf("%s: goes with %s; leave it out", flag, name)
			}
		}
		return nil
	}
	switch {
	case !slices.Contains(measureFormats, in.format):
		return load, unknown("format", in.format, measureFormats)
	case in.url == "" && len(command) == 0:
		return load, errors.New("measure: got nothing to measure; give a command, as in `refdeploy measure -- ./server`, or an address with --url")
	case in.url != "" && len(command) > 0:
		return load, fmt.Errorf("measure: got --url and the command %s; give one of them", command[0])
	case len(command) > 0 && slices.Contains(engines, filepath.Base(command[0])):
		return load, fmt.Errorf("measure: %[1]s runs the app outside of this command, so its CPU time would not be seen; start it yourself, and give --url with --pid \"$(%[1]s inspect --format '{{.State.Pid}}' NAME)\"", filepath.Base(command[0]))
	case in.requests < 1 || in.requests > 10_000:
		return load, fmt.Errorf("requests: got %d; allowed: 1 to 10000", in.requests)
	case in.limit < time.Second || in.limit > 10*time.Minute:
		return load, fmt.Errorf("limit: got %s; allowed: 1s to 10m", in.limit)
	case in.wait < time.Second || in.wait > 10*time.Minute:
		return load, fmt.Errorf("wait: got %s; allowed: 1s to 10m", in.wait)
	case in.port < 0 || in.port > 65535:
		return load, fmt.Errorf("port: got %d; allowed: 1 to 65535", in.port)
	case !strings.HasPrefix(in.healthPath, "/"):
		return load, fmt.Errorf("health-path: got %q; it begins with /", in.healthPath)
	case in.out == standardOutput:
		return load, errors.New("out: got -; give a file, or use --format json")
	}
	if in.out != "" {
		if err := writable(in.out); err != nil {
			return load, err
		}
	}
	if in.url == "" {
		err = one("--url", []string{"pid", "host", "yes"})
	} else {
		err = one("a command", []string{"port", "health-path", "wait"})
	}
	if err != nil {
		return load, err
	}
	if in.url != "" {
		if in.url, err = checkURL("url", in.url); err != nil {
			return load, err
		}
	}
	if changed("pid") {
		if _, err := measure.CPU(in.pid); in.pid < 1 || err != nil {
			return load, fmt.Errorf("pid: got %d; allowed: a process that runs on this machine, on Linux", in.pid)
		}
	}
	return in.load()
}

func (in *measureInput) load() (load measure.Load, err error) {
	header := http.Header{}
	for _, text := range in.headers {
		name, value, ok := strings.Cut(text, ":")
		if name = strings.TrimSpace(name); !ok || name == "" || strings.ContainsAny(name, " \t\r\n") || strings.ContainsAny(value, "\r\n") {
			return load, fmt.Errorf("header: got %q; allowed: 'Name: value'", text)
		}
		header.Add(name, strings.TrimSpace(value))
	}
	if in.method == "" || strings.ToUpper(in.method) != in.method || strings.ContainsAny(in.method, " \t\r\n") {
		return load, fmt.Errorf("method: got %q; allowed: one such as GET or POST", in.method)
	}
	load = measure.Load{Count: in.requests, Limit: in.limit}
	for _, path := range in.paths {
		if parsed, err := url.Parse(path); err != nil || !strings.HasPrefix(path, "/") || parsed.Host != "" {
			return load, fmt.Errorf("path: got %q; it begins with /, as in /notes?all=1", path)
		}
		load.Requests = append(load.Requests, measure.Request{Method: in.method, Path: path, Body: in.body, Header: header})
	}
	return load, nil
}

// confirm lets requests go to another machine only when the user has named it
// and says yes.
func (in *measureInput) confirm(cmd *cobra.Command, load measure.Load) error {
	parsed, err := url.Parse(in.url)
	if err != nil {
		return err
	}
	host := parsed.Hostname()
	if loopback(cmd.Context(), host) {
		if in.host != "" {
			return fmt.Errorf("host: got %q, and the address is this machine's; leave it out", in.host)
		}
		return nil
	}
	if in.pid != 0 {
		return fmt.Errorf("pid: got %d of this machine, and the address is of %s; give one or the other", in.pid, host)
	}
	if in.host != host {
		return fmt.Errorf("url: %s is another machine; to send it %d requests, name it: --host %s", host, load.Count, host)
	}
	if in.yes {
		return nil
	}
	stdin, ok := cmd.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(stdin.Fd())) {
		return fmt.Errorf("host: nobody is there to ask whether %d requests may go to %s; say --yes", load.Count, host)
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "Send %d requests to %s, one at a time? [y/N] ", load.Count, host)
	answer, _ := bufio.NewReader(stdin).ReadString('\n')
	if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
		return errors.New("measure: nothing was sent")
	}
	return nil
}

// loopback is whether every address of a host is this machine's.
func loopback(ctx context.Context, host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	if host != "localhost" { // another name may lead somewhere else the next time
		return false
	}
	found, err := net.DefaultResolver.LookupIPAddr(ctx, host)
	return err == nil && !slices.ContainsFunc(found, func(a net.IPAddr) bool { return !a.IP.IsLoopback() })
}

func (in *measureInput) run(ctx context.Context, command []string, load measure.Load) (measure.Result, error) {
	if in.url != "" {
		var meter measure.Meter
		if in.pid > 0 {
			meter.CPU = func() (time.Duration, error) { return measure.CPU(in.pid) }
		}
		return measure.Run(ctx, in.url, load, meter)
	}
	server, err := measure.Start(ctx, command, in.port, in.healthPath, in.wait)
	if err != nil {
		return measure.Result{}, err
	}
	defer server.Stop(ctx)
	meter := measure.Meter{Log: server.Logged}
	if _, err := measure.CPU(server.PID()); err == nil {
		meter.CPU = func() (time.Duration, error) { return measure.CPU(server.PID()) }
	}
	result, err := measure.Run(ctx, server.Base, load, meter)
	if err != nil {
		err = server.Explain(err)
	}
	return result, err
}

// figures are a result as the flags of compare.
func figures(r measure.Result) map[string]float64 {
	all := map[string]float64{
		"wait-ms":     rounded(r.Wait().Seconds() * 1000),
		"request-kb":  rounded(r.Request / 1000),
		"response-kb": rounded(r.Respond / 1000),
	}
	if r.CPU != nil {
		all["cpu-ms"] = max(0.01, rounded(r.CPU.Seconds()*1000)) // the least that compare takes
	}
	if r.Log != nil {
		all["log-bytes"] = math.Round(*r.Log)
	}
	return all
}

// rounded is x to three digits, and to no more than a hundredth of a unit.
func rounded(x float64) float64 {
	text := strconv.FormatFloat(x, 'g', 3, 64)
	short, _ := strconv.ParseFloat(text, 64)
	if short >= 1 {
		return short
	}
	return math.Round(short*1000) / 1000
}

func (in *measureInput) print(cmd *cobra.Command, load measure.Load, r measure.Result) error {
	all := figures(r)
	writeJSON := func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetIndent("", "  ")
		return encoder.Encode(all)
	}
	if in.out != "" {
		if err := write(cmd.OutOrStdout(), in.out, writeJSON); err != nil {
			return err
		}
	}
	if in.format == "json" {
		return writeJSON(cmd.OutOrStdout())
	}
	var b strings.Builder
	var asked []string
	for _, request := range load.Requests {
		asked = append(asked, request.String())
	}
	fmt.Fprintf(&b, "%d requests one at a time, in %s: %s\n", r.Count, r.Took.Round(10*time.Millisecond), strings.Join(asked, ", "))
	if r.Count < load.Count {
		fmt.Fprintf(&b, "No more of the %d were sent: --limit is %s.\n", load.Count, in.limit)
	}
	for _, status := range slices.Sorted(maps.Keys(r.Failed)) {
		fmt.Fprintf(&b, "%d of them were answered with %d, and count like the others.\n", r.Failed[status], status)
	}
	b.WriteString("\n")
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	row := func(what, flag, unit, note string) {
		value := "–"
		if v, ok := all[flag]; ok {
			value = strings.TrimSpace(strconv.FormatFloat(v, 'f', -1, 64) + " " + unit)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", what, value, note)
	}
	note := map[bool]string{true: "of the app and what it started"}[r.CPU != nil]
	if r.CPU == nil {
		note = "not measured: give --pid, or a command in place of --url, on Linux"
	}
	row("CPU time", "cpu-ms", "ms", note)
	note = fmt.Sprintf("the rest of %s until the answer (half within %s, 99 %% within %s)", milliseconds(r.Answer), milliseconds(r.P50), milliseconds(r.P99))
	if r.CPU == nil {
		note = fmt.Sprintf("all that an answer took, CPU time and the way included (half within %s, 99 %% within %s)", milliseconds(r.P50), milliseconds(r.P99))
	}
	row("waiting", "wait-ms", "ms", note)
	row("request", "request-kb", "kB", "its body")
	row("response", "response-kb", "kB", "its body")
	note = "on standard output and standard error"
	switch {
	case r.Log != nil && *r.Log == 0:
		note = "nothing was written; some programs keep it back until they end"
	case r.Log == nil:
		note = "not measured: give a command in place of --url"
	}
	row("log", "log-bytes", "bytes", note)
	if err := table.Flush(); err != nil {
		return err
	}
	b.WriteString("\ngo run ./cmd/refdeploy compare")
	for _, q := range quantities {
		if v, ok := all[q.flag]; ok {
			fmt.Fprintf(&b, " --%s %s", q.flag, strconv.FormatFloat(v, 'f', -1, 64))
		}
	}
	b.WriteString("\n")
	if in.out != "" {
		fmt.Fprintf(&b, "go run ./cmd/refdeploy compare --usage %s\n", in.out)
	}
	_, err := io.WriteString(cmd.OutOrStdout(), b.String())
	return err
}

func milliseconds(d time.Duration) string {
	return strconv.FormatFloat(rounded(d.Seconds()*1000), 'f', -1, 64) + " ms"
}
