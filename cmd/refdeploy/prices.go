package main

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"refdeploy/internal/price"
)

func newPrices() *cobra.Command {
	var in pricing
	var renew bool
	var format, out string
	formats := []string{"table", "csv"}
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Print the prices that the estimates use, with their sources and ages, or renew them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("out") {
				if err := writable(out); err != nil {
					return err
				}
			}
			if renew {
				if cmd.Flags().Changed("prices") || cmd.Flags().Changed("format") {
					return fmt.Errorf("refresh: leave out --prices and --format; it reads from AWS and writes CSV")
				}
				return renewPrices(cmd, &in, out)
			}
			if format != "table" && format != "csv" {
				return unknown("format", format, formats)
			}
			table, err := in.table(cmd)
			if err != nil {
				return err
			}
			return write(cmd.OutOrStdout(), cmp.Or(out, standardOutput), func(w io.Writer) error {
				if format == "csv" {
					data, err := price.Write(table.All())
					if err != nil {
						return err
					}
					_, err = w.Write(data)
					return err
				}
				return printPrices(w, table, time.Now())
			})
		},
	}
	in.flags(cmd)
	cmd.Flags().BoolVar(&renew, "refresh", false, "read the region's prices from AWS: through the Price List API with credentials, from its public files without")
	cmd.Flags().StringVar(&format, "format", "table", "table, csv")
	cmd.Flags().StringVar(&out, "out", "", "write to this file, - for standard output; with --refresh, instead of internal/price/prices.csv of the checkout")
	return cmd
}

// printPrices writes a line for each price. The column OF says whose it is.
func printPrices(w io.Writer, table price.Table, now time.Time) error {
	fmt.Fprintf(w, "%s, on demand, US dollars before tax", table.Region)
	if n := table.Borrowed(); n > 0 {
		fmt.Fprintf(w, "; %d of %d prices are those of %s, because none of %s is known", n, len(table.All()), price.Base, table.Region)
	}
	fmt.Fprint(w, "\n\n")
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "KEY\tPRICE\tUNIT\tOF\tITEM\tSOURCE\tDATE\tAGE\tCONFIDENCE")
	for _, p := range table.All() {
		whose := p.Region
		if p.Origin == price.FromYou {
			whose = price.FromYou
			if p.Region != table.Region {
				whose += ", of " + p.Region
			}
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%d days\t%s\n",
			p.Key, strconv.FormatFloat(p.USD, 'f', -1, 64), p.Unit, whose, p.Item, p.Source, p.Date.Format(time.DateOnly),
			int(now.Sub(p.Date).Hours()/24), p.Confidence)
	}
	return out.Flush()
}
