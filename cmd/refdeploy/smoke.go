package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"refdeploy/internal/account"
	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/price"
	"refdeploy/internal/settings"
	"refdeploy/internal/smoke"
)

// smokeInput is where the apps are that smoke tries.
type smokeInput struct {
	url, outputs, region, format string
	healthPath                   string
	wait                         time.Duration
}

// An aim is a target with what the comparison says of it.
type aim struct {
	smoke.Target
	idle *float64
}

// own makes the target an app that is not ours.
func (a *aim) own(healthPath string) {
	a.HealthPath, a.Promised = healthPath, nil // it does not tell where it runs
}

func newSmoke() *cobra.Command {
	var in smokeInput
	cmd := &cobra.Command{
		Use:   "smoke [STACK…]",
		Short: "Try deployed apps as their callers do: the contract, where they run, how fast they answer",
		Long: "Try the deployed apps, or those of the stacks that you name, as their callers do. The addresses come\n" +
			"from CloudFormation, from a file that `cdk deploy --outputs-file` wrote, or from --url. Each app gets the\n" +
			"contract's requests and tells where it runs; a note is written, read and deleted. What smoke wrote it deletes.\n" +
			"An app of your own is asked for its health path and for /, and nothing is written.",
		RunE: func(cmd *cobra.Command, ids []string) error {
			if !slices.Contains(tableFormats, in.format) {
				return unknown("format", in.format, tableFormats)
			}
			if in.wait < 0 {
				return fmt.Errorf("wait: got %s; allowed: a duration such as 90s or 10m, or 0s to ask once", in.wait)
			}
			if cmd.Flags().Changed("health-path") && !strings.HasPrefix(in.healthPath, "/") {
				return fmt.Errorf("health-path: got %q; allowed: a path such as /health", in.healthPath)
			}
			aims, err := in.aims(cmd, ids)
			if err != nil {
				return err
			}
			for i := range aims {
				if in.healthPath != "" {
					aims[i].own(in.healthPath)
				}
			}
			return in.try(cmd, aims)
		},
	}
	cmd.Flags().StringVar(&in.url, "url", "", "try the app at this address, without an account; with a STACK, it has to run where that promises")
	cmd.Flags().StringVar(&in.outputs, "outputs", "", "read the addresses in this file, which `cdk deploy --outputs-file` wrote, without an account")
	cmd.Flags().StringVar(&in.healthPath, "health-path", "", "the app is your own and answers this path while it is well: ask only for that and for /")
	regionFlag(cmd, &in.region)
	cmd.Flags().DurationVar(&in.wait, "wait", 10*time.Minute, "how long an app may take until it answers")
	cmd.Flags().StringVar(&in.format, "format", "table", strings.Join(tableFormats, ", "))
	return cmd
}

// tableFormats are those of commands that tell about an account.
var tableFormats = []string{"table", "json"}

func regionFlag(cmd *cobra.Command, region *string) {
	cmd.Flags().StringVar(region, "region", "", "region of the account to look at (default: as for the AWS CLI)")
}

// known fails when one of ids is no deployment.
func known(ids []string) error {
	for _, id := range ids {
		if !slices.Contains(catalog.IDs(), id) {
			return unknown("stack", id, catalog.IDs())
		}
	}
	return nil
}

// aims returns what to try.
func (in *smokeInput) aims(cmd *cobra.Command, ids []string) ([]aim, error) {
	if err := known(ids); err != nil {
		return nil, err
	}
	byURL, byFile := cmd.Flags().Changed("url"), cmd.Flags().Changed("outputs")
	switch {
	case byURL && byFile:
		return nil, fmt.Errorf("url, outputs: got both; give one of them")
	case byURL && len(ids) > 1:
		return nil, fmt.Errorf("url: got %d stacks for one address; name one or none", len(ids))
	case byURL:
		address, err := checkURL("url", in.url)
		if err != nil {
			return nil, err
		}
		if len(ids) == 0 {
			return []aim{{Target: smoke.Target{Name: "app", URL: address}}}, nil
		}
		return []aim{{Target: promised(ids[0], address)}}, nil
	case byFile:
		return in.fromFile(ids)
	}
	return in.fromAccount(cmd, ids)
}

// promised is the app of a deployment at an address.
func promised(id, address string) smoke.Target {
	target := smoke.Target{Name: id, URL: address}
	if d, ok := catalog.ByID(id); ok {
		told := d.Tells()
		target.Promised = &told
	}
	return target
}

func checkURL(what, text string) (string, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Scheme != "http" && parsed.Scheme != "https" || parsed.Hostname() == "" ||
		strings.Trim(parsed.Path, "/") != "" || parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", fmt.Errorf("%s: got %q; allowed: an address without a path, such as http://127.0.0.1:8080", what, text)
	}
	return parsed.Scheme + "://" + parsed.Host, nil
}

// fromFile reads the outputs that the CDK CLI wrote.
func (in *smokeInput) fromFile(ids []string) ([]aim, error) {
	data, err := os.ReadFile(in.outputs)
	if err != nil {
		return nil, fmt.Errorf("outputs: %w; write one with `npx cdk deploy --outputs-file outputs.json`", err)
	}
	var outputs map[string]map[string]string
	if err := json.Unmarshal(data, &outputs); err != nil {
		return nil, fmt.Errorf("outputs: %s is not what `cdk deploy --outputs-file` writes: %w", in.outputs, err)
	}
	if len(ids) == 0 {
		for _, id := range catalog.IDs() {
			if outputs[id]["Url"] != "" {
				ids = append(ids, id)
			}
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("outputs: %s has no stack of refdeploy with an output Url", in.outputs)
		}
	}
	var aims []aim
	for _, id := range ids {
		if outputs[id] == nil {
			return nil, fmt.Errorf("outputs: %s has nothing of %s; deploy it with `npx cdk deploy %s --outputs-file …`", in.outputs, id, id)
		}
		address, err := addressOf(id, outputs[id])
		if err != nil {
			return nil, err
		}
		aims = append(aims, aim{Target: promised(id, address)})
	}
	return aims, nil
}

// addressOf returns the output Url of a stack.
func addressOf(id string, outputs map[string]string) (string, error) {
	if outputs["Url"] == "" {
		return "", fmt.Errorf("%s: it has no output Url, because its app is on your own servers; say where: smoke %s --url http://…", id, id)
	}
	return checkURL(id+": output Url", outputs["Url"])
}

// fromAccount asks CloudFormation.
func (in *smokeInput) fromAccount(cmd *cobra.Command, ids []string) ([]aim, error) {
	ctx := cmd.Context()
	cfg, err := account.Configure(ctx, in.region)
	if err != nil {
		return nil, err
	}
	acc, err := account.Open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("%w; or try an address with --url", err)
	}
	deployed, err := acc.Stacks(ctx)
	if err != nil {
		return nil, err
	}
	where := fmt.Sprintf("in %s of account %s", acc.Region, acc.ID)
	if len(ids) == 0 {
		for _, s := range deployed {
			if _, ok := catalog.ByID(s.ID); ok && s.Outputs["Url"] != "" {
				ids = append(ids, s.ID)
			}
		}
		if len(ids) == 0 {
			return nil, fmt.Errorf("smoke: no stack of refdeploy with an output Url is %s; deploy one, for example `npx cdk deploy Lambda`", where)
		}
	}
	var aims []aim
	for _, id := range ids {
		i := slices.IndexFunc(deployed, func(s account.Stack) bool { return s.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("%s: it is not %s; deploy it with `npx cdk deploy %s`", id, where, id)
		}
		stack := deployed[i]
		if len(stack.Outputs) == 0 {
			return nil, fmt.Errorf("%s: it has no outputs, its status is %s%s; deploy it again with `npx cdk deploy %s`", id, stack.Status, because(stack.Reason), id)
		}
		address, err := addressOf(id, stack.Outputs)
		if err != nil {
			return nil, err
		}
		template, err := acc.Template(ctx, stack)
		if err != nil {
			return nil, err
		}
		a := aim{Target: promised(id, address), idle: idle(template, acc.Region)}
		if d, ok := catalog.ByID(id); ok {
			a.Architecture = stack.Tags["refdeploy:architecture"]
			if only := d.Limits.Architectures; !strings.Contains(only, a.Architecture) { // whatever the setting says
				a.Architecture = only
			}
		}
		if chosen := settings.FromMetadata(template.Template.Setting); chosen.DescribesApp() {
			a.own(chosen.HealthPath)
		}
		aims = append(aims, a)
	}
	return aims, nil
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return " (" + reason + ")"
}

// idle is what a stack costs a month while nobody calls, nil when it cannot be
// priced.
func idle(stack assembly.Stack, region string) *float64 {
	if price.CheckRegion(region, false) != nil {
		region = price.Base
	}
	prices, err := price.For(region)
	if err != nil {
		return nil
	}
	model, err := cost.NewModel(stack, prices)
	if err != nil {
		return nil
	}
	total := model.Estimate(bill.Profiles()[0]).Total
	return &total
}

// try runs the smoke test of each and writes what became of it.
func (in *smokeInput) try(cmd *cobra.Command, aims []aim) error {
	options := smoke.Options{Wait: in.wait}
	progress := cmd.ErrOrStderr()
	if isTerminal(progress) {
		options.Progress = func(text string) { status(progress, text) }
	}
	var results []smoke.Result
	var failed []string
	for _, a := range aims {
		result, err := smoke.Run(cmd.Context(), a.Target, options)
		if options.Progress != nil {
			status(progress, "")
		}
		if err != nil {
			return err
		}
		result.IdleUSD = a.idle
		results = append(results, result)
		if !result.OK() {
			failed = append(failed, fmt.Sprintf("%s failed %d of %d checks", result.Name, len(result.Failures), result.Checks))
		}
	}
	if err := writeSmoke(cmd.OutOrStdout(), in.format, results); err != nil {
		return err
	}
	if len(failed) > 0 {
		return fmt.Errorf("smoke: %s", strings.Join(failed, "; "))
	}
	return nil
}

// status replaces the line that people watch.
func status(w io.Writer, text string) {
	columns := width(w) - 1
	if runes := []rune(text); len(runes) > columns {
		text = string(runes[:columns])
	}
	fmt.Fprintf(w, "\r\x1b[K%s", text)
}

func writeSmoke(w io.Writer, format string, results []smoke.Result) error {
	if format == "json" {
		return writeJSON(w, results)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "STACK\tPASSED\tFIRST\tP50\tP99\tRUNS ON\tPROMISED\tIDLE, $ A MONTH")
	for _, r := range results {
		promise, month := "–", "–"
		if r.Promised != nil {
			promise = r.Promised.Platform + ", " + r.Promised.DataPlane
		}
		if r.IdleUSD != nil {
			month = fmt.Sprintf("%.2f", *r.IdleUSD)
		}
		runsOn := "–"
		if r.RunsOn.Platform != "" {
			runsOn = strings.Join(slices.DeleteFunc([]string{r.RunsOn.Platform, r.RunsOn.DataPlane, r.RunsOn.Architecture, r.RunsOn.Zone}, func(s string) bool { return s == "" }), ", ")
		}
		fmt.Fprintf(table, "%s\t%d of %d\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, r.Passed, r.Checks, millis(r.FirstResponse), millis(r.P50), millis(r.P99), runsOn, promise, month)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range results {
		for _, f := range r.Failures {
			if _, err := fmt.Fprintf(w, "%s: %s\n", r.Name, f); err != nil {
				return err
			}
		}
	}
	return nil
}

func millis(m smoke.Millis) string {
	if m == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f ms", float64(time.Duration(m).Microseconds())/1000)
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(value)
}
