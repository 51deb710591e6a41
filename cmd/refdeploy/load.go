package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
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
	f.StringVar(&l.profile, "usage", "", "assumed load: "+strings.Join(profileNames(), ", ")+", or a file of `refdeploy measure --out` (default medium)")
	l.given = map[string]*float64{}
	standard := bill.Profiles()[2]
	for _, q := range quantities {
		l.given[q.flag] = f.Float64(q.flag, *q.of(&standard), q.says)
	}
}

// usage returns the load that the flags ask for: a profile or a file, with what
// was set by itself in place of theirs.
func (l *loadFlags) usage(f *pflag.FlagSet) (bill.Usage, error) {
	if !f.Changed("usage") {
		l.profile = "medium"
	}
	usage, err := named(l.profile)
	if err != nil {
		return bill.Usage{}, err
	}
	for _, q := range quantities {
		if !f.Changed(q.flag) {
			continue
		}
		value := *l.given[q.flag]
		if err := q.check(value); err != nil {
			return bill.Usage{}, err
		}
		*q.of(&usage), usage.Profile = value, "custom"
	}
	return usage, nil
}

func (q quantity) check(value float64) error {
	if !(value >= q.low && value <= q.high) {
		return fmt.Errorf("%s: got %g; allowed: %g to %g", q.flag, value, q.low, q.high)
	}
	return nil
}

// named returns a profile or, where name is a file, medium with what the file
// says in its place.
func named(name string) (bill.Usage, error) {
	if i := slices.Index(profileNames(), name); i >= 0 {
		return bill.Profiles()[i], nil
	}
	info, err := os.Stat(name)
	if err != nil && !strings.ContainsAny(name, "./\\") {
		return bill.Usage{}, fmt.Errorf("%w; or a file that `refdeploy measure --out` wrote", unknown("usage", name, profileNames()))
	}
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a file", name)
	}
	if err != nil {
		return bill.Usage{}, fmt.Errorf("usage: %w; write one with `refdeploy measure --out %s`", err, name)
	}
	return usageFrom(name)
}

// usageFrom reads figures under the names of the flags. Each that is wrong gets a
// line.
func usageFrom(path string) (bill.Usage, error) {
	file, err := os.Open(path)
	if err != nil {
		return bill.Usage{}, fmt.Errorf("usage: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, 1<<20))
	if err != nil {
		return bill.Usage{}, fmt.Errorf("usage: %w", err)
	}
	var given map[string]any
	if err := json.Unmarshal(data, &given); err != nil || given == nil {
		return bill.Usage{}, fmt.Errorf(`usage: %s is not JSON with a number for each figure, such as {"cpu-ms": 12, "response-kb": 3}`, path)
	}
	usage := bill.Profiles()[2]
	usage.Profile = "custom"
	var wrong []error
	for _, name := range slices.Sorted(maps.Keys(given)) {
		i := slices.IndexFunc(quantities, func(q quantity) bool { return q.flag == name })
		value, number := given[name].(float64)
		switch {
		case i < 0:
			err = unknown("figure", name, figureNames())
		case !number:
			text, _ := json.Marshal(given[name])
			err = fmt.Errorf("%s: got %s; allowed: a number, %g to %g", name, text, quantities[i].low, quantities[i].high)
		default:
			if err = quantities[i].check(value); err == nil {
				*quantities[i].of(&usage) = value
			}
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("usage: %s: %w", path, err))
		}
	}
	return usage, errors.Join(wrong...)
}

func figureNames() (names []string) {
	for _, q := range quantities {
		names = append(names, q.flag)
	}
	return names
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
