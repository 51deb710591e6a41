// Package page writes the comparison as one HTML file that needs nothing beside
// it. Its figures come from the model of package bill: the file carries the
// model, compiled to WebAssembly, and asks it again whenever the reader moves
// something. Without JavaScript it shows the load that it was written for.
package page

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"strings"

	"refdeploy/internal/bill"
	"refdeploy/internal/report/page/answer"
)

// A Page is what the file shows.
type Page struct {
	Facts       []Fact // what the figures are of: profile, region, prices …
	Deployments []answer.Deployment
	Prices      bill.Prices
	Usage       bill.Usage
	Closed      bool      // whether what is closed to new customers may win at first
	Sections    []Section // what does not depend on the load
}

// A Fact is a name and a value.
type Fact struct{ Label, Value string }

// A Section is a table with a column for each deployment.
type Section struct {
	Title string
	Rows  []Row
}

// A Row is one fact of every deployment, in their order.
type Row struct {
	Label string
	Cells []string
}

var (
	//go:embed page.html
	html string
	//go:embed page.css
	css string
	//go:embed page.js
	script string
	//go:embed uplot/uPlot.iife.min.js
	chartScript string
	//go:embed uplot/uPlot.min.css
	chartCSS string
	//go:embed uplot/LICENSE
	chartLicense string
)

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"style":  styleOf,
	"number": func(i int) int { return i + 1 },
	"kind":   func(k int) string { return answer.Kinds()[k] },
	"share":  func(percent float64) float64 { return percent / 100 },
}).Parse(html))

// Prepare builds what pages share, unless it is there already. It says so on
// progress, because it takes seconds.
func Prepare(progress io.Writer) error {
	_, err := compiled(progress)
	return err
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	model, err := compiled(io.Discard)
	if err != nil {
		return err
	}
	comparison, err := answer.New(p.Deployments, p.Prices)
	if err != nil {
		return err
	}
	question := answer.Question{Usage: p.Usage, Closed: p.Closed, Apart: true}
	var input struct {
		Deployments []answer.Deployment
		Prices      bill.Prices
		Usage       bill.Usage
		Closed      bool
		Styles      []style
		Kinds       []string
	}
	input.Deployments, input.Usage, input.Prices, input.Kinds, input.Closed = p.Deployments, p.Usage, bill.Prices{}, answer.Kinds(), p.Closed
	for i, d := range p.Deployments {
		question.Chosen, question.Bills = append(question.Chosen, i), append(question.Bills, i)
		input.Styles = append(input.Styles, styleOf(i))
		for _, charge := range d.Plan.Charges {
			input.Prices[charge.Key] = p.Prices[charge.Key]
		}
	}
	chart := "/*\n" + chartLicense + "*/\n" + chartScript
	return pageTemplate.Execute(w, map[string]any{
		"Page":    p,
		"Kinds":   answer.Kinds(),
		"Rank":    comparison.Rank(question),
		"Over":    comparison.OverLoad(question),
		"Input":   input,
		"CSS":     template.CSS(chartCSS + css),
		"Chart":   template.JS(chart),
		"Runtime": template.JS(model.Runtime),
		"Script":  template.JS(script),
		"Model":   template.HTML(base64.StdEncoding.EncodeToString(model.Module)),
		"Policy":  policy(chart, model.Runtime, script),
	})
}

// policy lets exactly the page's own scripts run, and nothing be loaded: what a
// foreign stack's name smuggles in, a browser refuses.
func policy(scripts ...string) string {
	var b strings.Builder
	b.WriteString("default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'wasm-unsafe-eval'")
	for _, script := range scripts {
		sum := sha256.Sum256([]byte(script))
		b.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return b.String()
}
