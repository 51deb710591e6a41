// Package price holds what AWS charges, each price with its source and date.
package price

import (
	"bytes"
	_ "embed"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

//go:embed prices.csv
var embedded []byte

// A Price is what one unit of something costs, in US dollars before tax.
type Price struct {
	Key        string // such as ec2.t4g.small
	USD        float64
	Unit       string // such as hour, GB or vCPU-hour
	Item       string // what it is, for people
	Source     string
	Date       time.Time // when the source was read, or is of
	Confidence string    // high, medium-high, medium, medium-low or low
}

// A Table is the prices of one region.
type Table struct {
	Region string
	prices map[string]Price
	order  []string
}

// Embedded returns the prices that the program was built with: us-east-1, on
// demand.
func Embedded() (Table, error) { return Parse("us-east-1", embedded) }

// Parse reads prices from CSV with a head: key, price, unit, item, source, date,
// confidence. It fails on a row that lacks any of these, repeats a key or has a
// price that is not positive.
func Parse(region string, data []byte) (Table, error) {
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		return Table{}, fmt.Errorf("prices: %w", err)
	}
	if len(rows) < 2 {
		return Table{}, fmt.Errorf("prices: no rows")
	}
	table := Table{Region: region, prices: map[string]Price{}}
	for i, row := range rows[1:] {
		line := i + 2
		if slices.ContainsFunc(row, func(field string) bool { return strings.TrimSpace(field) == "" }) {
			return Table{}, fmt.Errorf("prices, line %d: a field is empty: %s", line, strings.Join(row, ","))
		}
		usd, err := strconv.ParseFloat(row[1], 64)
		if err != nil || usd <= 0 {
			return Table{}, fmt.Errorf("prices, line %d: the price is %q; it has to be a positive number", line, row[1])
		}
		date, err := time.Parse(time.DateOnly, row[5])
		if err != nil {
			return Table{}, fmt.Errorf("prices, line %d: the date is %q; it has to be YYYY-MM-DD", line, row[5])
		}
		if _, ok := table.prices[row[0]]; ok {
			return Table{}, fmt.Errorf("prices, line %d: %s is there twice", line, row[0])
		}
		table.prices[row[0]] = Price{Key: row[0], USD: usd, Unit: row[2], Item: row[3], Source: row[4], Date: date, Confidence: row[6]}
		table.order = append(table.order, row[0])
	}
	return table, nil
}

// Get returns the price of key, or an error that names the key.
func (t Table) Get(key string) (Price, error) {
	p, ok := t.prices[key]
	if !ok {
		return Price{}, fmt.Errorf("no price for %s in %s; add it to internal/price/prices.csv with its source and date", key, t.Region)
	}
	return p, nil
}

// All returns every price, in the order of the file.
func (t Table) All() []Price {
	all := make([]Price, len(t.order))
	for i, key := range t.order {
		all[i] = t.prices[key]
	}
	return all
}

// AsOf returns the date of the oldest price: nothing in the table is older.
func (t Table) AsOf() time.Time {
	return slices.MinFunc(t.All(), func(a, b Price) int { return a.Date.Compare(b.Date) }).Date
}

// Write returns prices as the CSV that [Parse] reads.
func Write(prices []Price) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{{"key", "price", "unit", "item", "source", "date", "confidence"}}
	for _, p := range prices {
		rows = append(rows, []string{
			p.Key, strconv.FormatFloat(p.USD, 'f', -1, 64), p.Unit, p.Item, p.Source, p.Date.Format(time.DateOnly), p.Confidence,
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
