package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"refdeploy/internal/versions"
)

func newVersions(now func() time.Time) *cobra.Command {
	var format string
	formats := []string{"table", "json"}
	cmd := &cobra.Command{
		Use:   "versions",
		Short: "Print the versions that the deployments are built from and run on, and which are due",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case !slices.Contains(formats, format):
				return unknown("format", format, formats)
			case format == "json":
				return writeVersionsJSON(cmd.OutOrStdout(), now())
			}
			return writeVersions(cmd.OutOrStdout(), now())
		},
	}
	cmd.Flags().StringVar(&format, "format", "table", "table, json")
	return cmd
}

// writeVersions writes a line for each version, and below them what to do about
// those that are due.
func writeVersions(out io.Writer, now time.Time) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "WHAT\tVERSION\tSUPPORT ENDS\tDAYS LEFT\tREAD IN")
	var due []versions.Version
	for _, v := range versions.All() {
		ends, left, source := "–", "–", "–"
		if days, known := v.DaysLeft(now); known {
			ends, left, source = v.Ends, fmt.Sprint(days), v.Source+", "+v.Read
			if v.Unverified {
				source += " [unverified]"
			}
		}
		if v.Due(now) {
			due = append(due, v)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", v.Name, v.Version, ends, left, source)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(due) == 0 {
		_, err := fmt.Fprintf(out, "\nNothing is due within %d days.\n", versions.DueDays)
		return err
	}
	for _, v := range due {
		state := "Due"
		if v.Past(now) {
			state = "Past"
		}
		if _, err := fmt.Fprintf(out, "\n%s: %s\n", state, v); err != nil {
			return err
		}
	}
	return nil
}

func writeVersionsJSON(out io.Writer, now time.Time) error {
	type entry struct {
		versions.Version
		DaysLeft *int `json:"daysLeft"` // null when no date is known
		Due      bool `json:"due"`
	}
	var all []entry
	for _, v := range versions.All() {
		e := entry{Version: v, Due: v.Due(now)}
		if days, known := v.DaysLeft(now); known {
			e.DaysLeft = &days
		}
		all = append(all, e)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(all)
}
