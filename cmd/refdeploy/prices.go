package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/spf13/cobra"

	"refdeploy/internal/price"
	"refdeploy/internal/price/refresh"
	"refdeploy/internal/project"
)

func newPrices() *cobra.Command {
	var renew bool
	cmd := &cobra.Command{
		Use:   "prices",
		Short: "Print the prices that the estimates use, with their sources and ages",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table, err := price.Embedded()
			if err != nil {
				return err
			}
			if renew {
				return renewPrices(cmd.Context(), cmd.OutOrStdout(), table)
			}
			return printPrices(cmd.OutOrStdout(), table, time.Now())
		},
	}
	cmd.Flags().BoolVar(&renew, "refresh", false, "renew internal/price/prices.csv through the AWS Price List API; needs credentials")
	return cmd
}

// renewPrices asks for every price first, and then replaces the file at once:
// whatever fails, the file is as it was.
func renewPrices(ctx context.Context, out io.Writer, table price.Table) error {
	root, err := project.Root()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	// The Price List API is in few regions; us-east-1 is one.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"))
	if err != nil {
		return fmt.Errorf("prices: %w", err)
	}
	if _, err := cfg.Credentials.Retrieve(ctx); err != nil {
		return errors.New("prices: found no AWS credentials; set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and allow pricing:GetProducts")
	}
	renewed, kept, err := refresh.Prices(ctx, pricing.NewFromConfig(cfg), table, time.Now())
	if err != nil {
		return fmt.Errorf("prices: %w; the file is unchanged", err)
	}
	data, err := price.Write(renewed)
	if err != nil {
		return err
	}
	path := filepath.Join(root, "internal", "price", "prices.csv")
	if err := write(out, path, func(w io.Writer) error { _, err := w.Write(data); return err }); err != nil {
		return err
	}
	fmt.Fprintf(out, "%d prices renewed, %d kept; run `make docs` and `make test`, and review with git diff\n", len(renewed)-kept, kept)
	return nil
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
