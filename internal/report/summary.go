package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"refdeploy/internal/bill"
	"refdeploy/internal/inventory"
	"refdeploy/internal/report/page/answer"
	"refdeploy/internal/settings"
)

// notRanked is why a stack that is not in the catalog has no place.
const notRanked = "not ranked, because its bill is incomplete or does not follow the load"

// ownServers is why a deployment on servers of your own has no place.
const ownServers = "not ranked, because its servers are yours and not in the bill"

// Header says in a line what the figures are for: profile, architecture, load,
// region, prices and version.
func (r Report) Header() string {
	var parts []string
	for _, key := range []string{"profile", "architecture"} {
		if value := r.Settings[key]; value != "" {
			parts = append(parts, value)
		}
	}
	parts = append(parts, r.ofApp()...)
	if r.Settings["network"] == string(settings.Shared) {
		parts = append(parts, "in a shared network, which is whole in each bill and paid once")
	}
	parts = append(parts, r.Prices.Region, r.Load(), "prices of "+r.Prices.AsOf+" to "+r.Prices.Newest+r.age(time.Now()))
	return strings.Join(append(parts, "refdeploy "+r.Version), " · ")
}

// ofApp says that the app is not the sample app, and which size was asked for.
func (r Report) ofApp() []string {
	var parts []string
	if r.Settings["app"] != "" {
		parts = append(parts, "your own app")
	}
	if cpu := r.Settings["cpu"]; cpu != "" {
		parts = append(parts, cpu+" CPU units")
	}
	if memory := r.Settings["memory"]; memory != "" {
		parts = append(parts, memory+" MiB")
	}
	return parts
}

// age is how old the oldest price is, in months, once it is one.
func (r Report) age(now time.Time) string {
	oldest, err := time.Parse(time.DateOnly, r.Prices.AsOf)
	if months := int(now.Sub(oldest).Hours() / 24 / 30); err == nil && months > 0 {
		return fmt.Sprintf(", the oldest %d months old", months)
	}
	return ""
}

// Load names the load: its profile and its rate.
func (r Report) Load() string {
	return fmt.Sprintf("%s, %s requests/s", r.Usage.Profile, load(r.Usage.RequestsPerSecond))
}

// Assumptions says what the load is made of.
func (r Report) Assumptions() string {
	u := r.Usage
	text := fmt.Sprintf("Load %q: %s requests/s for %g hours a day. A request takes %g ms of CPU, waits %g ms for others, brings %g kB and is answered with %g kB. S3 requests for each: reads %g, writes %g, lists %g. It logs %g bytes. A client sends %g requests over one connection.",
		u.Profile, load(u.RequestsPerSecond), u.HoursPerDay, u.CPUMs, u.WaitMs, u.RequestKB, u.ResponseKB,
		u.ReadsPerRequest, u.WritesPerRequest, u.ListsPerRequest, u.LogBytesPerRequest, u.RequestsPerConnection)
	prices := "on demand"
	if u.ComputeDiscount > 0 {
		prices = fmt.Sprintf("on demand less %g %% on compute", u.ComputeDiscount)
	}
	if n := len(r.Prices.Borrowed); n > 0 {
		prices += fmt.Sprintf(", %d of them another region's because none of %s is known", n, r.Prices.Region)
	}
	return text + fmt.Sprintf(" Prices of %s, %s, US dollars before tax, without free tiers.", r.Prices.Region, prices)
}

// A Summary is what a reader decides by, a row for each deployment.
type Summary struct {
	Head  []string
	Rows  [][]string
	Notes []string // what a mark in a row means
}

// Summary returns one row for each deployment: who schedules it, what it costs
// idle and under the load, whether it scales to zero, what of it you patch, and
// the ports that anybody reaches. * marks a note, > a load beyond the template.
func (r Report) Summary() Summary {
	s := Summary{Head: []string{"Deployment", "Plane", "Idle", r.rate(), "To 0", "You patch", "Open"}}
	for _, d := range r.Deployments {
		name, total := d.ID, usd(d.MonthlyUSD.Total)
		if d.MonthlyUSD.Beyond != "" {
			total = ">" + total
			s.Notes = append(s.Notes, fmt.Sprintf("> %s: %s", d.ID, d.MonthlyUSD.Beyond))
		}
		notes := slices.Clone(d.MonthlyUSD.Remarks)
		if d.Status != "current" && d.Status != "" {
			notes = append([]string{d.Status}, notes...)
		}
		if len(d.MonthlyUSD.Unpriced) > 0 {
			notes = append(notes, "no price here for "+strings.Join(d.MonthlyUSD.Unpriced, ", "))
		}
		if len(d.Unread) > 0 {
			notes = append(notes, "not understood in the template: "+strings.Join(d.Unread, ", "))
		}
		if slices.Contains(r.NotRanked, d.ID) {
			notes = append(notes, notRanked)
		}
		if len(notes) > 0 {
			name += " *"
			s.Notes = append(s.Notes, fmt.Sprintf("* %s: %s", d.ID, strings.Join(notes, "; ")))
		}
		zero, _, _ := strings.Cut(d.Limits.ScaleToZero, ":")
		s.Rows = append(s.Rows, []string{name, d.knows(plane(d.ControlPlane)), usd(d.MonthlyUSD.Idle), total, d.knows(zero), d.knows(d.patches()), d.open()})
	}
	return s
}

// rate is the load as a column's head.
func (r Report) rate() string { return load(r.Usage.RequestsPerSecond) + "/s" }

// plane is a control plane in a word.
func plane(control string) string {
	for _, word := range []string{"ECS", "EKS"} {
		if strings.HasPrefix(control, word) {
			return word
		}
	}
	if strings.HasPrefix(control, "your own") {
		return "own"
	}
	return control
}

// patches lists what of a deployment its operators keep up to date.
func (d Deployment) patches() string {
	var all []string
	for _, part := range []struct{ name, who string }{
		{"k8s", d.Duties.ControlPlane}, {"hosts", d.Duties.HostOS}, {"image", d.Duties.Image},
	} {
		if strings.HasPrefix(part.who, "you") || strings.Contains(part.who, "you upgrade") {
			all = append(all, part.name)
		}
	}
	return cmp.Or(strings.Join(all, ", "), "nothing")
}

// open lists the ports that the internet reaches, each once.
func (d Deployment) open() string {
	var ports []string
	for _, e := range d.Exposure { // by port
		text := strconv.Itoa(e.Port)
		switch {
		case e.Port == 0 && e.ToPort == inventory.LastPort:
			text = "all"
		case e.ToPort > e.Port:
			text = fmt.Sprintf("%d-%d", e.Port, e.ToPort)
		}
		if !slices.Contains(ports, text) {
			ports = append(ports, text)
		}
	}
	return cmp.Or(strings.Join(ports, ", "), "none")
}

// CheapestSentences says who is the cheapest over which load, as the page does.
func (r Report) CheapestSentences() []string {
	var ranges []bill.Range
	for _, c := range r.Cheapest {
		ranges = append(ranges, bill.Range{IDs: c.IDs, From: c.From, To: c.To})
	}
	remarks := map[string][]string{}
	for _, d := range r.Deployments {
		remarks[d.ID] = d.MonthlyUSD.Remarks
	}
	return answer.Cheapest(ranges, remarks)
}

// unranked reports whether the bill of a deployment says too little to set it
// beside another's.
func (r Report) unranked(id string) bool { return r.own[id] || slices.Contains(r.NotRanked, id) }

// notCompared says who is left out of the cheapest, and why.
func (r Report) notCompared() []string {
	var closed, own, all []string
	for _, id := range r.NotCompared {
		if r.own[id] {
			own = append(own, id)
		} else {
			closed = append(closed, id)
		}
	}
	if len(closed) > 0 {
		all = append(all, fmt.Sprintf("Not compared: %s, closed to new customers (--include-closed compares it).", strings.Join(closed, ", ")))
	}
	if len(own) > 0 {
		all = append(all, fmt.Sprintf("Not compared: %s, whose servers are yours and not in the bill.", strings.Join(own, ", ")))
	}
	return all
}

// Decides says in two or three sentences what of the bills decides: what is paid
// without a request, and what grows with the load.
func (r Report) Decides() []string {
	ranked := slices.DeleteFunc(slices.Clone(r.Deployments), func(d Deployment) bool { return r.unranked(d.ID) })
	if len(ranked) == 0 {
		return nil
	}
	byIdle := slices.SortedStableFunc(slices.Values(ranked), func(a, b Deployment) int {
		return cmp.Compare(a.MonthlyUSD.Idle, b.MonthlyUSD.Idle)
	})
	first, last := byIdle[0], byIdle[len(byIdle)-1]
	idle := func(d Deployment) string { return usd(d.MonthlyUSD.Idle) + " (" + d.ID + ")" }
	var all []string
	switch {
	case len(byIdle) == 1:
	case first.MonthlyUSD.Idle == 0 && len(byIdle) == 2:
		all = append(all, fmt.Sprintf("Idle, %s costs nothing, and %s %s a month.", first.ID, last.ID, usd(last.MonthlyUSD.Idle)))
	case first.MonthlyUSD.Idle == 0:
		all = append(all, fmt.Sprintf("Idle, %s costs nothing; the others pay from %s to %s a month without a request.", first.ID, idle(byIdle[1]), idle(last)))
	default:
		all = append(all, fmt.Sprintf("Idle, a month costs from %s to %s.", idle(first), idle(last)))
	}
	if item, share := largest(r.idle[last.ID].Lines); share > 0 {
		all = append(all, fmt.Sprintf("The largest item of %s while idle is %s: %s of %s.", last.ID, inSentence(item), usd(share), usd(last.MonthlyUSD.Idle)))
	}
	if now := r.cheapestNow(); now != nil && r.Usage.RequestsPerSecond > 0 {
		everyone, what := 0.0, "data out"
		for _, line := range now.MonthlyUSD.Lines {
			if line.Everyone {
				everyone += line.USD
			}
			if line.Everyone && strings.HasPrefix(line.Item, "S3 ") { // an app of one's own may have no bucket
				what = "notes in S3, and data out"
			}
		}
		text := fmt.Sprintf("At %s requests/s, %s is the cheapest with %s.", load(r.Usage.RequestsPerSecond), now.ID, usd(now.MonthlyUSD.Total))
		if everyone > 0 {
			text += fmt.Sprintf(" %s of it is the same everywhere: %s.", usd(everyone), what)
		}
		if item, share := largest(linesOf(*now)); share > 0 {
			text += fmt.Sprintf(" Of the rest, the largest item is %s: %s.", inSentence(item), usd(share))
		}
		all = append(all, text)
	}
	return all
}

// cheapestNow is the cheapest deployment at the load that takes it, and that
// one can have, or nil.
func (r Report) cheapestNow() *Deployment {
	var best *Deployment
	for i, d := range r.Deployments {
		if d.MonthlyUSD.Beyond != "" || slices.Contains(r.NotCompared, d.ID) || slices.Contains(r.NotRanked, d.ID) {
			continue
		}
		if best == nil || d.MonthlyUSD.Total < best.MonthlyUSD.Total {
			best = &r.Deployments[i]
		}
	}
	return best
}

// inSentence writes an item's name as it stands inside a sentence.
func inSentence(item string) string {
	for _, name := range []string{"Lambda", "Fargate", "App Runner", "EKS", "ECS", "NAT", "S3", "CPU", "Container Insights"} {
		if strings.HasPrefix(item, name) {
			return item
		}
	}
	return strings.ToLower(item[:1]) + item[1:]
}

// linesOf is the bill of a deployment as the model writes it.
func linesOf(d Deployment) []bill.Line {
	var lines []bill.Line
	for _, line := range d.MonthlyUSD.Lines {
		lines = append(lines, bill.Line(line))
	}
	return lines
}

// largest is the item that costs most, of those that not everyone pays, and what
// it costs.
func largest(lines []bill.Line) (string, float64) {
	item, most := "", 0.0
	for _, sum := range sums(slices.DeleteFunc(slices.Clone(lines), func(l bill.Line) bool { return l.Everyone })) {
		if sum.usd > most {
			item, most = sum.item, sum.usd
		}
	}
	return item, most
}

// A sum is what a bill has for one item: lines that repeat it add up.
type sum struct {
	item string
	usd  float64
}

// sums adds the lines of a bill up by item, in their order.
func sums(lines []bill.Line) []sum {
	var all []sum
	for _, line := range lines {
		i := slices.IndexFunc(all, func(s sum) bool { return s.item == line.Item })
		if i < 0 {
			all, i = append(all, sum{item: line.Item}), len(all)
		}
		all[i].usd = cents(all[i].usd + line.USD)
	}
	return all
}

func cents(usd float64) float64 { return math.Round(usd*100) / 100 }
