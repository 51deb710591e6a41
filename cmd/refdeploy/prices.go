package main

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"refdeploy/internal/price"
)

func newPrices() *cobra.Command {
	return &cobra.Command{
		Use:   "prices",
		Short: "Print the prices that the estimates use, with their sources and ages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table, err := price.Embedded()
			if err != nil {
				return err
			}
			return printPrices(cmd.OutOrStdout(), table, time.Now())
		},
	}
}

func printPrices(w io.Writer, table price.Table, now time.Time) error {
	fmt.Fprintf(w, "%s, on demand, US dollars\n\n", table.Region)
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tPRICE\tUNIT\tITEM\tSOURCE\tDATE\tAGE\tCONFIDENCE")
	for _, p := range table.All() {
		fmt.Fprintf(out, "%s\t%.10g\t%s\t%s\t%s\t%s\t%d days\t%s\n",
			p.Key, p.USD, p.Unit, p.Item, p.Source, p.Date.Format(time.DateOnly), int(now.Sub(p.Date).Hours()/24), p.Confidence)
	}
	return out.Flush()
}
