// Command gen renews the EC2 prices of other regions in prices.csv from a Go
// module that carries what ec2instances.info reads from AWS's price list. The
// module, 130 MB of data, is downloaded to be read and is no dependency.
//
//	go generate ./internal/price
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"refdeploy/internal/price"
)

const (
	module  = "github.com/cristim/ec2-instances-info"
	version = "v0.0.0-20250528091325-32acf84f42eb"
	source  = "ec2-instances-info 2025-05-28, EC2 price list"
	// The prices are older than those of us-east-1, which they equal there.
	confidence = "medium-high"
)

var date = time.Date(2025, 5, 28, 0, 0, 0, 0, time.UTC)

func main() {
	log.SetFlags(0)
	if err := run("prices.csv"); err != nil {
		log.Fatal(err)
	}
}

func run(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	rows, err := price.Read(data)
	if err != nil {
		return err
	}
	theirs, err := download()
	if err != nil {
		return err
	}
	rows = slices.DeleteFunc(rows, func(p price.Price) bool { return p.Source == source })
	base := price.NewTable(price.Base, rows)
	compared := 0
	for _, p := range base.All() {
		regions, ok := theirs[strings.TrimPrefix(p.Key, "ec2.")]
		if !ok || !strings.HasPrefix(p.Key, "ec2.") {
			continue
		}
		if regions[price.Base] != p.USD {
			return fmt.Errorf("%s: %g in prices.csv, %g in %s: one of them is wrong", p.Key, p.USD, regions[price.Base], module)
		}
		compared++
		for _, region := range price.Regions() {
			have := slices.ContainsFunc(rows, func(q price.Price) bool { return q.Key == p.Key && q.Region == region })
			if usd := regions[region]; usd > 0 && !have {
				q := p
				q.Region, q.USD, q.Source, q.Date, q.Confidence = region, usd, source, date, confidence
				rows = append(rows, q)
			}
		}
	}
	price.Sort(rows)
	if data, err = price.Write(rows); err != nil {
		return err
	}
	log.Printf("%d prices of %s agree; %d rows", compared, price.Base, len(rows))
	return os.WriteFile(path, data, 0o644)
}

// download returns the prices of Linux on demand by instance type and region.
func download() (map[string]map[string]float64, error) {
	out, err := exec.Command("go", "mod", "download", "-json", module+"@"+version).Output()
	if err != nil {
		return nil, fmt.Errorf("go mod download %s: %w", module, err)
	}
	var where struct{ Dir string }
	if err := json.Unmarshal(out, &where); err != nil {
		return nil, err
	}
	data, err := os.ReadFile(filepath.Join(where.Dir, "data", "instances.json"))
	if err != nil {
		return nil, err
	}
	var types []struct {
		Type    string                                `json:"instance_type"`
		Pricing map[string]map[string]json.RawMessage `json:"pricing"`
	}
	if err := json.Unmarshal(data, &types); err != nil {
		return nil, err
	}
	prices := map[string]map[string]float64{}
	for _, t := range types {
		prices[t.Type] = map[string]float64{}
		for region, systems := range t.Pricing {
			var linux struct{ OnDemand string }
			if json.Unmarshal(systems["linux"], &linux) != nil || linux.OnDemand == "" {
				continue
			}
			if prices[t.Type][region], err = strconv.ParseFloat(linux.OnDemand, 64); err != nil {
				return nil, fmt.Errorf("%s in %s: %w", t.Type, region, err)
			}
		}
	}
	return prices, nil
}
