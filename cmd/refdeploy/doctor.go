package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/cost"
	"refdeploy/internal/doctor"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
)

func newDoctor() *cobra.Command {
	var in input
	var region, format string
	cmd := &cobra.Command{
		Use:   "doctor [STACK…]",
		Short: "Check what this machine and this account can deploy, before anything is created",
		Long: "Check whether this machine and this account can deploy all stacks, or those that you name: a line for each\n" +
			"check with pass, warn, fail or unknown, and the command that mends it. It changes nothing. Without credentials\n" +
			"it checks what it can, and says what it could not.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(tableFormats, format) {
				return unknown("format", format, tableFormats)
			}
			checks, err := examine(cmd, &in, region, ids)
			if err != nil {
				return err
			}
			if format == "json" {
				err = writeJSON(cmd.OutOrStdout(), checks)
			} else {
				err = writeChecks(cmd.OutOrStdout(), checks)
			}
			if err != nil {
				return err
			}
			if n := doctor.Failed(checks); n > 0 {
				return fmt.Errorf("doctor: %d of %d checks failed", n, len(checks))
			}
			return nil
		},
	}
	in.sourceFlags(cmd)
	regionFlag(cmd, &region)
	cmd.Flags().StringVar(&format, "format", "table", strings.Join(tableFormats, ", "))
	return cmd
}

func examine(cmd *cobra.Command, in *input, region string, ids []string) ([]doctor.Check, error) {
	stacks, err := in.stacks(cmd, ids)
	if err != nil {
		return nil, err
	}
	c := doctor.Case{Stacks: stacks}
	if c.Root, err = project.Root(); err != nil {
		return nil, err
	}
	ctx := cmd.Context()
	cfg, err := account.Configure(ctx, region)
	var acc account.Account
	if err == nil {
		acc, err = account.Open(ctx, cfg)
	}
	switch {
	case ctx.Err() != nil:
		return nil, err
	case err != nil:
		c.NoAccount = err
	default:
		c.Account = &acc
	}
	if c.Hourly, c.HourlySays, err = hourly(stacks, cmp.Or(cfg.Region, price.Base)); err != nil {
		return nil, err
	}
	checks := doctor.Examine(ctx, c)
	if ctx.Err() != nil {
		return nil, errors.New("doctor: interrupted")
	}
	return checks, nil
}

// hourly is what the stacks cost an hour while nobody calls, and whose prices
// these are. What stacks share counts once for each: the figure is an upper one.
func hourly(stacks []assembly.Stack, region string) (float64, string, error) {
	if price.CheckRegion(region, false) != nil {
		region = price.Base
	}
	prices, err := price.For(region)
	if err != nil {
		return 0, "", err
	}
	var month float64
	var shared bool
	for _, s := range stacks {
		model, err := cost.NewModel(s, prices)
		if err != nil {
			return 0, "", err
		}
		month += model.Estimate(bill.Profiles()[0]).Total
		shared = shared || s.Shares
	}
	says := "prices of " + region
	if n := prices.Borrowed(); n > 0 {
		says += fmt.Sprintf(", %d of %d those of %s", n, len(prices.All()), price.Base)
	}
	if shared && len(stacks) > 1 {
		says += "; the shared network counts for each stack, so it is less"
	}
	return month / bill.HoursPerMonth, says, nil
}

func writeChecks(w io.Writer, checks []doctor.Check) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STATUS\tCHECK\tWHAT")
	for _, c := range checks {
		fmt.Fprintf(table, "%s\t%s\t%s\n", c.Status, c.Name, c.Says)
		if c.Mend != "" {
			fmt.Fprintf(table, "\t\t→ %s\n", c.Mend)
		}
	}
	return table.Flush()
}
