package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// A Row is one fact of every deployment, in their order.
type Row struct {
	Label   string
	Cells   []string
	Numbers bool // the cells are numbers, aligned to the right
}

// A Section is a group of rows under a title.
type Section struct {
	Name  string // as --section takes it
	Title string
	Rows  []Row
}

// Sections returns the comparison as tables with a column for each deployment:
// what every format for people shows.
func (r Report) Sections() []Section {
	row := func(label string, cell func(Deployment) string) Row {
		out := Row{Label: label}
		for _, d := range r.Deployments {
			out.Cells = append(out.Cells, cell(d))
		}
		return out
	}
	count := func(label string, n func(Deployment) int) Row {
		counted := row(label, func(d Deployment) string { return fmt.Sprint(n(d)) })
		counted.Numbers = true
		return counted
	}
	list := func(label string, of func(Deployment) []string) Row {
		return row(label, func(d Deployment) string { return d.knows(none(strings.Join(of(d), "; "))) })
	}

	known := func(label string, cell func(Deployment) string) Row {
		return row(label, func(d Deployment) string { return d.knows(cell(d)) })
	}

	sections := []Section{
		{"what", "What it is", []Row{
			known("Control plane", func(d Deployment) string { return d.ControlPlane }),
			known("Data plane", func(d Deployment) string { return d.DataPlane }),
			known("Status", func(d Deployment) string { return d.Status }),
			count("Resources in the template", func(d Deployment) int { return d.Resources.Total }),
			list("Created outside it", func(d Deployment) []string { return d.Outside }),
			list("The account needs", func(d Deployment) []string { return d.Needs }),
			list("cdk destroy leaves", func(d Deployment) []string { return d.Leftovers }),
		}},
		{"permissions", "Permissions and exposure", []Row{
			known("Identity of the app", func(d Deployment) string { return d.Identity }),
			count("IAM roles", func(d Deployment) int { return d.IAM.Roles }),
			count("IAM statements", func(d Deployment) int { return d.IAM.Statements }),
			count("AWS managed policies", func(d Deployment) int { return d.IAM.ManagedPolicies }),
			count("Statements with a wildcard action", func(d Deployment) int { return d.IAM.WildcardActions }),
			count("Statements with a wildcard resource", func(d Deployment) int { return d.IAM.WildcardResources }),
			row("The internet reaches", func(d Deployment) string {
				var all []string
				for _, e := range d.Exposure {
					all = append(all, fmt.Sprintf("%s, %s, from %s", e.Resource, e.Ports(), e.CIDR))
				}
				return none(strings.Join(all, "; "))
			}),
			row("Encryption", func(d Deployment) string { return says(d.Storage) }),
			row("Logs", func(d Deployment) string { return says(d.Logs) }),
		}},
		{"cost", costTitle, r.costRows()},
	}
	if slices.ContainsFunc(r.Deployments, func(d Deployment) bool { return len(d.Unread) > 0 }) {
		sections[0].Rows = append(sections[0].Rows, row("Not understood in the template", func(d Deployment) string { return none(strings.Join(d.Unread, "; ")) }))
	}
	return append(sections, r.dutiesAndLimits()...)
}

const costTitle = "Cost a month, US dollars"

// TypeRows counts the resources of each type.
func (r Report) TypeRows() []Row {
	types := map[string]bool{}
	for _, d := range r.Deployments {
		for name := range d.Resources.ByType {
			types[name] = true
		}
	}
	var rows []Row
	for _, name := range slices.Sorted(maps.Keys(types)) {
		row := Row{Label: name}
		for _, d := range r.Deployments {
			cell := "–"
			if n := d.Resources.ByType[name]; n > 0 {
				cell = fmt.Sprint(n)
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	return rows
}

func (r Report) dutiesAndLimits() []Section {
	if !slices.ContainsFunc(r.Deployments, func(d Deployment) bool { return d.InCatalog }) {
		return nil // nobody knows
	}
	duties, limits := Section{Name: "duties", Title: "Who runs what, and how to operate it"}, Section{Name: "limits", Title: "Limits"}
	for i, field := range r.Deployments[0].Duties.Fields() {
		row := Row{Label: field.Label}
		for _, d := range r.Deployments {
			row.Cells = append(row.Cells, d.knows(d.Duties.Fields()[i].Value))
		}
		duties.Rows = append(duties.Rows, row)
	}
	for i, field := range r.Deployments[0].Limits.Fields() {
		row := Row{Label: field.Label}
		for _, d := range r.Deployments {
			row.Cells = append(row.Cells, d.knows(d.Limits.Fields()[i].Value))
		}
		limits.Rows = append(limits.Rows, row)
	}
	return []Section{duties, limits}
}

// costRows has a row for each item that any deployment pays for. Lines that
// repeat an item, such as two NAT gateways, add up.
func (r Report) costRows() []Row {
	var items []string
	bills := make([]map[string]float64, len(r.Deployments))
	for i, d := range r.Deployments {
		bills[i] = map[string]float64{}
		for _, sum := range sums(linesOf(d)) {
			bills[i][sum.item] = sum.usd
			if !slices.Contains(items, sum.item) {
				items = append(items, sum.item)
			}
		}
	}
	var rows []Row
	for _, item := range items {
		row := Row{Label: item + r.whose(item), Numbers: true}
		for _, bill := range bills {
			cell := "–"
			if amount, ok := bill[item]; ok {
				cell = usd(amount)
			}
			row.Cells = append(row.Cells, cell)
		}
		rows = append(rows, row)
	}
	all := Row{Label: "All", Numbers: true}
	unpriced := Row{Label: "Bills, without a price here"}
	warnings := Row{Label: "Note"}
	for _, d := range r.Deployments {
		all.Cells = append(all.Cells, usd(d.MonthlyUSD.Total))
		unpriced.Cells = append(unpriced.Cells, none(strings.Join(d.MonthlyUSD.Unpriced, "; ")))
		warnings.Cells = append(warnings.Cells, none(strings.Join(d.MonthlyUSD.Warnings, "; ")))
	}
	return append(rows, all, unpriced, warnings)
}

// whose says which region's price an item of the bills has, where it is not the
// report's own.
func (r Report) whose(item string) string {
	for _, d := range r.Deployments {
		for _, line := range d.MonthlyUSD.Lines {
			if line.Item == item && line.Region != r.Prices.Region {
				return ", at the price of " + line.Region
			}
		}
	}
	return ""
}

// BreakEvenSentences says between which two the cheaper changes, and where.
func (r Report) BreakEvenSentences() []string {
	var all []string
	for _, b := range r.BreakEven {
		text := fmt.Sprintf("%s below, %s above %s requests/s", b.A, b.B, load(b.RequestsPerSecond))
		if b.From < b.To {
			text += fmt.Sprintf("; about equal from %s to %s", load(b.From), load(b.To))
		}
		all = append(all, text)
	}
	return all
}

// says groups equal facts: "disk encrypted (2)".
func says(facts []Fact) string {
	counts := map[string]int{}
	var order []string
	for _, f := range facts {
		if counts[f.Says] == 0 {
			order = append(order, f.Says)
		}
		counts[f.Says]++
	}
	for i, text := range order {
		if counts[text] > 1 {
			order[i] = fmt.Sprintf("%s (%d)", text, counts[text])
		}
	}
	return none(strings.Join(order, "; "))
}

func none(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

func usd(amount float64) string { return fmt.Sprintf("%.2f", amount) }

// load writes a number of requests a second without an exponent.
func load(requestsPerSecond float64) string {
	return fmt.Sprintf("%.6g", requestsPerSecond)
}
