package report

import (
	"io"
	"slices"
	"strings"
	"time"

	"refdeploy/internal/report/page"
	"refdeploy/internal/report/page/answer"
)

// writeHTML writes one file that needs nothing beside it, and works out the
// bills itself.
func (r Report) writeHTML(w io.Writer) error {
	p := page.Page{Prices: r.prices, Usage: r.usage, Closed: r.closed}
	for _, fact := range []page.Fact{
		{Label: "Profile", Value: r.Settings["profile"]},
		{Label: "Architecture", Value: r.Settings["architecture"]},
		{Label: "App", Value: strings.Join(r.ofApp(), ", ")},
		{Label: "Region", Value: r.Prices.Region},
		{Label: "Prices", Value: r.Prices.AsOf + " to " + r.Prices.Newest + r.age(time.Now())},
		{Label: "refdeploy", Value: r.Version},
	} {
		if fact.Value != "" {
			p.Facts = append(p.Facts, fact)
		}
	}
	for i, d := range r.Deployments {
		unranked := ""
		switch {
		case r.own[d.ID]:
			unranked = ownServers
		case slices.Contains(r.NotRanked, d.ID):
			unranked = notRanked
		}
		p.Deployments = append(p.Deployments, answer.Deployment{ID: d.ID, Status: d.Status, Closed: d.closed, Unranked: unranked, Plan: r.models[i].Plan})
	}
	for _, s := range append(r.Sections(), Section{Title: "Resources by type", Rows: r.TypeRows()}) {
		if s.Title == costTitle {
			continue // the page has it under any load
		}
		section := page.Section{Title: s.Title}
		for _, row := range s.Rows {
			section.Rows = append(section.Rows, page.Row{Label: row.Label, Cells: row.Cells})
		}
		p.Sections = append(p.Sections, section)
	}
	return p.Write(w)
}
