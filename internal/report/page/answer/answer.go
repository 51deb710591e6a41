// Package answer answers what the page asks: who is the cheapest under a load,
// what each bill is made of, and how bills grow with the load. The page's first
// text and the page's script use the same answers, in words already, so that
// they cannot differ: it compiles to WebAssembly, with the standard library
// alone.
package answer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"refdeploy/internal/bill"
)

// A Deployment is what the comparison compares.
type Deployment struct {
	ID     string
	Status string // "current", or why not everyone can have it
	Closed bool   // to new customers
	Plan   bill.Plan

	// Unranked is why a deployment has no place whatever the reader chooses, or
	// "".
	Unranked string
}

// A Comparison answers questions about deployments.
type Comparison struct {
	deployments []Deployment
	models      []bill.Model
	prices      bill.Prices
}

// New returns a comparison. It fails when a price is missing.
func New(deployments []Deployment, prices bill.Prices) (*Comparison, error) {
	c := &Comparison{deployments: deployments, prices: prices}
	for _, d := range deployments {
		model, err := bill.New(d.Plan, prices)
		if err != nil {
			return nil, err
		}
		c.models = append(c.models, model)
	}
	return c, nil
}

// A Question is what the reader has chosen.
type Question struct {
	Usage  bill.Usage
	Chosen []int // of the deployments, by index
	Closed bool  // whether a deployment that is closed to new customers may be the cheapest
	Apart  bool  // whether curves leave out what all pay alike
	Bills  []int // whose bills are shown line by line
}

// eligible reports whether a deployment may be named as the cheapest at all.
func (c *Comparison) eligible(d int, q Question) bool {
	return c.deployments[d].Unranked == "" && (q.Closed || !c.deployments[d].Closed)
}

// A Ranking is the bills under one load, the cheapest first. Those that cannot
// take the load as their template stands, or that nobody new can have, come
// last and have no place.
type Ranking struct {
	Title   string
	Rows    []Row
	Kinds   []int  // of [Kinds], those that any of the bills has
	Idle    []Bar  // of each row, while nobody calls
	Load    []Bar  // of each row, under the load
	Busy    string // what these are
	Assumes string // what the load is made of
	Bills   []Bill // of each that the question names
}

// A Row is one deployment's place.
type Row struct {
	Deployment int
	ID         string
	Place      string // "1", "2" …, or "–"
	Idle, Load string // US dollars a month
	Total      float64
	Notes      []string // with what the reader has to know before the price counts
}

// A Bar is a bill by the kinds of [Kinds].
type Bar struct {
	Deployment int
	ID         string
	Total      string
	Parts      []float64 // US dollars, of each kind
	Width      []float64 // of each kind, in percent of the widest bar
}

// A Bill is one bill, line by line.
type Bill struct {
	Deployment int
	ID         string
	Lines      []Line
	Total      string
}

// A Line is quantity × price, in words.
type Line struct {
	Item, Quantity, Price, USD string
	For                        string // the resource
	Of                         string // whose price it is, from where and when
}

// Rank answers what the month costs under the load of the question.
func (c *Comparison) Rank(q Question) Ranking {
	idle := q.Usage
	idle.RequestsPerSecond = 0
	type place struct {
		row        Row
		counts     bool
		idle, load bill.Estimate
	}
	places := make([]place, len(q.Chosen))
	for i, d := range q.Chosen {
		p := place{idle: c.models[d].Estimate(idle), load: c.models[d].Estimate(q.Usage)}
		p.counts = p.load.Beyond == "" && c.eligible(d, q)
		p.row = Row{
			Deployment: d, ID: c.deployments[d].ID, Place: "–", Idle: usd(p.idle.Total), Load: usd(p.load.Total), Total: p.load.Total,
			Notes: c.notes(d, p.load),
		}
		places[i] = p
	}
	slices.SortStableFunc(places, func(a, b place) int {
		if a.counts != b.counts {
			if a.counts {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.load.Total, b.load.Total)
	})
	r := Ranking{Title: c.title(q), Rows: []Row{}, Kinds: []int{}, Bills: []Bill{}}
	var idles, loads []bill.Estimate
	for i := range places {
		if places[i].counts {
			places[i].row.Place = fmt.Sprint(i + 1)
		}
		r.Rows = append(r.Rows, places[i].row)
		idles, loads = append(idles, places[i].idle), append(loads, places[i].load)
	}
	r.Idle, r.Load = bars(r.Rows, idles), bars(r.Rows, loads)
	r.Busy = "At " + loadText(q.Usage.RequestsPerSecond) + ", $ a month"
	r.Assumes = assumes(q.Usage)
	for k := range kinds {
		if slices.ContainsFunc(append(r.Idle, r.Load...), func(b Bar) bool { return b.Parts[k] > 0 }) {
			r.Kinds = append(r.Kinds, k)
		}
	}
	for _, d := range q.Bills {
		r.Bills = append(r.Bills, c.Bill(d, q.Usage))
	}
	return r
}

func (c *Comparison) title(q Question) string {
	n, of := len(q.Chosen), len(c.deployments)
	count := fmt.Sprintf("%d of %d deployments", n, of)
	if n == of {
		count = fmt.Sprintf("%d %s", n, plural(n, "deployment"))
	}
	return fmt.Sprintf("%s at %s", count, loadText(q.Usage.RequestsPerSecond))
}

// notes are what stands in the row itself.
func (c *Comparison) notes(d int, e bill.Estimate) []string {
	var notes []string
	if text := c.deployments[d].Unranked; text != "" {
		notes = append(notes, text)
	}
	if c.deployments[d].Status != "current" && c.deployments[d].Status != "" {
		notes = append(notes, c.deployments[d].Status)
	}
	if e.Beyond != "" {
		notes = append(notes, "beyond its template: "+e.Beyond)
	}
	for _, w := range e.Warnings {
		if !strings.Contains(e.Beyond, w) {
			notes = append(notes, w)
		}
	}
	if len(e.Unpriced) > 0 {
		notes = append(notes, "not in the bill: "+strings.Join(e.Unpriced, ", "))
	}
	return notes
}

// bars scales bills to the greatest.
func bars(rows []Row, estimates []bill.Estimate) []Bar {
	most := 0.01
	for _, e := range estimates {
		most = math.Max(most, e.Total)
	}
	all := []Bar{}
	for i, e := range estimates {
		b := Bar{Deployment: rows[i].Deployment, ID: rows[i].ID, Total: usd(e.Total), Parts: make([]float64, len(kinds)), Width: make([]float64, len(kinds))}
		for _, line := range e.Lines {
			b.Parts[kindOf(line)] += line.USD
		}
		for k, part := range b.Parts {
			b.Width[k] = math.Round(part/most*1e5) / 1e3
		}
		all = append(all, b)
	}
	return all
}

// assumes says what the load is made of.
func assumes(u bill.Usage) string {
	number := func(x float64) string { return digits(x, 6) }
	text := fmt.Sprintf("%s for %s hours a day. A request takes %s ms of CPU, waits %s ms for others, brings %s kB and is answered with %s kB. It reads %s, writes %s and lists %s times in S3, and logs %s bytes. A client sends %s over one connection.",
		capital(loadText(u.RequestsPerSecond)), number(u.HoursPerDay), number(u.CPUMillis), number(u.WaitMillis), number(u.RequestKB), number(u.ResponseKB),
		number(u.Reads), number(u.Writes), number(u.Lists), number(u.LogBytes), number(u.RequestsPerConnection))
	if u.ComputeDiscount > 0 {
		text += fmt.Sprintf(" Compute costs %s %% less than on demand.", number(u.ComputeDiscount*100))
	}
	return text
}

// Bill answers what a deployment's bill is made of.
func (c *Comparison) Bill(d int, usage bill.Usage) Bill {
	e := c.models[d].Estimate(usage)
	b := Bill{Deployment: d, ID: c.deployments[d].ID, Total: usd(e.Total), Lines: []Line{}}
	for _, line := range e.Lines {
		price := c.prices[line.PriceKey]
		of := make([]string, 0, 3)
		for _, part := range []string{line.Region, price.Source, price.Date} {
			if part != "" {
				of = append(of, part)
			}
		}
		resource := line.Resource
		if line.Source == "catalog" {
			resource += " (outside the template)"
		}
		b.Lines = append(b.Lines, Line{
			Item: line.Item, Quantity: quantity(line.Quantity, line.Unit), Price: "$" + unitPrice(line.UnitPrice), USD: usd(line.USD),
			For: resource, Of: strings.Join(of, ", "),
		})
	}
	return b
}

// Total answers what one deployment costs, in a sentence.
func (c *Comparison) Total(d int, usage bill.Usage) string {
	e := c.models[d].Estimate(usage)
	text := fmt.Sprintf("%s at %s: $%s a month", c.deployments[d].ID, loadText(usage.RequestsPerSecond), usd(e.Total))
	everyone := 0.0
	for _, line := range e.Lines {
		if line.Everyone {
			everyone += line.USD
		}
	}
	if everyone > 0 {
		text += fmt.Sprintf(", $%s without what all pay alike", usd(e.Total-everyone))
	}
	if e.Beyond != "" {
		text += "; beyond its template"
	}
	return text
}
