package main

import (
	"context"
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
			found, err := look(cmd, region, ids)
			if err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), found)
			} else {
				err = writeLeftovers(cmd.OutOrStdout(), found)
			}
			if err != nil {
				return err
			}
			return left(found)
		},
	}
	regionFlag(cmd, &region)
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(tableFormats, ", "))
	return cmd
}

func look(cmd *cobra.Command, region string, ids []string) ([]sweep.Leftover, error) {
	ctx := cmd.Context()
	cfg, err := account.Configure(ctx, region)
	if err != nil {
		return nil, err
	}
	acc, err := account.Open(ctx, cfg)
	if err != nil {
		return nil, err
	}
	of := acc.Region
	if price.CheckRegion(of, false) != nil {
		of = price.Base
	}
	prices, err := price.For(of)
	if err != nil {
		return nil, err
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

// left fails when something is certainly ours.
func left(found []sweep.Leftover) error {
	n, daily, more := 0, 0.0, false
	for _, l := range found {
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
	if n == 0 {
		return nil
	}
	says := fmt.Sprintf("sweep: %d left, %.2f $ a day", n, daily)
	if more {
		says += " and what is marked with ?"
	}
	return fmt.Errorf("%s", says)
}

func writeLeftovers(w io.Writer, found []sweep.Leftover) error {
	if len(found) == 0 {
		_, err := fmt.Fprintln(w, "nothing is left")
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STACK\tWHAT\tNAME\t$ A DAY\tSTATE")
	for _, l := range found {
		stack, daily, says := l.Stack, "?", l.Says
		if l.DailyUSD != nil {
			daily = fmt.Sprintf("%.2f", *l.DailyUSD)
		}
		if !l.Ours {
			stack, says = "–", says+"; may be another app's, and does not count"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n\t→ %s\n", stack, l.Kind, l.Name, daily, says, l.Remove)
	}
	return table.Flush()
}
