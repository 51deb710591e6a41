package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/nearest"
	"refdeploy/internal/price"
	"refdeploy/internal/report"
	"refdeploy/internal/settings"
	"refdeploy/internal/synth"
)

// input is what compare and diff read: an assembly and an assumed load.
type input struct {
	assembly string
	context  map[string]string
	usage    string
	custom   cost.Usage
}

func (in *input) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.assembly, "assembly", "", "read the cloud assembly in this directory instead of synthesizing")
	f.StringToStringVarP(&in.context, "context", "c", nil, "a setting, as for cdk: key=value")
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
	for _, id := range ids {
		if !slices.Contains(catalog.IDs(), id) {
			return report.Report{}, unknown("stack", id, catalog.IDs())
		}
	}
	usage, err := in.load(cmd)
	if err != nil {
		return report.Report{}, err
	}
	prices, err := price.Embedded()
	if err != nil {
		return report.Report{}, err
	}
	stacks, err := in.stacks(cmd.ErrOrStderr(), ids)
	if err != nil {
		return report.Report{}, err
	}
	if len(ids) > 0 {
		for _, id := range ids {
			if !slices.ContainsFunc(stacks, func(s assembly.Stack) bool { return s.ID == id }) {
				return report.Report{}, fmt.Errorf("stack: %s is not in %s; synthesize it, or leave --assembly out", id, in.assembly)
			}
		}
		stacks = slices.DeleteFunc(stacks, func(s assembly.Stack) bool { return !slices.Contains(ids, s.ID) })
	}
	return report.Build(stacks, prices, usage)
}

// stacks reads the assembly, or synthesizes one and throws it away.
func (in *input) stacks(progress io.Writer, ids []string) ([]assembly.Stack, error) {
	if in.assembly != "" {
		if len(in.context) > 0 {
			return nil, fmt.Errorf("context: settings are part of the assembly in %s; leave out -c or --assembly", in.assembly)
		}
		return readWhole(in.assembly)
	}
	overrides := map[string]string{}
	for key, value := range in.context {
		overrides[key] = value
	}
	if _, set := overrides["stacks"]; !set && len(ids) > 0 {
		overrides["stacks"] = strings.Join(ids, ",")
	}
	if _, err := synth.Settings(overrides); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "refdeploy")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if isTerminal(progress) {
		fmt.Fprint(progress, "synthesizing …\r")
		defer fmt.Fprint(progress, "               \r")
	}
	if err := synth.Quick(dir, overrides, self, assemble); err != nil {
		return nil, err
	}
	return readWhole(dir)
}

// readWhole returns the stacks of an assembly as they are compared: each with
// the network that it shares, which is none of them.
func readWhole(dir string) ([]assembly.Stack, error) {
	stacks, err := assembly.Read(dir)
	return slices.DeleteFunc(assembly.Whole(stacks), func(s assembly.Stack) bool { return s.ID == settings.NetworkID }), err
}

// isTerminal reports whether people are watching.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// assemble is the hidden command in which a process of its own synthesizes.
const assemble = "assemble"

func newAssemble() *cobra.Command {
	return &cobra.Command{
		Use:    assemble,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(*cobra.Command, []string) error { return synth.Run() },
	}
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
			r, err := in.report(cmd, ids)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), out, func(w io.Writer) error { return r.Write(w, format) })
		},
	}
	in.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(report.Formats(), ", "))
	cmd.Flags().StringVar(&out, "out", "", "write to this file instead of standard output")
	return cmd
}

// write calls f with the file at path, or with stdout. A file appears whole or
// not at all.
func write(stdout io.Writer, path string, f func(io.Writer) error) error {
	if path == "" {
		return f(stdout)
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".refdeploy-*")
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	defer os.Remove(file.Name()) // fails once it is renamed
	if err := f(file); err != nil {
		file.Close()
		return err
	}
	if err := file.Chmod(0o644); err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// unknown is the error for a name that is none of known.
func unknown(what, given string, known []string) error {
	hint := ""
	if name, ok := nearest.Name(given, known); ok {
		hint = fmt.Sprintf(" (did you mean %s?)", name)
	}
	return fmt.Errorf("%s: got %q%s; allowed: %s", what, given, hint, strings.Join(known, ", "))
}
