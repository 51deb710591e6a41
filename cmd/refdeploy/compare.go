package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refdeploy/internal/cost"
	"refdeploy/internal/nearest"
	"refdeploy/internal/price"
	"refdeploy/internal/report"
)

// input is what compare and diff read: an assembly and an assumed load.
type input struct {
	assembly string
	settings []string
	usage    string
	custom   cost.Usage
}

func (in *input) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.assembly, "assembly", "", "read the stacks in the cloud assembly in this directory, yours for example, and synthesize only those named that it lacks")
	f.StringArrayVarP(&in.settings, "context", "c", nil, "a setting, as for cdk: key=value")
	f.StringVar(&in.usage, "usage", "idle", "assumed load: "+strings.Join(profileNames(), ", "))
	f.Float64Var(&in.custom.RequestsPerSecond, "rps", 0, "requests a second")
	f.Float64Var(&in.custom.CPUMillis, "cpu-ms", 0, "CPU time of a request, in milliseconds")
	f.Float64Var(&in.custom.ResponseKB, "response-kb", 0, "size of a response, in kB")
	f.Float64Var(&in.custom.HoursPerDay, "hours", 0, "hours a day with that load")
}

// load returns the load that the flags ask for: a profile, with what was set
// by itself in place of the profile's.
func (in *input) load(cmd *cobra.Command) (cost.Usage, error) {
	if !slices.Contains(profileNames(), in.usage) {
		return cost.Usage{}, unknown("usage", in.usage, profileNames())
	}
	usage := cost.Profiles()[slices.Index(profileNames(), in.usage)]
	for _, flag := range []struct {
		name      string
		into      *float64
		value     float64
		low, high float64
	}{
		{"rps", &usage.RequestsPerSecond, in.custom.RequestsPerSecond, 0, 1_000_000},
		{"cpu-ms", &usage.CPUMillis, in.custom.CPUMillis, 0.01, 900_000},
		{"response-kb", &usage.ResponseKB, in.custom.ResponseKB, 0, 1_000_000},
		{"hours", &usage.HoursPerDay, in.custom.HoursPerDay, 0, 24},
	} {
		if !cmd.Flags().Changed(flag.name) {
			continue
		}
		if !(flag.value >= flag.low && flag.value <= flag.high) {
			return cost.Usage{}, fmt.Errorf("%s: got %g; allowed: %g to %g", flag.name, flag.value, flag.low, flag.high)
		}
		*flag.into, usage.Profile = flag.value, "custom"
	}
	return usage, nil
}

func profileNames() []string {
	var names []string
	for _, p := range cost.Profiles() {
		names = append(names, p.Profile)
	}
	return names
}

// report synthesizes or reads, and compares the stacks with the given ids, or
// all.
func (in *input) report(cmd *cobra.Command, ids []string) (report.Report, error) {
	usage, err := in.load(cmd)
	if err != nil {
		return report.Report{}, err
	}
	prices, err := price.Embedded()
	if err != nil {
		return report.Report{}, err
	}
	stacks, err := in.stacks(cmd, ids)
	if err != nil {
		return report.Report{}, err
	}
	return report.Build(stacks, prices, usage)
}

func newCompare() *cobra.Command {
	var in input
	var format, out string
	cmd := &cobra.Command{
		Use:   "compare [STACK…]",
		Short: "Show the deployments beside each other: resources, permissions, exposure, cost, duties, limits",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(report.Formats(), format) {
				return unknown("format", format, report.Formats())
			}
			if err := writable(out); err != nil {
				return err
			}
			r, err := in.report(cmd, ids)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), out, func(w io.Writer) error { return r.Write(w, format) })
		},
	}
	in.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(report.Formats(), ", "))
	cmd.Flags().StringVar(&out, "out", standardOutput, "the file to write; - is standard output")
	return cmd
}

// unknown is the error for a name that is none of known.
func unknown(what, given string, known []string) error {
	hint := ""
	if name, ok := nearest.Name(given, known); ok {
		hint = fmt.Sprintf(" (did you mean %s?)", name)
	}
	return fmt.Errorf("%s: got %q%s; allowed: %s", what, given, hint, strings.Join(known, ", "))
}
