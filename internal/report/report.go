// Package report puts the deployments beside each other: what their templates
// say, what the catalog knows, and what they cost.
package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/inventory"
	"refdeploy/internal/price"
	"refdeploy/internal/settings"
)

// A Report is the comparison. Its JSON is documented in docs/reference.md and
// stable: keys are added, never renamed or removed.
type Report struct {
	Settings    map[string]string `json:"settings"` // what all stacks were synthesized with
	Prices      Prices            `json:"prices"`
	Usage       Usage             `json:"usage"`
	Deployments []Deployment      `json:"deployments"`
	BreakEven   []BreakEven       `json:"breakEven"`
	Cheapest    []Cheapest        `json:"cheapest"`

	curves map[string][]float64     // monthly totals by id, at curveLoads
	idle   map[string]cost.Estimate // bills by id, while nobody calls
}

// Prices says where the prices are from.
type Prices struct {
	Region string `json:"region"`
	AsOf   string `json:"asOf"` // date of the oldest, YYYY-MM-DD
}

// Usage is the assumed load.
type Usage struct {
	Profile           string  `json:"profile"`
	RequestsPerSecond float64 `json:"requestsPerSecond"`
	CPUMs             float64 `json:"cpuMs"`
	ResponseKB        float64 `json:"responseKB"`
	HoursPerDay       float64 `json:"hoursPerDay"`
}

// A Deployment is one column of the comparison.
type Deployment struct {
	ID           string         `json:"id"`
	Status       string         `json:"status"`
	ControlPlane string         `json:"controlPlane"`
	DataPlane    string         `json:"dataPlane"`
	Resources    Resources      `json:"resources"`
	Outside      []string       `json:"outside"`
	Identity     string         `json:"identity"`
	IAM          IAM            `json:"iam"`
	Exposure     []Exposure     `json:"exposure"`
	Storage      []Fact         `json:"storage"`
	Logs         []Fact         `json:"logs"`
	MonthlyUSD   Bill           `json:"monthlyUSD"`
	Duties       catalog.Duties `json:"duties"`
	Limits       catalog.Limits `json:"limits"`
	Needs        []string       `json:"needs"`
	Leftovers    []string       `json:"leftovers"`
}

// Resources counts what the template holds.
type Resources struct {
	Total  int            `json:"total"`
	ByType map[string]int `json:"byType"`
}

// IAM counts permissions that the template grants.
type IAM struct {
	Roles             int `json:"roles"`
	ManagedPolicies   int `json:"managedPolicies"`
	Statements        int `json:"statements"`
	WildcardActions   int `json:"wildcardActions"`
	WildcardResources int `json:"wildcardResources"`
}

// An Exposure is a port that the internet reaches.
type Exposure struct {
	Port     int    `json:"port"`
	CIDR     string `json:"cidr"`
	Resource string `json:"resource"`
}

// A Fact is what a resource says of encryption, or of how long it keeps logs.
type Fact struct {
	Resource string `json:"resource"`
	Type     string `json:"type"`
	Says     string `json:"says"`
}

// A Bill is a month's estimate; the lines add up to the total to the cent.
type Bill struct {
	Total    float64  `json:"total"`
	Lines    []Line   `json:"lines"`
	Unpriced []string `json:"unpriced"` // bills, and has no price here
	Warnings []string `json:"warnings"`
}

// A Line is one item of a bill.
type Line struct {
	Item      string  `json:"item"`
	Quantity  float64 `json:"quantity"`
	Unit      string  `json:"unit"`
	UnitPrice float64 `json:"unitPrice"`
	USD       float64 `json:"usd"`
	Resource  string  `json:"resource"`
	Source    string  `json:"source"`   // template or catalog
	PriceKey  string  `json:"priceKey"` // as `refdeploy prices` prints it
}

// A BreakEven is a load at which the cheaper of two changes.
type BreakEven struct {
	A                 string  `json:"a"` // cheaper below
	B                 string  `json:"b"` // cheaper above
	RequestsPerSecond float64 `json:"requestsPerSecond"`
}

// Cheapest names the cheapest deployment of a range of load.
type Cheapest struct {
	ID   string  `json:"id"`
	From float64 `json:"fromRequestsPerSecond"`
	To   float64 `json:"toRequestsPerSecond"`
}

// sharing is what to know of the bill of a stack in a shared network.
const sharing = "holds the whole shared network, as if nothing else stood in it; together, the stacks in it pay it once"

// curvePoints is how many points a factor of ten the curves have.
const curvePoints = 20

// Build compares the stacks that the catalog knows, in its order.
func Build(stacks []assembly.Stack, prices price.Table, usage cost.Usage) (Report, error) {
	r := Report{
		Settings: map[string]string{},
		Prices:   Prices{Region: prices.Region, AsOf: prices.AsOf().Format(time.DateOnly)},
		Usage: Usage{
			Profile: usage.Profile, RequestsPerSecond: usage.RequestsPerSecond, CPUMs: usage.CPUMillis,
			ResponseKB: usage.ResponseKB, HoursPerDay: usage.HoursPerDay,
		},
		BreakEven: []BreakEven{},
		Cheapest:  []Cheapest{},
		curves:    map[string][]float64{},
		idle:      map[string]cost.Estimate{},
	}
	bills := map[string]func(float64) float64{}
	stacks = assembly.Whole(stacks)
	for _, d := range catalog.All() {
		i := slices.IndexFunc(stacks, func(s assembly.Stack) bool { return s.ID == d.ID })
		if i < 0 {
			continue
		}
		stack := stacks[i]
		for _, key := range []string{"profile", "architecture"} {
			if value := stack.Template.Setting(key); value != "" {
				r.Settings[key] = value
			}
		}
		if len(stack.Shares) > 0 {
			r.Settings["network"] = string(settings.Shared)
		}
		model := cost.NewModel(stack, prices)
		estimate, err := model.Estimate(usage)
		if err != nil {
			return Report{}, err
		}
		if r.idle[d.ID], err = model.Estimate(cost.Profiles()[0]); err != nil {
			return Report{}, err
		}
		described := describe(d, settings.Profile(stack.Template.Setting("profile")), inventory.Of(stack.Template), estimate)
		if len(stack.Shares) > 0 {
			described.MonthlyUSD.Warnings = append(described.MonthlyUSD.Warnings, sharing)
		}
		r.Deployments = append(r.Deployments, described)
		bills[d.ID] = memo(func(load float64) float64 {
			at := usage
			at.RequestsPerSecond = load
			estimate, _ := model.Estimate(at) // the same prices as above
			return estimate.Total
		})
		for _, load := range curveLoads() {
			r.curves[d.ID] = append(r.curves[d.ID], bills[d.ID](load))
		}
	}
	if len(r.Deployments) == 0 {
		return Report{}, fmt.Errorf("the assembly has no stack of the catalog; known: %v", catalog.IDs())
	}
	r.crossings(bills)
	return r, nil
}

func curveLoads() []float64 { return cost.Loads(curvePoints) }

// memo remembers what f returned: curves and crossings look at the same loads.
func memo(f func(float64) float64) func(float64) float64 {
	known := map[float64]float64{}
	return func(load float64) float64 {
		total, ok := known[load]
		if !ok {
			total = f(load)
			known[load] = total
		}
		return total
	}
}

// crossings finds the break-even loads of each pair, and who is the cheapest.
func (r *Report) crossings(bills map[string]func(float64) float64) {
	for i, a := range r.Deployments {
		for _, b := range r.Deployments[i+1:] {
			for _, load := range cost.BreakEven(bills[a.ID], bills[b.ID]) {
				// A thousandth above the crossing, the order is the new one.
				below, above := a.ID, b.ID
				if bills[a.ID](load*1.001) < bills[b.ID](load*1.001) {
					below, above = b.ID, a.ID
				}
				r.BreakEven = append(r.BreakEven, BreakEven{A: below, B: above, RequestsPerSecond: significant(load)})
			}
		}
	}
	for _, load := range cost.Loads(cost.Steps) {
		best := slices.MinFunc(r.Deployments, func(a, b Deployment) int {
			return cmp.Compare(bills[a.ID](load), bills[b.ID](load))
		}).ID
		load = significant(load)
		n := len(r.Cheapest)
		switch {
		case n == 0:
			r.Cheapest = append(r.Cheapest, Cheapest{ID: best, From: load, To: load})
		case r.Cheapest[n-1].ID == best:
			r.Cheapest[n-1].To = load
		default:
			// It changes where these two cross, between this load and the last.
			load = r.crossing(r.Cheapest[n-1].ID, best, r.Cheapest[n-1].To, load)
			r.Cheapest[n-1].To = load
			r.Cheapest = append(r.Cheapest, Cheapest{ID: best, From: load, To: load})
		}
	}
	r.Cheapest = slices.DeleteFunc(r.Cheapest, func(c Cheapest) bool { return c.From == c.To })
}

// crossing returns the break-even load of two deployments between low and high,
// or high when the list has none there.
func (r *Report) crossing(a, b string, low, high float64) float64 {
	for _, e := range r.BreakEven {
		if e.RequestsPerSecond >= low && e.RequestsPerSecond <= high && (e.A == a && e.B == b || e.A == b && e.B == a) {
			return e.RequestsPerSecond
		}
	}
	return high
}

// significant rounds to three digits: prices and assumptions bear no more.
func significant(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	return math.Round(x/unit) * unit
}

func describe(d catalog.Deployment, profile settings.Profile, inv inventory.Inventory, estimate cost.Estimate) Deployment {
	out := Deployment{
		ID: d.ID, Status: d.Status(), ControlPlane: d.ControlPlane, DataPlane: d.DataPlane,
		Resources: Resources{Total: inv.Total, ByType: inv.ByType},
		Outside:   listed(d.Outside),
		Identity:  d.Identity,
		IAM:       IAM(inv.IAM),
		Exposure:  []Exposure{},
		Storage:   facts(inv.Storage),
		Logs:      facts(inv.Logs),
		MonthlyUSD: Bill{
			Total: estimate.Total, Lines: []Line{}, Unpriced: listed(estimate.Unpriced), Warnings: listed(estimate.Warnings),
		},
		Duties: d.Duties, Limits: d.Limits,
		Needs: listed(d.Needs), Leftovers: listed(d.Leftovers(profile)),
	}
	for _, e := range inv.Exposure {
		out.Exposure = append(out.Exposure, Exposure(e))
	}
	for _, line := range estimate.Lines {
		out.MonthlyUSD.Lines = append(out.MonthlyUSD.Lines, Line(line))
	}
	return out
}

func facts(found []inventory.Fact) []Fact {
	all := []Fact{}
	for _, f := range found {
		all = append(all, Fact(f))
	}
	return all
}

// listed returns list, or an empty one: JSON has no null for nothing.
func listed(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
