package refresh

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/pricing"
	"github.com/aws/aws-sdk-go-v2/service/pricing/types"
)

// API is the AWS Price List API. Client is the part of the SDK's that is used.
type API struct{ Client pricing.GetProductsAPIClient }

func (API) name() string { return "AWS Price List API" }

func (a API) offers(ctx context.Context, region string, wanted map[string]product) (map[string][]offer, error) {
	found := map[string][]offer{}
	for _, key := range slices.Sorted(maps.Keys(wanted)) {
		offers, err := a.ask(ctx, region, wanted[key])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
		found[key] = offers
	}
	return found, nil
}

// ask leaves what the API can tell by equality to the API, and looks at the
// usage types itself.
func (a API) ask(ctx context.Context, region string, wanted product) ([]offer, error) {
	filters := []types.Filter{{Type: types.FilterTypeTermMatch, Field: aws.String(wanted.region()), Value: aws.String(region)}}
	for _, field := range slices.Sorted(maps.Keys(wanted.attributes)) {
		filters = append(filters, types.Filter{Type: types.FilterTypeTermMatch, Field: aws.String(field), Value: aws.String(wanted.attributes[field])})
	}
	var all []offer
	pages := pricing.NewGetProductsPaginator(a.Client, &pricing.GetProductsInput{ServiceCode: aws.String(wanted.service), Filters: filters})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, text := range page.PriceList {
			var d document
			if err := json.Unmarshal([]byte(text), &d); err != nil {
				return nil, fmt.Errorf("the Price List API's answer: %w", err)
			}
			if wanted.usage != "" && withoutPrefix(d.Product.Attributes["usagetype"]) != wanted.usage {
				continue
			}
			all = append(all, d.offer())
		}
	}
	return all, nil
}

// A document is the API's answer for one product.
type document struct {
	Product struct {
		SKU        string
		Attributes map[string]string
	}
	Terms struct {
		OnDemand map[string]struct {
			PriceDimensions map[string]struct {
				BeginRange   string
				PricePerUnit map[string]string
			}
		}
	}
}

func (d document) offer() offer {
	o := offer{sku: d.Product.SKU}
	for _, term := range d.Terms.OnDemand {
		for _, dimension := range term.PriceDimensions {
			o.tiers = append(o.tiers, tierOf(dimension.BeginRange, dimension.PricePerUnit["USD"]))
		}
	}
	return o
}

// tierOf reads a tier; what is not in US dollars is free, and so never taken.
func tierOf(begin, usd string) tier {
	from, _ := strconv.ParseFloat(strings.TrimSpace(begin), 64)
	price, _ := strconv.ParseFloat(strings.TrimSpace(usd), 64)
	return tier{from, price}
}
