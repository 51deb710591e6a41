// Package price holds what AWS charges, each price with its region, source and
// date.
//
// One format serves the table that the program is built with, the one that
// `refdeploy prices` prints, and the one that a user lays over it: CSV with a
// head that names its columns. A row says which region it is of, so that a price
// that stands in for another region's never looks like it.
package price

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"refdeploy/internal/nearest"
)

//go:generate go run ./gen

//go:embed prices.csv
var embedded []byte

// Base is the region whose prices are complete. They stand in for those that
// another region lacks.
const Base = "us-east-1"

// Where a price comes from.
const (
	FromProgram = "embedded"
	FromYou     = "yours"
)

// A Price is what one unit of something costs, in US dollars before tax.
type Price struct {
	Key        string // such as ec2.t4g.small
	USD        float64
	Unit       string // such as hour, GB or vCPU-hour
	Item       string // what it is, for people
	Source     string
	Date       time.Time // when the source was read, or is of
	Confidence string    // high, medium-high, medium, medium-low or low
	Region     string    // whose price it is, maybe not the table's
	Origin     string    // FromProgram or FromYou
}

// A Table is the prices to use in one region.
type Table struct {
	Region string
	prices map[string]Price
	order  []string
}

// Embedded returns the prices of [Base] that the program was built with.
func Embedded() (Table, error) { return For(Base) }

// For returns the prices of a region that the program was built with, on
// demand. Where it has none, the price of Base stands in and says so in its
// Region. Whether the region exists is for [CheckRegion] to say.
func For(region string) (Table, error) { return Parse(region, embedded) }

// Rows returns the prices of every region that the program was built with.
func Rows() ([]Price, error) { return Read(embedded) }

// Parse reads the prices of a region from CSV: see [Read].
func Parse(region string, data []byte) (Table, error) {
	rows, err := Read(data)
	if err != nil {
		return Table{}, err
	}
	return NewTable(region, rows), nil
}

// NewTable picks the rows of a region, and those of Base for the rest.
func NewTable(region string, rows []Price) Table {
	table := Table{Region: region, prices: map[string]Price{}}
	for _, p := range rows {
		if p.Region != region && p.Region != Base {
			continue
		}
		if have, ok := table.prices[p.Key]; !ok {
			table.order = append(table.order, p.Key)
		} else if have.Region == region {
			continue
		}
		table.prices[p.Key] = p
	}
	return table
}

// Sort orders the rows of several regions for those who review a change: Base
// as it was, and then the other regions of each key.
func Sort(rows []Price) {
	place := map[string]int{}
	for _, p := range rows {
		if p.Region == Base {
			place[p.Key] = len(place)
		}
	}
	rank := func(p Price) int {
		if p.Region == Base {
			return place[p.Key]
		}
		return len(place) + place[p.Key]
	}
	slices.SortStableFunc(rows, func(a, b Price) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Region, b.Region))
	})
}

// columns are what the head of a table may name.
var columns = []string{"key", "region", "price", "unit", "item", "source", "date", "confidence"}

// Read reads prices from CSV with all columns; without region, they are of Base.
// It fails on a row that lacks a field, repeats a key of a region, or has a
// price that is not positive.
func Read(data []byte) ([]Price, error) {
	lines, err := lines(data)
	if err != nil {
		return nil, fmt.Errorf("prices: %w", err)
	}
	seen := map[[2]string]bool{}
	var all []Price
	for _, l := range lines {
		if empty := slices.IndexFunc(columns, func(c string) bool { return c != "region" && l.fields[c] == "" }); empty >= 0 {
			return nil, fmt.Errorf("prices, line %d: a field is empty: %s", l.number, columns[empty])
		}
		p := Price{
			Key: l.fields["key"], Region: cmp.Or(l.fields["region"], Base), Unit: l.fields["unit"], Item: l.fields["item"],
			Source: l.fields["source"], Confidence: l.fields["confidence"], Origin: FromProgram,
		}
		if p.USD, err = number(l.fields["price"]); err != nil || p.USD == 0 {
			return nil, fmt.Errorf("prices, line %d: the price is %q; it has to be a positive number", l.number, l.fields["price"])
		}
		if p.Date, err = time.Parse(time.DateOnly, l.fields["date"]); err != nil {
			return nil, fmt.Errorf("prices, line %d: the date is %q; it has to be YYYY-MM-DD", l.number, l.fields["date"])
		}
		if seen[[2]string{p.Key, p.Region}] {
			return nil, fmt.Errorf("prices, line %d: %s of %s is there twice", l.number, p.Key, p.Region)
		}
		seen[[2]string{p.Key, p.Region}] = true
		all = append(all, p)
	}
	return all, nil
}

// Overlay returns the table with prices of your own in place of its. Of the
// columns only key and price have to be there; what is left out stays as the
// table has it, and source and date are those of the file, given by name and
// date. A price may be 0. It fails on a key that the table does not have, and on
// a price of another region, which nobody would notice on the bill.
func (t Table) Overlay(data []byte, name string, date time.Time) (Table, error) {
	lines, err := lines(data)
	if err != nil {
		return Table{}, fmt.Errorf("prices: %s: %w", name, err)
	}
	over := Table{Region: t.Region, prices: map[string]Price{}, order: t.order}
	for key, p := range t.prices {
		over.prices[key] = p
	}
	seen := map[string]bool{}
	for _, l := range lines {
		bad := func(format string, args ...any) (Table, error) {
			return Table{}, fmt.Errorf("prices: %s, line %d: %s", name, l.number, fmt.Sprintf(format, args...))
		}
		key := l.fields["key"]
		p, ok := t.prices[key]
		if !ok {
			hint := ""
			if near, ok := nearest.Name(key, t.order); ok {
				hint = fmt.Sprintf(" (did you mean %s?)", near)
			}
			return bad("got key %q%s; allowed: the keys that `refdeploy prices` prints", key, hint)
		}
		if seen[key] {
			return bad("%s is there twice; leave one", key)
		}
		seen[key] = true
		if p.USD, err = number(l.fields["price"]); err != nil {
			return bad("the price of %s is %q; it has to be a number of US dollars, such as %.6g", key, l.fields["price"], t.prices[key].USD)
		}
		if unit := l.fields["unit"]; unit != "" && unit != p.Unit {
			return bad("%s is priced per %s, not per %s; convert the price, or leave the unit out", key, p.Unit, unit)
		}
		p.Region = cmp.Or(l.fields["region"], t.Region)
		if p.Region != t.Region && p.Region != Base {
			return bad("the price of %s is one of %s; take --region %s, or a file of %s", key, p.Region, p.Region, t.Region)
		}
		p.Date = date
		if given := l.fields["date"]; given != "" {
			if p.Date, err = time.Parse(time.DateOnly, given); err != nil {
				return bad("the date is %q; it has to be YYYY-MM-DD, or left out", given)
			}
		}
		p.Item, p.Source = cmp.Or(l.fields["item"], p.Item), cmp.Or(l.fields["source"], name)
		p.Confidence, p.Origin = cmp.Or(l.fields["confidence"], "yours"), FromYou
		over.prices[key] = p
	}
	return over, nil
}

// A line is a row of CSV by the names of its columns.
type line struct {
	number int
	fields map[string]string
}

// lines reads CSV that has a head. Spreadsheets put a mark of the byte order
// before it, and spaces anywhere.
func lines(data []byte) ([]line, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.TrimLeadingSpace = true
	head, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("no rows; the first line has to name the columns, key and price at least")
	}
	if err != nil {
		return nil, err
	}
	for i, column := range head {
		head[i] = strings.ToLower(strings.TrimSpace(column))
		if !slices.Contains(columns, head[i]) {
			hint := ""
			if near, ok := nearest.Name(head[i], columns); ok {
				hint = fmt.Sprintf(" (did you mean %s?)", near)
			}
			return nil, fmt.Errorf("line 1: got column %q%s; allowed, with commas between: %s", column, hint, strings.Join(columns, ", "))
		}
		if slices.Contains(head[:i], head[i]) {
			return nil, fmt.Errorf("line 1: column %s is there twice", head[i])
		}
	}
	if !slices.Contains(head, "key") || !slices.Contains(head, "price") {
		return nil, fmt.Errorf("line 1: got columns %s; key and price have to be there", strings.Join(head, ", "))
	}
	var all []line
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		number, _ := r.FieldPos(0)
		fields := map[string]string{}
		for i, column := range head {
			fields[column] = strings.TrimSpace(row[i])
		}
		all = append(all, line{number, fields})
	}
	if len(all) == 0 {
		return nil, errors.New("no rows below the head")
	}
	return all, nil
}

// number reads a price: 0 or more. Go would read NaN, Inf and 0x1p-2 too.
func number(s string) (float64, error) {
	usd, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(usd) || math.IsInf(usd, 0) || usd < 0 || strings.ContainsAny(s, "xX_") {
		return 0, fmt.Errorf("not a price: %q", s)
	}
	return usd, nil
}

// Get returns the price of key, or an error that names the key. Its Region is
// Base instead of the table's when the table's region has none.
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

// Borrowed returns how many prices are another region's.
func (t Table) Borrowed() int {
	n := 0
	for _, p := range t.prices {
		if p.Region != t.Region {
			n++
		}
	}
	return n
}

// AsOf returns the date of the oldest price: nothing in the table is older.
func (t Table) AsOf() time.Time {
	return slices.MinFunc(t.All(), func(a, b Price) int { return a.Date.Compare(b.Date) }).Date
}

// Write returns prices as the CSV that [Read] and [Table.Overlay] read.
func Write(prices []Price) ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	rows := [][]string{columns}
	for _, p := range prices {
		rows = append(rows, []string{
			p.Key, p.Region, strconv.FormatFloat(p.USD, 'f', -1, 64), p.Unit, p.Item, p.Source, p.Date.Format(time.DateOnly), p.Confidence,
		})
	}
	if err := w.WriteAll(rows); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
