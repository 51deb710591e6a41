package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"refdeploy/internal/price"
)

// pricing is which prices compare, diff and prices take.
type pricing struct {
	region   string
	file     string
	discount float64 // percent off compute
}

func (p *pricing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.region, "region", "", "region whose prices to take (default: AWS_REGION, AWS_DEFAULT_REGION, or "+price.Base+")")
	cmd.Flags().StringVar(&p.file, "prices", "", "CSV file with prices of your own, which take the place of the region's: key,price")
}

// discountFlag is for commands that work out a bill.
func (p *pricing) discountFlag(cmd *cobra.Command) {
	cmd.Flags().Float64Var(&p.discount, "compute-discount", 0, "percent off instances, Fargate and Lambda duration, as by Savings Plans: 0 to 90")
}

// resolve returns the region to take. One that is not known passes when new,
// for whoever brings its prices along.
func (p *pricing) resolve(cmd *cobra.Command, new bool) (string, error) {
	region, from := p.region, ""
	if !cmd.Flags().Changed("region") {
		region = price.Base
		for _, name := range []string{"AWS_DEFAULT_REGION", "AWS_REGION"} { // the last wins
			if value := os.Getenv(name); value != "" {
				region, from = value, " (from "+name+"; or say --region)"
			}
		}
	}
	if err := price.CheckRegion(region, new); err != nil {
		return "", fmt.Errorf("region%s: %w", from, err)
	}
	return region, nil
}

// table returns the prices of the region, with those of the file laid over.
func (p *pricing) table(cmd *cobra.Command) (price.Table, error) {
	given := cmd.Flags().Changed("prices")
	region, err := p.resolve(cmd, given)
	if err != nil {
		return price.Table{}, err
	}
	table, err := price.For(region)
	if err != nil || !given {
		return table, err
	}
	info, err := os.Stat(p.file)
	if err != nil {
		return price.Table{}, fmt.Errorf("prices: %w; `refdeploy prices --format csv` prints a file to start from", err)
	}
	data, err := os.ReadFile(p.file)
	if err != nil {
		return price.Table{}, fmt.Errorf("prices: %w", err)
	}
	return table.Overlay(data, filepath.Base(p.file), info.ModTime())
}

// off returns the discount on compute as a share, 0 to 0.9.
func (p *pricing) off() (float64, error) {
	if !(p.discount >= 0 && p.discount <= 90) {
		return 0, fmt.Errorf("compute-discount: got %g; allowed: 0 to 90, in percent", p.discount)
	}
	return p.discount / 100, nil
}
