package report

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed compare.html
var page string

var pageTemplate = template.Must(template.New("compare").Funcs(template.FuncMap{
	"join": strings.Join,
	"usd":  usd,
	"load": load,
	"svg":  func(text string) template.HTML { return template.HTML(text) }, // our own charts
	"css":  func(text string) template.CSS { return template.CSS(text) },   // our own colors
	"dict": func(pairs ...any) map[string]any {
		m := map[string]any{}
		for i := 0; i+1 < len(pairs); i += 2 {
			m[pairs[i].(string)] = pairs[i+1]
		}
		return m
	},
	"class": func(title string) string {
		if title == costTitle {
			return "money"
		}
		return ""
	},
	"dash": func(i int) string { return []string{"solid", "dashed", "dotted", "dashed", "dashed"}[i%5] },
}).Parse(page))

// writeHTML writes one file that needs nothing beside it.
func (r Report) writeHTML(w io.Writer) error {
	loads, err := r.loadChart()
	if err != nil {
		return err
	}
	idle, err := r.idleChart()
	if err != nil {
		return err
	}
	type swatch struct{ Name, Color string }
	var deployments, items []swatch
	for i, d := range r.Deployments {
		deployments = append(deployments, swatch{d.ID, hex(lineColor(i))})
	}
	for i, item := range r.idleItems() {
		items = append(items, swatch{item, hex(itemColor(i))})
	}
	return pageTemplate.Execute(w, map[string]any{
		"Report":      r,
		"Deployments": deployments,
		"Items":       items,
		"LoadChart":   loads,
		"IdleChart":   idle,
		"Points":      r.points(),
	})
}

// points is the load chart as a table, a row for each factor of ten.
func (r Report) points() []Row {
	var rows []Row
	for i, x := range curveLoads() {
		if i%curvePoints != 0 {
			continue
		}
		row := Row{Label: load(significant(x))}
		for _, d := range r.Deployments {
			row.Cells = append(row.Cells, usd(r.curves[d.ID][i]))
		}
		rows = append(rows, row)
	}
	return rows
}
