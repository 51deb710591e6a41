package report

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// A Diff is what changes when one deployment takes the place of another.
type Diff struct {
	From string `json:"from"`
	To   string `json:"to"`

	Version  string            `json:"version"`
	Settings map[string]string `json:"settings"`
	Prices   Prices            `json:"prices"`
	Usage    Usage             `json:"usage"`
	Warnings []string          `json:"warnings"` // of both bills, each with its deployment
	Unpriced []string          `json:"unpriced"` // of both bills, each with its deployment

	Resources []Count  `json:"resources"` // by type, those whose number changes
	IAM       []Count  `json:"iam"`
	Facts     []Change `json:"facts"` // planes, identity, exposure, status
	Duties    []Change `json:"duties"`
	Limits    []Change `json:"limits"`
	Cost      []Amount `json:"monthlyUSD"` // by item, those that change, what stays, and the total
	Learn     []string `json:"learn"`      // what the app's operators have to learn
}

// A Count is a number that changes.
type Count struct {
	Name string `json:"name"`
	From int    `json:"from"`
	To   int    `json:"to"`
}

// A Change is a text that changes.
type Change struct {
	Name string `json:"name"`
	From string `json:"from"`
	To   string `json:"to"`
}

// An Amount is a sum of US dollars a month that changes.
type Amount struct {
	Item string  `json:"item"`
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// Compare returns the difference between two deployments of the report.
func (r Report) Compare(from, to string) (Diff, error) {
	a, err := r.find(from)
	if err != nil {
		return Diff{}, err
	}
	b, err := r.find(to)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{From: from, To: to, Version: r.Version, Settings: r.Settings, Prices: r.Prices, Usage: r.Usage, Warnings: []string{}, Unpriced: []string{}, Resources: []Count{}, IAM: []Count{}, Facts: []Change{}, Duties: []Change{}, Limits: []Change{}, Cost: []Amount{}, Learn: []string{}}

	for _, side := range []Deployment{a, b} {
		for _, text := range side.MonthlyUSD.Warnings {
			d.Warnings = append(d.Warnings, side.ID+": "+text)
		}
		for _, text := range side.MonthlyUSD.Unpriced {
			d.Unpriced = append(d.Unpriced, side.ID+": "+text)
		}
	}

	types := maps.Clone(a.Resources.ByType)
	maps.Copy(types, b.Resources.ByType)
	for _, name := range slices.Sorted(maps.Keys(types)) {
		d.Resources = count(d.Resources, name, a.Resources.ByType[name], b.Resources.ByType[name])
	}
	d.IAM = count(d.IAM, "roles", a.IAM.Roles, b.IAM.Roles)
	d.IAM = count(d.IAM, "statements", a.IAM.Statements, b.IAM.Statements)
	d.IAM = count(d.IAM, "AWS managed policies", a.IAM.ManagedPolicies, b.IAM.ManagedPolicies)
	d.IAM = count(d.IAM, "statements with a wildcard action", a.IAM.WildcardActions, b.IAM.WildcardActions)
	d.IAM = count(d.IAM, "statements with a wildcard resource", a.IAM.WildcardResources, b.IAM.WildcardResources)

	d.Facts = change(d.Facts, "status", a.knows(a.Status), b.knows(b.Status))
	d.Facts = change(d.Facts, "control plane", a.knows(a.ControlPlane), b.knows(b.ControlPlane))
	d.Facts = change(d.Facts, "data plane", a.knows(a.DataPlane), b.knows(b.DataPlane))
	d.Facts = change(d.Facts, "identity of the app", a.knows(a.Identity), b.knows(b.Identity))
	d.Facts = change(d.Facts, "ports the internet reaches", ports(a), ports(b))
	d.Facts = change(d.Facts, "the account needs", a.knows(none(strings.Join(a.Needs, "; "))), b.knows(none(strings.Join(b.Needs, "; "))))
	d.Facts = change(d.Facts, "cdk destroy leaves", a.knows(none(strings.Join(a.Leftovers, "; "))), b.knows(none(strings.Join(b.Leftovers, "; "))))
	for i, field := range a.Duties.Fields() {
		d.Duties = change(d.Duties, field.Label, a.knows(field.Value), b.knows(b.Duties.Fields()[i].Value))
	}
	for i, field := range a.Limits.Fields() {
		d.Limits = change(d.Limits, field.Label, a.knows(field.Value), b.knows(b.Limits.Fields()[i].Value))
	}
	d.cost(a, b)
	d.learn(a, b)
	return d, nil
}

func (r Report) find(id string) (Deployment, error) {
	i := slices.IndexFunc(r.Deployments, func(d Deployment) bool { return d.ID == id })
	if i < 0 {
		return Deployment{}, fmt.Errorf("the report has no %s", id)
	}
	return r.Deployments[i], nil
}

func count(counts []Count, name string, from, to int) []Count {
	if from == to {
		return counts
	}
	return append(counts, Count{name, from, to})
}

func change(changes []Change, name, from, to string) []Change {
	if from == to {
		return changes
	}
	return append(changes, Change{name, none(from), none(to)})
}

func ports(d Deployment) string {
	var all []string
	for _, e := range d.Exposure {
		all = append(all, fmt.Sprintf("%s from %s (%s)", e.Ports(), e.CIDR, e.Resource))
	}
	return strings.Join(all, "; ")
}

func (d *Diff) cost(a, b Deployment) {
	byItem := func(d Deployment) map[string]float64 {
		all := map[string]float64{}
		for _, sum := range sums(linesOf(d)) {
			all[sum.item] = sum.usd
		}
		return all
	}
	from, to := byItem(a), byItem(b)
	same, items := 0.0, maps.Clone(from)
	maps.Copy(items, to)
	for _, item := range slices.Sorted(maps.Keys(items)) {
		if from[item] != to[item] {
			d.Cost = append(d.Cost, Amount{item, from[item], to[item]})
		} else {
			same = cents(same + from[item])
		}
	}
	if same > 0 {
		d.Cost = append(d.Cost, Amount{"the same in both", same, same})
	}
	d.Cost = append(d.Cost, Amount{"all", a.MonthlyUSD.Total, b.MonthlyUSD.Total})
}

// learn lists the ways of working that the operators of b have and those of a
// have not: another control plane, another identity, another command.
func (d *Diff) learn(a, b Deployment) {
	if !a.InCatalog || !b.InCatalog {
		return // nobody told how the other one is run
	}
	if a.ControlPlane != b.ControlPlane && b.ControlPlane != "none" {
		d.Learn = append(d.Learn, "the control plane "+b.ControlPlane)
	}
	if a.Identity != b.Identity {
		d.Learn = append(d.Learn, "how permissions reach the app: "+b.Identity)
	}
	for i, field := range b.Duties.Fields() {
		before := a.Duties.Fields()[i].Value
		if before == field.Value || field.Value == "AWS" || strings.HasPrefix(field.Value, "none") {
			continue
		}
		d.Learn = append(d.Learn, fmt.Sprintf("%s: %s", strings.ToLower(field.Label[:1])+field.Label[1:], field.Value))
	}
}

// DiffFormats are the formats that [Diff.Write] knows.
func DiffFormats() []string { return []string{"text", "json"} }

// Write writes the difference in a format of [DiffFormats].
func (d Diff) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return writeJSON(w, d)
	case "text":
		_, err := io.WriteString(w, d.text())
		return err
	}
	return fmt.Errorf("format: got %q; allowed: %s", format, strings.Join(DiffFormats(), ", "))
}

func (d Diff) text() string {
	var b strings.Builder
	r := Report{Version: d.Version, Settings: d.Settings, Prices: d.Prices, Usage: d.Usage}
	fmt.Fprintf(&b, "From %s to %s\n%s\n", d.From, d.To, r.Header())
	counts := func(title string, all []Count) {
		if len(all) > 0 {
			fmt.Fprintf(&b, "\n%s\n", title)
		}
		for _, c := range all {
			sign := "~"
			switch {
			case c.From == 0:
				sign = "+"
			case c.To == 0:
				sign = "-"
			}
			fmt.Fprintf(&b, "  %s %s: %d → %d\n", sign, c.Name, c.From, c.To)
		}
	}
	changes := func(title string, all []Change) {
		if len(all) > 0 {
			fmt.Fprintf(&b, "\n%s\n", title)
		}
		for _, c := range all {
			fmt.Fprintf(&b, "  ~ %s\n      from %s\n      to   %s\n", c.Name, c.From, c.To)
		}
	}
	changes("What it is", d.Facts)
	counts("Resources", d.Resources)
	counts("Permissions", d.IAM)
	changes("Duties", d.Duties)
	changes("Limits", d.Limits)
	fmt.Fprintf(&b, "\nCost a month, US dollars\n")
	for _, c := range d.Cost {
		fmt.Fprintf(&b, "  %s: %s → %s (%+.2f)\n", c.Item, usd(c.From), usd(c.To), c.To-c.From)
	}
	if len(d.Warnings)+len(d.Unpriced) > 0 {
		fmt.Fprintf(&b, "\nNote\n")
	}
	for _, text := range d.Warnings {
		fmt.Fprintf(&b, "  %s\n", text)
	}
	for _, text := range d.Unpriced {
		fmt.Fprintf(&b, "  bills, without a price here: %s\n", text)
	}
	if len(d.Learn) > 0 {
		fmt.Fprintf(&b, "\nTo learn\n")
	}
	for _, text := range d.Learn {
		fmt.Fprintf(&b, "  %s\n", text)
	}
	fmt.Fprintf(&b, "\n%s\n", r.Assumptions())
	return b.String()
}
