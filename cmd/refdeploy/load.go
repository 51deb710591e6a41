package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
	"golang.org/x/term"

	"refdeploy/internal/bill"
)

// loadFlags is the assumed load as the user gives it: a profile, and what to
// change of it.
type loadFlags struct {
	profile string
	given   map[string]*float64
}

// A quantity is a part of the load that a flag sets.
type quantity struct {
	flag, says string
	low, high  float64
	of         func(*bill.Usage) *float64
}

var quantities = []quantity{
	{"rps", "requests a second", 0, 1_000_000, func(u *bill.Usage) *float64 { return &u.RequestsPerSecond }},
	{"cpu-ms", "CPU time of a request, in milliseconds", 0.01, 900_000, func(u *bill.Usage) *float64 { return &u.CPUMillis }},
	{"wait-ms", "time that a request waits for others, in milliseconds", 0, 900_000, func(u *bill.Usage) *float64 { return &u.WaitMillis }},
	{"request-kb", "size of a request, in kB of 1000 bytes", 0, 1_000_000, func(u *bill.Usage) *float64 { return &u.RequestKB }},
	{"response-kb", "size of a response, in kB of 1000 bytes", 0, 1_000_000, func(u *bill.Usage) *float64 { return &u.ResponseKB }},
	{"hours", "hours a day with that load", 0, 24, func(u *bill.Usage) *float64 { return &u.HoursPerDay }},
	{"reads", "notes that a request reads, a GET in S3 each", 0, 1000, func(u *bill.Usage) *float64 { return &u.Reads }},
	{"writes", "notes that a request writes, a PUT in S3 each", 0, 1000, func(u *bill.Usage) *float64 { return &u.Writes }},
	{"lists", "times that a request lists the notes, a LIST in S3 each", 0, 1000, func(u *bill.Usage) *float64 { return &u.Lists }},
	{"log-bytes", "what the app logs of a request, in bytes", 0, 1_000_000, func(u *bill.Usage) *float64 { return &u.LogBytes }},
	{"requests-per-connection", "requests that a client sends over one connection", 1, 1_000_000, func(u *bill.Usage) *float64 { return &u.RequestsPerConnection }},
}

func (l *loadFlags) flags(f *pflag.FlagSet) {
	f.StringVar(&l.profile, "usage", "", "assumed load: "+strings.Join(profileNames(), ", ")+" (default medium)")
	l.given = map[string]*float64{}
	standard := bill.Profiles()[2]
	for _, q := range quantities {
		l.given[q.flag] = f.Float64(q.flag, *q.of(&standard), q.says)
	}
}

// usage returns the load that the flags ask for: a profile, with what was set
// by itself in place of the profile's.
func (l *loadFlags) usage(f *pflag.FlagSet) (bill.Usage, error) {
	if !f.Changed("usage") {
		l.profile = "medium"
	}
	if !slices.Contains(profileNames(), l.profile) {
		return bill.Usage{}, unknown("usage", l.profile, profileNames())
	}
	usage := bill.Profiles()[slices.Index(profileNames(), l.profile)]
	for _, q := range quantities {
		if !f.Changed(q.flag) {
			continue
		}
		value := *l.given[q.flag]
		if !(value >= q.low && value <= q.high) {
			return bill.Usage{}, fmt.Errorf("%s: got %g; allowed: %g to %g", q.flag, value, q.low, q.high)
		}
		*q.of(&usage), usage.Profile = value, "custom"
	}
	return usage, nil
}

func profileNames() []string {
	var names []string
	for _, p := range bill.Profiles() {
		names = append(names, p.Profile)
	}
	return names
}

// width is how many columns a reader sees: COLUMNS, else the terminal's, else 80.
func width(w io.Writer) int {
	if n, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && n > 0 {
		return n
	}
	if file, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(file.Fd())); err == nil {
			return n
		}
	}
	return 80
}
