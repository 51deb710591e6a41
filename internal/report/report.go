// Package report puts the deployments beside each other: what their templates
// say, what the catalog knows, and what they cost.
package report

import (
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/inventory"
	"refdeploy/internal/price"
	"refdeploy/internal/settings"
)

// A Report is the comparison. Its JSON is documented in docs/reference.md and
// stable: keys are added, never renamed or removed.
type Report struct {
	Version     string            `json:"version"`  // of refdeploy, devel when it was not built from a version
	Settings    map[string]string `json:"settings"` // what all stacks were synthesized with
	Prices      Prices            `json:"prices"`
	Usage       Usage             `json:"usage"`
	Deployments []Deployment      `json:"deployments"`
	BreakEven   []BreakEven       `json:"breakEven"`
	Cheapest    []Cheapest        `json:"cheapest"`
	NotCompared []string          `json:"notCompared"` // left out of cheapest: closed to new customers, or on your own servers
	NotRanked   []string          `json:"notRanked"`   // not in the catalog, and of a bill too incomplete to call cheap

	usage  bill.Usage
	prices bill.Prices
	closed bool                 // whether what is closed to new customers may be the cheapest
	models []bill.Model         // in the order of the deployments
	own    map[string]bool      // the deployments on your own servers
	curves map[string][]float64 // monthly totals by id, at curveLoads, without what everyone pays
	idle   map[string]bill.Estimate
}

// Prices says where the prices are from.
type Prices struct {
	Region string `json:"region"`
	AsOf   string `json:"asOf"`   // date of the oldest, YYYY-MM-DD
	Newest string `json:"newest"` // date of the newest, YYYY-MM-DD

	// Borrowed are the keys of prices in the bills that are another region's,
	// because none of this one is known. Each line says whose.
	Borrowed []string `json:"borrowed"`
}

// Usage is the assumed load.
type Usage struct {
	Profile           string  `json:"profile"`
	RequestsPerSecond float64 `json:"requestsPerSecond"`
	CPUMs             float64 `json:"cpuMs"`
	WaitMs            float64 `json:"waitMs"`
	RequestKB         float64 `json:"requestKB"`
	ResponseKB        float64 `json:"responseKB"`
	HoursPerDay       float64 `json:"hoursPerDay"`

	ReadsPerRequest       float64 `json:"readsPerRequest"`
	WritesPerRequest      float64 `json:"writesPerRequest"`
	ListsPerRequest       float64 `json:"listsPerRequest"`
	LogBytesPerRequest    float64 `json:"logBytesPerRequest"` // of the app's own
	RequestsPerConnection float64 `json:"requestsPerConnection"`
	ComputeDiscount       float64 `json:"computeDiscount"` // percent
}

// A Deployment is one column of the comparison: one of the catalog, or a stack
// of which only the template tells. The template's facts come of both.
type Deployment struct {
	ID           string         `json:"id"`
	InCatalog    bool           `json:"inCatalog"`
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
	Unread       []string       `json:"notUnderstood"` // of the template
	MonthlyUSD   Bill           `json:"monthlyUSD"`
	Duties       catalog.Duties `json:"duties"`
	Limits       catalog.Limits `json:"limits"`
	Needs        []string       `json:"needs"`
	Leftovers    []string       `json:"leftovers"`

	closed bool // to new customers
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
	ToPort   int    `json:"toPort"` // the last of a range, or the same
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
	Idle     float64  `json:"idle"`     // total while nobody calls
	Unpriced []string `json:"unpriced"` // bills, and has no price here
	Warnings []string `json:"warnings"`
	Remarks  []string `json:"remarks"` // what to know of the bill under any load
	Beyond   string   `json:"beyond"`  // why the deployment cannot take the load as its template stands, or ""
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
	Region    string  `json:"region"`   // whose price it is
	Everyone  bool    `json:"everyone"` // every deployment pays it alike, so it does not decide
}

// A BreakEven is a load at which the cheaper of two changes.
type BreakEven struct {
	A                 string  `json:"a"` // cheaper below
	B                 string  `json:"b"` // cheaper above
	RequestsPerSecond float64 `json:"requestsPerSecond"`

	// From and To enclose where the two cost about the same.
	From float64 `json:"fromRequestsPerSecond"`
	To   float64 `json:"toRequestsPerSecond"`
}

// Cheapest names the cheapest deployment of a range of load. Several cost about
// the same; with none, nothing takes the load as its template stands.
type Cheapest struct {
	ID   string   `json:"id"` // the cheapest over most of the range, or ""
	IDs  []string `json:"ids"`
	From float64  `json:"fromRequestsPerSecond"`
	To   float64  `json:"toRequestsPerSecond"`
}

// curvePoints is how many points a factor of ten the curves have.
const curvePoints = 20

// An Option changes what [Build] does.
type Option func(*options)

type options struct{ closed bool }

// IncludeClosed lets what AWS closed to new customers be the cheapest, for those
// who have it. By default nobody is advised to take what they cannot have.
func IncludeClosed() Option { return func(o *options) { o.closed = true } }

// Build compares the stacks that the catalog knows, in its order, and then the
// others in theirs. It fails when there is none, or a price is missing.
func Build(stacks []assembly.Stack, prices price.Table, usage bill.Usage, with ...Option) (Report, error) {
	var chosen options
	for _, option := range with {
		option(&chosen)
	}
	r := Report{
		Version:  version(),
		Settings: map[string]string{},
		Prices:   Prices{Region: prices.Region, AsOf: prices.AsOf().Format(time.DateOnly), Newest: newest(prices), Borrowed: []string{}},
		Usage: Usage{
			Profile: usage.Profile, RequestsPerSecond: usage.RequestsPerSecond, CPUMs: usage.CPUMillis, WaitMs: usage.WaitMillis,
			RequestKB: usage.RequestKB, ResponseKB: usage.ResponseKB, HoursPerDay: usage.HoursPerDay,
			ReadsPerRequest: usage.Reads, WritesPerRequest: usage.Writes, ListsPerRequest: usage.Lists,
			LogBytesPerRequest: usage.LogBytes, RequestsPerConnection: usage.RequestsPerConnection, ComputeDiscount: exact(usage.ComputeDiscount * 100),
		},
		BreakEven: []BreakEven{}, Cheapest: []Cheapest{}, NotCompared: []string{}, NotRanked: []string{},
		usage: usage, prices: cost.Prices(prices), closed: chosen.closed, own: map[string]bool{}, curves: map[string][]float64{}, idle: map[string]bill.Estimate{},
	}
	var compared []bill.Model
	for _, e := range entries(assembly.Whole(stacks, settings.NetworkID)) {
		id := e.stack.ID
		if e.stack.Shares {
			r.Settings["network"] = string(settings.Shared)
		}
		for _, key := range []string{"profile", "architecture", "app", "port", "healthPath", "cpu", "memory", "bucket"} {
			if value := e.stack.Template.Setting(key); value != "" {
				r.Settings[key] = value
			}
		}
		model, err := cost.NewModel(e.stack, prices)
		if err != nil {
			return Report{}, fmt.Errorf("%w in %s; add it to internal/price/prices.csv with its source and date", err, prices.Region)
		}
		r.idle[id] = model.Estimate(at(usage, 0))
		for _, load := range curveLoads() {
			usd, everyone := model.Amount(at(usage, load))
			r.curves[id] = append(r.curves[id], usd-everyone)
		}
		r.models = append(r.models, model)
		d := describe(e, inventory.Of(e.stack.Template), model, usage)
		r.Deployments = append(r.Deployments, d)
		r.own[id] = e.known.OwnServers
		switch {
		case e.known.OwnServers, e.known.ClosedSince != "" && !chosen.closed:
			r.NotCompared = append(r.NotCompared, id)
		case !d.InCatalog && (len(model.Plan.Capacity) == 0 || len(model.Plan.Unpriced) > 0 || len(d.Unread) > 0):
			r.NotRanked = append(r.NotRanked, id)
		default:
			compared = append(compared, model)
		}
	}
	if len(r.Deployments) == 0 {
		return Report{}, errors.New("there is no stack to compare")
	}
	for _, d := range r.Deployments {
		for _, line := range d.MonthlyUSD.Lines {
			if line.Region != prices.Region && !slices.Contains(r.Prices.Borrowed, line.PriceKey) {
				r.Prices.Borrowed = append(r.Prices.Borrowed, line.PriceKey)
			}
		}
	}
	slices.Sort(r.Prices.Borrowed)
	r.compare(compared)
	return r, nil
}

// An entry is a stack with what the catalog knows of it.
type entry struct {
	stack     assembly.Stack
	known     catalog.Deployment
	inCatalog bool
}

// entries returns the stacks in the order of the columns.
func entries(stacks []assembly.Stack) []entry {
	var all []entry
	for _, d := range catalog.All() {
		for _, s := range stacks {
			if s.ID != d.ID || !s.Ours() {
				continue
			}
			known := d
			if s.Template.Setting("app") != "" {
				known = d.ForOwnApp()
			}
			all = append(all, entry{s, known, true})
		}
	}
	for _, s := range stacks {
		if !slices.Contains(catalog.IDs(), s.ID) || !s.Ours() {
			all = append(all, entry{stack: s})
		}
	}
	return all
}

// at is a usage with another load.
func at(usage bill.Usage, requestsPerSecond float64) bill.Usage {
	usage.RequestsPerSecond = requestsPerSecond
	return usage
}

// newest is the date of the newest price.
func newest(prices price.Table) string {
	all := prices.All()
	return slices.MaxFunc(all, func(a, b price.Price) int { return a.Date.Compare(b.Date) }).Date.Format(time.DateOnly)
}

// version is the version that the program was built from, or devel.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "devel"
}

func curveLoads() []float64 { return bill.Loads(curvePoints) }

// compare finds who is the cheapest, and the break-even loads of each pair.
func (r *Report) compare(models []bill.Model) {
	if len(models) > 0 {
		for _, c := range bill.Cheapest(models, r.usage) {
			found := Cheapest{IDs: listed(c.IDs), From: significant(c.From), To: significant(c.To)}
			if len(c.IDs) > 0 {
				found.ID = c.IDs[0]
			}
			r.Cheapest = append(r.Cheapest, found)
		}
	}
	ranked := slices.DeleteFunc(slices.Clone(r.models), func(m bill.Model) bool { return r.unranked(m.Plan.ID) })
	for i, a := range ranked {
		for _, b := range ranked[i+1:] {
			for _, c := range bill.Crossings(a, b, r.usage) {
				r.BreakEven = append(r.BreakEven, BreakEven{
					A: c.Below, B: c.Above, RequestsPerSecond: significant(c.At), From: significant(c.From), To: significant(c.To),
				})
			}
		}
	}
}

// exact takes the noise off a float: eight digits are more than any input has.
func exact(x float64) float64 {
	y, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 8, 64), 64)
	return y
}

// significant rounds to three digits: prices and assumptions bear no more.
func significant(x float64) float64 {
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	return exact(math.Round(x/unit) * unit)
}

func describe(e entry, inv inventory.Inventory, model bill.Model, usage bill.Usage) Deployment {
	estimate, d := model.Estimate(usage), e.known
	out := Deployment{
		ID: e.stack.ID, InCatalog: e.inCatalog, closed: d.ClosedSince != "", ControlPlane: d.ControlPlane, DataPlane: d.DataPlane,
		Resources: Resources{Total: inv.Total, ByType: inv.ByType},
		Outside:   listed(d.Outside),
		Identity:  d.Identity,
		IAM:       IAM(inv.IAM),
		Exposure:  []Exposure{},
		Storage:   facts(inv.Storage),
		Logs:      facts(inv.Logs),
		Unread:    listed(inv.NotUnderstood),
		MonthlyUSD: Bill{
			Total: estimate.Total, Idle: model.Estimate(at(usage, 0)).Total, Lines: []Line{}, Beyond: estimate.Beyond,
			Unpriced: listed(estimate.Unpriced), Warnings: listed(estimate.Warnings), Remarks: listed(model.Plan.Remarks),
		},
		Duties: d.Duties, Limits: d.Limits,
		Needs: listed(d.Needs), Leftovers: listed(d.Leftovers(settings.Profile(e.stack.Template.Setting("profile")))),
	}
	if e.inCatalog {
		out.Status = d.Status()
	}
	for _, e := range inv.Exposure {
		out.Exposure = append(out.Exposure, Exposure(e))
	}
	for _, line := range estimate.Lines {
		line.Quantity, line.UnitPrice = exact(line.Quantity), exact(line.UnitPrice)
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
