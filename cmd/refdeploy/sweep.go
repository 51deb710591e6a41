package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"refdeploy/internal/account"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/price"
	"refdeploy/internal/settings"
	"refdeploy/internal/sweep"
)

func newSweep() *cobra.Command {
	var region, format string
	cmd := &cobra.Command{
		Use:   "sweep [STACK…]",
		Short: "Find what is left in an account after `cdk destroy`, with its cost and the command that removes it",
		Long: "Find what is left of all stacks, or of those that you name: stacks that stand or failed to go, resources with\n" +
			"our tag, log groups and activations that no template holds, and what the CDK keeps for its bootstrap.\n" +
			"It deletes nothing.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(tableFormats, format) {
				return unknown("format", format, tableFormats)
			}
			all := append(catalog.IDs(), settings.NetworkID, settings.BudgetID)
			for _, id := range ids {
				if !slices.Contains(all, id) {
					return unknown("stack", id, all)
				}
			}
			if len(ids) == 0 {
				ids = all
			}
			report, err := look(cmd, region, ids)
			if err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), report)
			} else {
				err = writeLeftovers(cmd.OutOrStdout(), report)
			}
			if err != nil {
				return err
			}
			return left(report)
		},
	}
	regionFlag(cmd, &region)
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(tableFormats, ", "))
	return cmd
}

func look(cmd *cobra.Command, region string, ids []string) (sweep.Report, error) {
	ctx := cmd.Context()
	cfg, err := account.Configure(ctx, region)
	if err != nil {
		return sweep.Report{}, err
	}
	acc, err := account.Open(ctx, cfg)
	if err != nil {
		return sweep.Report{}, err
	}
	of := acc.Region
	if price.CheckRegion(of, false) != nil {
		of = price.Base
	}
	prices, err := price.For(of)
	if err != nil {
		return sweep.Report{}, err
	}
	return sweep.Find(ctx, sweep.Order{Account: acc, IDs: ids, Prices: prices, Daily: func(ctx context.Context, s account.Stack) *float64 {
		template, err := acc.Template(ctx, s)
		if err != nil { // a stack that failed early has none
			return nil
		}
		month := idle(template, acc.Region)
		if month == nil {
			return nil
		}
		day := *month * 24 / bill.HoursPerMonth
		return &day
	}})
}

// left fails when something is certainly ours, or may be where nobody looked.
func left(report sweep.Report) error {
	n, daily, more := 0, 0.0, false
	for _, l := range report.Left {
		if !l.Ours {
			continue
		}
		n++
		if l.DailyUSD == nil {
			more = true
		} else {
			daily += *l.DailyUSD
		}
	}
	blind := slices.ContainsFunc(report.NotLookedAt, func(g sweep.Gap) bool { return !g.NotServed })
	switch {
	case n > 0 && more:
		return fmt.Errorf("sweep: %d left, %.2f $ a day and what is marked with ?", n, daily)
	case n > 0:
		return fmt.Errorf("sweep: %d left, %.2f $ a day", n, daily)
	case blind:
		return errors.New("sweep: nothing of ours was found, but not everything was looked at")
	}
	return nil
}

func writeLeftovers(w io.Writer, report sweep.Report) error {
	if len(report.Left) == 0 && len(report.NotLookedAt) == 0 {
		_, err := fmt.Fprintln(w, "nothing is left")
		return err
	}
	if len(report.Left) > 0 {
		var rows bytes.Buffer
		table := tabwriter.NewWriter(&rows, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "STACK\tWHAT\tNAME\t$ A DAY\tSTATE")
		for _, l := range report.Left {
			stack, daily, says := l.Stack, "?", l.Says
			if l.DailyUSD != nil {
				daily = fmt.Sprintf("%.2f", *l.DailyUSD)
			}
			if !l.Ours {
				stack, says = "–", says+"; may be another app's, and does not count"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", stack, l.Kind, l.Name, daily, says)
		}
		if err := table.Flush(); err != nil {
			return err
		}
		// A command in the table would be as wide as all columns.
		for i, row := range strings.Split(strings.TrimSuffix(rows.String(), "\n"), "\n") {
			if i > 0 {
				row += "\n  → " + report.Left[i-1].Remove
			}
			if _, err := fmt.Fprintln(w, row); err != nil {
				return err
			}
		}
	}
	for _, g := range report.NotLookedAt {
		if _, err := fmt.Fprintf(w, "not looked at: %s: %s\n", g.What, g.Why); err != nil {
			return err
		}
	}
	return nil
}
