package bill

import (
	"fmt"
	"math"
	"strings"
)

// A Price is what one unit costs, in US dollars before tax.
type Price struct {
	USD    float64
	Unit   string
	Region string // whose price it is
	Source string
	Date   string // YYYY-MM-DD

	Compute bool // a discount on compute applies
}

// Prices has a price for each key.
type Prices map[string]Price

// A Line is one item of the bill.
type Line struct {
	Item      string
	Quantity  float64
	Unit      string
	UnitPrice float64 // US dollars, after a discount
	USD       float64 // a month, rounded to the cent
	Resource  string  // logical id, or what makes it outside the template
	Source    string  // template, or catalog for what AWS makes beside it
	PriceKey  string  // of the table of prices
	Region    string  // whose price it is
	Everyone  bool    // every deployment pays it alike, so it does not decide
}

// An Estimate is a month's bill.
type Estimate struct {
	Total    float64 // US dollars, the sum of the lines
	Lines    []Line
	Unpriced []string // what bills and has no price here, by name
	Warnings []string
	Beyond   string // why the deployment cannot take the load as its plan stands, or ""
}

// A Model estimates the bill of one plan under any load.
type Model struct {
	Plan   Plan
	prices []Price // of each charge
}

// New returns the model of a plan. It fails when a price is missing, with an
// error that names the key.
func New(plan Plan, prices Prices) (Model, error) {
	m := Model{Plan: plan, prices: make([]Price, len(plan.Charges))}
	for i, charge := range plan.Charges {
		price, ok := prices[charge.Key]
		if !ok {
			return Model{}, fmt.Errorf("%s: no price for %s", plan.ID, charge.Key)
		}
		if charge.ShareOf != "" {
			whole, ok := prices[charge.ShareOf]
			if !ok {
				return Model{}, fmt.Errorf("%s: no price for %s", plan.ID, charge.ShareOf)
			}
			price.USD, price.Unit = price.USD*whole.USD, whole.Unit
		}
		m.prices[i] = price
	}
	return m, nil
}

// Estimate returns the bill under a load.
func (m Model) Estimate(usage Usage) Estimate {
	w := m.work(usage)
	e := Estimate{Unpriced: m.Plan.Unpriced}
	for i, charge := range m.Plan.Charges {
		quantity := charge.Quantity * w.driver(charge)
		if quantity == 0 && charge.Driver != Month {
			continue
		}
		price := m.prices[i]
		unit := m.unit(i, usage)
		line := Line{
			Item: charge.Item, Quantity: quantity, Unit: price.Unit, UnitPrice: unit, USD: cents(quantity * unit),
			Resource: charge.Resource, Source: charge.Source, PriceKey: charge.Key, Region: price.Region, Everyone: charge.Everyone,
		}
		e.Lines = append(e.Lines, line)
		e.Total = cents(e.Total + line.USD)
	}
	beyond := w.beyond()
	e.Warnings = append(e.Warnings, m.Plan.Remarks...)
	if usage.Requests() > 0 {
		e.Warnings = append(e.Warnings, m.Plan.Warnings...)
	}
	e.Warnings = append(e.Warnings, beyond...)
	e.Beyond = strings.Join(beyond, "; ")
	return e
}

// Amount returns the bill before it is rounded, and the part of it that every
// deployment pays alike.
func (m Model) Amount(usage Usage) (usd, everyone float64) {
	w := m.work(usage)
	for i, charge := range m.Plan.Charges {
		amount := charge.Quantity * w.driver(charge) * m.unit(i, usage)
		usd += amount
		if charge.Everyone {
			everyone += amount
		}
	}
	return usd, everyone
}

// Takes reports whether the deployment takes a load as its plan stands.
func (m Model) Takes(usage Usage) bool {
	w := m.work(usage)
	return !w.isBeyond()
}

func (m Model) unit(i int, usage Usage) float64 {
	if m.prices[i].Compute {
		return m.prices[i].USD * (1 - usage.ComputeDiscount)
	}
	return m.prices[i].USD
}

func cents(usd float64) float64 { return math.Round(usd*100) / 100 }
