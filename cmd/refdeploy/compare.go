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
	"refdeploy/internal/nearest"
	"refdeploy/internal/report"
	"refdeploy/internal/synth"
)

// input is what compare and diff read: an assembly and an assumed load.
type input struct {
	assembly string
	context  map[string]string
	load     loadFlags
	closed   bool
	pricing  pricing
}

func (in *input) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.assembly, "assembly", "", "read the cloud assembly in this directory instead of synthesizing")
	f.StringToStringVarP(&in.context, "context", "c", nil, "a setting, as for cdk: key=value")
	f.BoolVar(&in.closed, "include-closed", false, "let what AWS closed to new customers be the cheapest")
	in.load.flags(f)
	in.pricing.flags(cmd)
	in.pricing.discountFlag(cmd)
}

// report synthesizes or reads, and compares the stacks with the given ids, or
// all.
func (in *input) report(cmd *cobra.Command, ids []string) (report.Report, error) {
	for _, id := range ids {
		if !slices.Contains(catalog.IDs(), id) {
			return report.Report{}, unknown("stack", id, catalog.IDs())
		}
	}
	usage, err := in.load.usage(cmd.Flags())
	if err != nil {
		return report.Report{}, err
	}
	prices, err := in.pricing.table(cmd)
	if err != nil {
		return report.Report{}, err
	}
	if usage.ComputeDiscount, err = in.pricing.off(); err != nil {
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
	var options []report.Option
	if in.closed {
		options = append(options, report.IncludeClosed())
	}
	return report.Build(stacks, prices, usage, options...)
}

// stacks reads the assembly, or synthesizes one and throws it away.
func (in *input) stacks(progress io.Writer, ids []string) ([]assembly.Stack, error) {
	if in.assembly != "" {
		if len(in.context) > 0 {
			return nil, fmt.Errorf("context: settings are part of the assembly in %s; leave out -c or --assembly", in.assembly)
		}
		return assembly.Read(in.assembly)
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
	return assembly.Read(dir)
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
	var sections []string
	var full bool
	cmd := &cobra.Command{
		Use:   "compare [STACK…]",
		Short: "Show the deployments side by side: cost, duties, exposure, permissions, limits",
		Long: "Show the deployments side by side. Without stacks it is a summary, a line a deployment;\n" +
			"for the stacks that you name, and with --full, it is everything.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(report.Formats(), format) {
				return unknown("format", format, report.Formats())
			}
			for _, section := range sections {
				if !slices.Contains(report.SectionNames(), section) {
					return unknown("section", section, report.SectionNames())
				}
			}
			if full || len(ids) > 0 && len(sections) == 0 {
				sections = report.SectionNames()
			}
			r, err := in.report(cmd, ids)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), out, func(w io.Writer) error {
				if format == "table" {
					return r.WriteTable(w, report.View{Width: width(w), Sections: sections})
				}
				return r.Write(w, format)
			})
		},
	}
	in.flags(cmd)
	cmd.Flags().StringSliceVar(&sections, "section", nil, "sections of the table, by comma: "+strings.Join(report.SectionNames(), ", "))
	cmd.Flags().BoolVar(&full, "full", false, "every section of the table")
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
