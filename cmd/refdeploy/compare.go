package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refdeploy/internal/nearest"
	"refdeploy/internal/report"
	"refdeploy/internal/report/page"
)

// input is what compare and diff read: an assembly and an assumed load.
type input struct {
	assembly string
	settings []string
	load     loadFlags
	closed   bool
	pricing  pricing
}

func (in *input) flags(cmd *cobra.Command) {
	in.sourceFlags(cmd)
	f := cmd.Flags()
	f.BoolVar(&in.closed, "include-closed", false, "let what AWS closed to new customers be the cheapest")
	in.load.flags(f)
	in.pricing.flags(cmd)
	in.pricing.discountFlag(cmd)
}

// sourceFlags say where the templates come from.
func (in *input) sourceFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&in.assembly, "assembly", "", "read the stacks of the cloud assembly in this directory, yours for example, and synthesize only those named that it lacks")
	cmd.Flags().StringArrayVarP(&in.settings, "context", "c", nil, "a setting, as for cdk: key=value")
}

// report synthesizes or reads, and compares the stacks with the given ids, or
// all.
func (in *input) report(cmd *cobra.Command, ids []string) (report.Report, error) {
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
	stacks, err := in.stacks(cmd, ids)
	if err != nil {
		return report.Report{}, err
	}
	var options []report.Option
	if in.closed {
		options = append(options, report.IncludeClosed())
	}
	return report.Build(stacks, prices, usage, options...)
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
			if err := writable(out); err != nil {
				return err
			}
			if cmd.Flags().Changed("section") && len(sections) == 0 {
				sections = []string{""} // which is none
			}
			for _, section := range sections {
				if !slices.Contains(report.SectionNames(), section) {
					return unknown("section", section, report.SectionNames())
				}
			}
			if full || len(ids) > 0 && len(sections) == 0 {
				sections = report.SectionNames()
			}
			if format == "html" {
				if err := page.Prepare(cmd.ErrOrStderr()); err != nil {
					return err
				}
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
