package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	pricelist "github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"refdeploy/internal/price"
	"refdeploy/internal/price/refresh"
	"refdeploy/internal/project"
)

// priceListClient fetches the public files; tests have another one.
var priceListClient = &http.Client{}

// renewPrices reads every price first, and then writes the file at once:
// whatever fails, it is as it was.
func renewPrices(cmd *cobra.Command, in *pricing, path string) error {
	region, err := in.resolve(cmd, true)
	if err != nil {
		return err
	}
	save, err := keeper(path)
	if err != nil {
		return err
	}
	table, err := price.For(region)
	if err != nil {
		return err
	}
	result, source, err := readPrices(cmd.Context(), cmd.ErrOrStderr(), table)
	if err != nil {
		return fmt.Errorf("prices: %w; nothing is written", err)
	}
	written, err := save(cmd.OutOrStdout(), region, result.Renewed)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if path == standardOutput { // where the prices are
		out = cmd.ErrOrStderr()
	}
	fmt.Fprintf(out, "%d prices of %s renewed from the %s, in %s\n", len(result.Renewed), region, source, written)
	if len(result.Missing) > 0 {
		fmt.Fprintf(out, "not in its price list: %s\n", strings.Join(result.Missing, ", "))
	}
	if len(result.Other) > 0 {
		fmt.Fprintf(out, "not looked up: %s\n", strings.Join(result.Other, ", "))
	}
	if path != "" && path != standardOutput {
		fmt.Fprintf(out, "take them with --region %s --prices %s\n", region, path)
	} else if path == "" {
		fmt.Fprintln(out, "run `make docs` and `make test`, and review with git diff")
	}
	return nil
}

// keeper returns what writes prices to path, or into the table of the checkout.
// What is wrong with either is told before anything is read from AWS.
func keeper(path string) (func(stdout io.Writer, region string, renewed []price.Price) (string, error), error) {
	if path != "" {
		if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
			return nil, fmt.Errorf("out: %s is not a directory", filepath.Dir(path))
		}
		return func(stdout io.Writer, _ string, renewed []price.Price) (string, error) {
			return path, writePrices(stdout, path, renewed)
		}, nil
	}
	const table = "internal/price/prices.csv"
	root, err := project.Root()
	if err == nil {
		_, err = os.Stat(filepath.Join(root, table))
	}
	if errors.Is(err, fs.ErrNotExist) || root == "" {
		return nil, errors.New("prices: this is no checkout of refdeploy; say where to write with --out FILE")
	}
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	return func(stdout io.Writer, region string, renewed []price.Price) (string, error) {
		data, err := os.ReadFile(filepath.Join(root, table))
		if err != nil {
			return "", fmt.Errorf("prices: %w", err)
		}
		rows, err := price.Read(data)
		if err != nil {
			return "", err
		}
		for _, p := range renewed {
			if i := slices.IndexFunc(rows, func(q price.Price) bool { return q.Key == p.Key && q.Region == region }); i >= 0 {
				rows[i] = p
			} else {
				rows = append(rows, p)
			}
		}
		price.Sort(rows)
		return table, writePrices(stdout, filepath.Join(root, table), rows)
	}, nil
}

func writePrices(stdout io.Writer, path string, prices []price.Price) error {
	data, err := price.Write(prices)
	if err != nil {
		return err
	}
	return write(stdout, path, func(w io.Writer) error { _, err := w.Write(data); return err })
}

// readPrices asks the Price List API if there are credentials that it takes,
// and reads the public files otherwise.
func readPrices(ctx context.Context, progress io.Writer, table price.Table) (refresh.Result, string, error) {
	// The Price List API is in few regions; us-east-1 is one.
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("us-east-1"), config.WithLogger(logging.Nop{}))
	if err != nil {
		return refresh.Result{}, "", err
	}
	now := time.Now()
	if hasCredentials(ctx, cfg.Credentials) {
		asking, cancel := context.WithTimeout(ctx, 2*time.Minute)
		defer cancel()
		result, err := refresh.Prices(asking, refresh.API{Client: pricelist.NewFromConfig(cfg)}, table, now)
		var refused smithy.APIError
		if !errors.As(err, &refused) || !strings.HasPrefix(refused.ErrorCode(), "AccessDenied") {
			return result, "Price List API", err
		}
		fmt.Fprintln(progress, "the credentials do not allow pricing:GetProducts; reading the public files instead")
	}
	files := refresh.Files{Client: priceListClient}
	if isTerminal(progress) {
		files.Progress = func(service string, size int64) io.WriteCloser { return bar(progress, service, size) }
	}
	result, err := refresh.Prices(ctx, files, table, now)
	return result, "public price list files", err
}

// hasCredentials does not wait long: outside EC2, nobody answers for it.
func hasCredentials(ctx context.Context, provider aws.CredentialsProvider) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := provider.Retrieve(ctx)
	return err == nil
}

// bar shows how much of a file came.
func bar(w io.Writer, service string, size int64) io.WriteCloser {
	return progressbar.NewOptions64(size,
		progressbar.OptionSetWriter(w), progressbar.OptionSetDescription(service), progressbar.OptionShowBytes(true), progressbar.OptionShowCount(),
		progressbar.OptionSetWidth(20), progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(),
		progressbar.OptionSetSpinnerChangeInterval(0), // draw with what comes, not beside it
	)
}
