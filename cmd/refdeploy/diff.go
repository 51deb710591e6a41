package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"refdeploy/internal/catalog"
	"refdeploy/internal/report"
)

func newDiff() *cobra.Command {
	var in input
	var format, out string
	cmd := &cobra.Command{
		Use:   "diff FROM TO",
		Short: "Show what changes when moving from one deployment to another",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if len(ids) != 2 {
				return fmt.Errorf("diff: got %d stacks; it takes two, FROM and TO, of %s", len(ids), strings.Join(catalog.IDs(), ", "))
			}
			if !slices.Contains(report.DiffFormats(), format) {
				return unknown("format", format, report.DiffFormats())
			}
			if err := writable(out); err != nil {
				return err
			}
			r, err := in.report(cmd, ids)
			if err != nil {
				return err
			}
			d, err := r.Compare(ids[0], ids[1])
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), out, func(w io.Writer) error { return d.Write(w, format) })
		},
	}
	in.flags(cmd)
	cmd.Flags().StringVar(&format, "format", "text", strings.Join(report.DiffFormats(), ", "))
	cmd.Flags().StringVar(&out, "out", standardOutput, "the file to write; - is standard output")
	return cmd
}
