// Package refresh reads prices of any region from AWS's price list: through the
// Price List API, which needs credentials, or from the public files, which need
// none.
//
// Both were tested against a server that answers as AWS documents, not against
// AWS [unverified]. A price that is not unique, or an answer that is cut short,
// is an error, and then there are no prices at all.
package refresh

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"refdeploy/internal/price"
)

// A Source is where prices are read.
type Source interface {
	// offers returns what the source has of the products that are wanted in a
	// region, by key.
	offers(ctx context.Context, region string, wanted map[string]product) (map[string][]offer, error)
	name() string
}

// An offer is what something is sold for.
type offer struct {
	sku   string
	tiers []tier
}

// A tier is a price from a quantity on.
type tier struct{ begin, usd float64 }

// A Result is what became of a table.
type Result struct {
	Renewed []price.Price // of the region, dated now
	Missing []string      // keys that the region's price list does not have: not sold there, or renamed
	Other   []string      // keys that are not looked up
}

// Prices reads the prices of the table's region. What is missing is an error in
// [price.Base], where all is sold, and told in the result elsewhere.
func Prices(ctx context.Context, source Source, table price.Table, now time.Time) (Result, error) {
	wanted := map[string]product{}
	var result Result
	for _, p := range table.All() {
		if product, ok := productOf(p.Key); ok {
			wanted[p.Key] = product
		} else {
			result.Other = append(result.Other, p.Key)
		}
	}
	found, err := source.offers(ctx, table.Region, wanted)
	if err != nil {
		return Result{}, err
	}
	for _, p := range table.All() {
		product, ok := wanted[p.Key]
		if !ok {
			continue
		}
		usd, ok, err := product.price(found[p.Key])
		if err != nil {
			return Result{}, fmt.Errorf("%s: %w", p.Key, err)
		}
		if !ok {
			result.Missing = append(result.Missing, p.Key)
			continue
		}
		p.USD, p.Source, p.Date, p.Confidence, p.Region, p.Origin = usd, source.name(), now, "high", table.Region, price.FromProgram
		result.Renewed = append(result.Renewed, p)
	}
	if len(result.Renewed) == 0 {
		return Result{}, fmt.Errorf("%s: the price list has nothing of it; is it the name of a region?", table.Region)
	}
	if table.Region == price.Base && len(result.Missing) > 0 {
		return Result{}, fmt.Errorf("%s: the price list does not have %s", table.Region, strings.Join(result.Missing, ", "))
	}
	return result, nil
}

// price returns the one price that the offers agree on, false without offers.
func (p product) price(offers []offer) (float64, bool, error) {
	bySKU := map[string]float64{}
	for _, o := range offers {
		billing := slices.DeleteFunc(slices.Clone(o.tiers), func(t tier) bool { return t.usd <= 0 })
		slices.SortFunc(billing, func(a, b tier) int { return cmp.Compare(a.begin, b.begin) })
		if p.tier < len(billing) {
			bySKU[o.sku] = billing[p.tier].usd
		}
	}
	skus := slices.Sorted(maps.Keys(bySKU))
	if len(skus) == 0 {
		return 0, false, nil
	}
	for _, sku := range skus[1:] {
		if bySKU[sku] != bySKU[skus[0]] {
			return 0, false, fmt.Errorf("two products match: %s for %g and %s for %g", skus[0], bySKU[skus[0]], sku, bySKU[sku])
		}
	}
	return bySKU[skus[0]] * cmp.Or(p.scale, 1), true, nil
}
