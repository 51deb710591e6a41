package answer

import (
	"fmt"
	"math"
	"slices"

	"refdeploy/internal/bill"
)

// perDecade is how many points a factor of ten a curve has.
const perDecade = 20

// Over is how bills grow with the load.
type Over struct {
	Loads     []float64
	Curves    []Curve      // of each that is chosen
	Cheapest  []string     // who is the cheapest by load
	Bounds    [][2]float64 // of each of these sentences
	Zoom      []float64
	Points    []Point
	Tolerance string
	Apart     string // that the curves leave out what all pay alike, if they do
}

// A Curve is one deployment's bill over the load.
type Curve struct {
	Deployment int
	ID         string
	USD        []float64 // at each load
	End        float64   // where the template's maximum ends, 0 when it does not
	Note       string    // the same in words
}

// A Point is the bills at one load, in words.
type Point struct {
	Load  string
	Cells []string // of each that is chosen
}

// OverLoad answers who is the cheapest over which load, and draws the curves.
func (c *Comparison) OverLoad(q Question) Over {
	loads := bill.Loads(perDecade)
	o := Over{
		Loads: slices.Clone(loads), Zoom: []float64{bill.LeastLoad, bill.MostLoad}, Points: []Point{}, Curves: []Curve{},
		Tolerance: fmt.Sprintf("“About the same” is within %g %% of the cheapest, not counting what all pay alike.", bill.Tolerance*100),
	}
	if q.Apart && slices.ContainsFunc(q.Chosen, func(d int) bool {
		return slices.ContainsFunc(c.deployments[d].Plan.Charges, func(charge bill.Charge) bool { return charge.Everyone })
	}) {
		o.Apart = "Drawn without what all pay alike; the table has it."
	}
	for _, d := range q.Chosen {
		curve := Curve{Deployment: d, ID: c.deployments[d].ID, End: c.end(d, q.Usage)}
		if curve.End > 0 {
			curve.Note = "ends at " + loadText(curve.End)
			o.Loads = append(o.Loads, curve.End)
		}
		o.Loads = append(o.Loads, c.jumps(d, q.Usage, loads)...)
		o.Curves = append(o.Curves, curve)
	}
	slices.Sort(o.Loads)
	o.Loads = slices.Compact(o.Loads)
	for i := range o.Curves {
		curve := &o.Curves[i]
		for _, load := range o.Loads {
			usd, everyone := c.amount(curve.Deployment, q.Usage, load)
			if q.Apart {
				usd -= everyone
			}
			curve.USD = append(curve.USD, math.Round(usd*100)/100)
		}
	}
	for i := 0; i < len(loads); i += perDecade {
		p := Point{Load: loadNumber(loads[i]), Cells: []string{}}
		for _, curve := range o.Curves {
			all, _ := c.amount(curve.Deployment, q.Usage, loads[i])
			cell := usd(all)
			if curve.End > 0 && loads[i] > curve.End {
				cell = "(" + cell + ")"
			}
			p.Cells = append(p.Cells, cell)
		}
		o.Points = append(o.Points, p)
	}
	o.cheapest(c, q)
	return o
}

// jumps returns the loads beside each jump of a bill, where a copy or an instance
// is added: a line between two points that enclose it would be a slope.
func (c *Comparison) jumps(d int, usage bill.Usage, loads []float64) []float64 {
	usd := func(load float64) float64 { all, _ := c.amount(d, usage, load); return all }
	var beside []float64
	last := usd(loads[0])
	for i := 1; i < len(loads); i++ {
		here := usd(loads[i])
		// Between two of the loads, a bill that is proportional grows by an eighth.
		if last > 1 && here/last > 1.15 {
			low, high, usdLow, usdHigh := loads[i-1], loads[i], last, here
			for high/low > 1.001 {
				middle := math.Sqrt(low * high)
				if usdMiddle := usd(middle); usdMiddle-usdLow > usdHigh-usdMiddle {
					high, usdHigh = middle, usdMiddle
				} else {
					low, usdLow = middle, usdMiddle
				}
			}
			beside = append(beside, low, high)
		}
		last = here
	}
	return beside
}

func (c *Comparison) amount(d int, usage bill.Usage, load float64) (usd, everyone float64) {
	usage.RequestsPerSecond = load
	return c.models[d].Amount(usage)
}

// end returns the greatest load that a deployment takes, 0 when it takes all
// that are drawn. What it takes never comes back once it is gone.
func (c *Comparison) end(d int, usage bill.Usage) float64 {
	takes := func(load float64) bool {
		usage.RequestsPerSecond = load
		return c.models[d].Takes(usage)
	}
	if takes(bill.MostLoad) {
		return 0
	}
	low, high := float64(bill.LeastLoad), float64(bill.MostLoad)
	if !takes(low) {
		return low
	}
	for high/low > 1+1e-6 {
		if middle := math.Sqrt(low * high); takes(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// cheapest says who is the cheapest, a sentence for each range.
func (o *Over) cheapest(c *Comparison, q Question) {
	o.Cheapest, o.Bounds = []string{}, [][2]float64{}
	var models []bill.Model
	remarks := map[string][]string{}
	for _, d := range q.Chosen {
		if c.eligible(d, q) {
			models = append(models, c.models[d])
			plan := c.deployments[d].Plan
			remarks[plan.ID] = plan.Remarks
		}
	}
	if len(models) == 0 || q.Usage.LoadedHours() == 0 {
		return
	}
	ranges := bill.Cheapest(models, q.Usage)
	o.Cheapest = Cheapest(ranges, remarks)
	for _, r := range ranges {
		o.Bounds = append(o.Bounds, [2]float64{r.From, r.To})
	}
	if n := len(ranges); n > 1 {
		o.Zoom[0] = math.Max(bill.LeastLoad, ranges[1].From/2)
		o.Zoom[1] = math.Min(bill.MostLoad, ranges[n-1].From*2)
	}
}

// Changes answers where any two change places.
func (c *Comparison) Changes(q Question) []string {
	all := []string{}
	for i, a := range q.Chosen {
		for _, b := range q.Chosen[i+1:] {
			for _, x := range bill.Crossings(c.models[a], c.models[b], q.Usage) {
				text := fmt.Sprintf("%s below, %s above %s", x.Below, x.Above, loadText(x.At))
				if x.To/x.From > 1.01 {
					text += fmt.Sprintf("; about the same from %s to %s", loadNumber(x.From), loadNumber(x.To))
				}
				all = append(all, text)
			}
		}
	}
	return all
}
