package bill

import (
	"cmp"
	"math"
	"slices"
)

// The range of loads that comparisons look at, in requests a second.
const (
	LeastLoad = 0.001
	MostLoad  = 10_000
)

// Tolerance is how far apart two bills are about equal, as a share of the
// smaller one without what everyone pays alike. The prices and the assumptions
// bear no finer advice.
const Tolerance = 0.05

// Narrow is how wide a range of loads has to be, as a share of its lower end, to
// be told apart from its neighbours: nobody knows their load better.
const Narrow = 0.2

// Loads returns the loads that a curve is drawn through, evenly in logarithm,
// with n points a factor of ten.
func Loads(n int) []float64 {
	decades := int(math.Round(math.Log10(MostLoad / LeastLoad)))
	loads := make([]float64, n*decades+1)
	for i := range loads {
		loads[i] = LeastLoad * math.Pow(10, float64(i)/float64(n))
	}
	return loads
}

// A Range is a range of loads, in requests a second, with what is cheapest in
// it. Several ids are about equal: each is within the [Tolerance] of the cheapest
// somewhere in the range, and the cheapest is always among them. The first is
// the cheapest over most of the range. Without ids, nothing takes the load.
type Range struct {
	IDs      []string
	From, To float64
}

// A Crossing is where two deployments change places. From and To enclose where
// their bills are about equal; At is where the order changes.
type Crossing struct {
	Below, Above string // the cheaper one below, and above
	At, From, To float64
}

// Cheapest returns who is the cheapest over which load, from [LeastLoad] to
// [MostLoad], without a gap. A deployment that does not take a load as its plan
// stands is not compared there.
//
// It is exact: between the loads at which a copy or an instance is added, a tier
// begins or a plan ends, each bill is a line, and lines cross where they say.
func Cheapest(models []Model, usage Usage) []Range {
	pieces := piecesOf(models, usage)
	var ranges []span
	for i, p := range pieces {
		if n := len(ranges); n > 0 && ranges[n-1].ids == p.near {
			ranges[n-1].end = i + 1
			continue
		}
		ranges = append(ranges, span{ids: p.near, start: i, end: i + 1})
	}
	ranges = widened(ranges, pieces)
	out := make([]Range, len(ranges))
	for i, r := range ranges {
		share := make([]float64, len(models))
		for _, p := range pieces[r.start:r.end] {
			if p.best >= 0 {
				share[p.best] += math.Log(p.to / p.from)
			}
		}
		out[i] = Range{From: pieces[r.start].from, To: pieces[r.end-1].to}
		var order []int
		for j := range models {
			if r.ids.has(j) {
				order = append(order, j)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(share[b], share[a]) })
		for _, j := range order {
			out[i].IDs = append(out[i].IDs, models[j].Plan.ID)
		}
	}
	return out
}

// Crossings returns where two deployments change places, while both take the
// load. Where they change back and forth within the tolerance, that is one.
func Crossings(a, b Model, usage Usage) []Crossing {
	const both = set(3)
	var found []Crossing
	pieces := piecesOf([]Model{a, b}, usage)
	ids := [2]string{a.Plan.ID, b.Plan.ID}
	last, equalFrom := -1, -1 // who was clearly cheaper, and the piece since when neither is
	for i, p := range pieces {
		switch {
		case p.takes != both:
			last, equalFrom = -1, -1
		case p.near == both:
			if equalFrom < 0 {
				equalFrom = i
			}
		default:
			if last >= 0 && last != p.best {
				c := Crossing{Below: ids[last], Above: ids[p.best], From: p.from, To: p.from, At: p.from}
				if equalFrom >= 0 {
					c.From = pieces[equalFrom].from
					c.At = flip(pieces[equalFrom:i+1], p.best)
				}
				found = append(found, c)
			}
			last, equalFrom = p.best, -1
		}
	}
	return found
}

// flip is where the one who is cheaper in the end becomes so for good.
func flip(pieces []piece, best int) float64 {
	for i := len(pieces) - 1; i >= 0; i-- {
		if pieces[i].best != best {
			return pieces[i].to
		}
	}
	return pieces[0].from
}

// set is some of the models, a bit each.
type set uint64

func (s set) has(i int) bool { return s>>i&1 == 1 }

// A piece is a range of loads in which the order does not change.
type piece struct {
	from, to    float64
	best        int // -1 when nothing takes the load
	near, takes set // about as cheap as the best; and what takes the load
}

// A line is a bill in a range of loads where it has no corner.
type line struct{ base, slope float64 }

func (l line) at(load float64) float64 { return l.base + l.slope*load }

// piecesOf cuts the range of loads wherever an order changes.
func piecesOf(models []Model, usage Usage) []piece {
	cuts := []float64{LeastLoad, MostLoad}
	for _, m := range models {
		cuts = append(cuts, m.corners(usage)...)
	}
	slices.Sort(cuts)
	var pieces []piece
	lines := make([]line, len(models))
	for i := 1; i < len(cuts); i++ {
		from, to := cuts[i-1], cuts[i]
		if from < LeastLoad || to > MostLoad || to/from < 1+1e-9 {
			continue
		}
		var takes set
		for j, m := range models {
			low, high := from+(to-from)/4, to-(to-from)/4
			at := usage
			at.RequestsPerSecond = (from + to) / 2
			if !m.Takes(at) {
				continue
			}
			takes |= 1 << j
			at.RequestsPerSecond = low
			usdLow, everyoneLow := m.Amount(at)
			at.RequestsPerSecond = high
			usdHigh, everyoneHigh := m.Amount(at)
			usdLow, usdHigh = usdLow-everyoneLow, usdHigh-everyoneHigh
			slope := (usdHigh - usdLow) / (high - low)
			lines[j] = line{usdLow - slope*low, slope}
		}
		pieces = append(pieces, ordered(lines, takes, from, to)...)
	}
	return pieces
}

// ordered cuts a range of loads without corners where lines cross, or come
// within the tolerance of each other.
func ordered(lines []line, takes set, from, to float64) []piece {
	cuts := []float64{from, to}
	for i := range lines {
		for j := range lines {
			if i == j || !takes.has(i) || !takes.has(j) {
				continue
			}
			for _, factor := range [...]float64{1, 1 + Tolerance} {
				a, b := lines[i], line{lines[j].base*factor + (factor-1)/Tolerance*cent, lines[j].slope * factor}
				if x := (b.base - a.base) / (a.slope - b.slope); x > from && x < to {
					cuts = append(cuts, x)
				}
			}
		}
	}
	slices.Sort(cuts)
	var pieces []piece
	for k := 1; k < len(cuts); k++ {
		low, high := cuts[k-1], cuts[k]
		if high <= low {
			continue
		}
		middle := (low + high) / 2
		p := piece{from: low, to: high, best: -1, takes: takes}
		least := math.Inf(1)
		for i := range lines {
			if takes.has(i) && lines[i].at(middle) < least {
				p.best, least = i, lines[i].at(middle)
			}
		}
		for i := range lines {
			if takes.has(i) && lines[i].at(middle) <= least*(1+Tolerance)+cent {
				p.near |= 1 << i
			}
		}
		pieces = append(pieces, p)
	}
	return pieces
}

// cent is a difference that is none, however small the bills.
const cent = 0.01

// corners returns the loads at which the bill is not a line, or the plan ends.
func (m Model) corners(usage Usage) []float64 {
	var found []float64
	perLoad := usage.LoadedHours() * 3600 // requests a month for one a second
	if perLoad == 0 {
		return nil
	}
	if kB := m.Plan.outKB(usage); kB > 0 {
		for _, gb := range [...]float64{freeOutGB, tier10, tier50, tier150} {
			found = append(found, gb*1e6/(perLoad*kB))
		}
	}
	found = append(found, 1.0/activeSeconds)
	for i := range m.Plan.Capacity {
		c := &m.Plan.Capacity[i]
		if c.Function != nil {
			at := usage
			at.RequestsPerSecond = 1
			w := m.work(at)
			found = append(found, c.Function.Concurrency/w.of(i).concurrent, 10*c.Function.Concurrency)
			continue
		}
		var steps []float64
		for n := c.Least; n <= c.Most; n++ {
			if c.VCPU > 0 && c.Utilization > 0 && usage.CPUMillis > 0 {
				steps = append(steps, float64(n)*c.VCPU*c.Utilization*1000/usage.CPUMillis)
			}
			if seconds := c.seconds(usage); c.AtOnce > 0 && seconds > 0 {
				steps = append(steps, float64(n)*c.AtOnce/seconds)
			}
		}
		found = append(found, steps...)
		if c.Host == nil || c.Host.EarnedVCPU == 0 || usage.CPUMillis == 0 {
			continue
		}
		// Between two steps the instances earn alike, and the load spends more.
		slices.Sort(steps)
		steps = append(append([]float64{0}, steps...), math.Max(MostLoad, 2*slices.Max(append(steps, 1))))
		for k := 1; k < len(steps); k++ {
			at := usage
			at.RequestsPerSecond = (steps[k-1] + steps[k]) / 2
			w := m.work(at)
			corner := w.of(i).hostHours * c.Host.EarnedVCPU / (usage.CPUMillis / 1000 * usage.LoadedHours())
			if corner > steps[k-1] && corner < steps[k] {
				found = append(found, corner)
			}
		}
	}
	return slices.DeleteFunc(found, func(x float64) bool { return !(x > LeastLoad && x < MostLoad) })
}

// A span is a range of pieces with the same answer.
type span struct {
	ids        set
	start, end int
}

// widened makes one answer of neighbours that are [Narrow], and divides one that
// stands alone where the order changes: noise is no advice. Where nothing takes
// the load, that is no noise.
func widened(ranges []span, pieces []piece) []span {
	narrow := func(r span) bool { return r.ids != 0 && pieces[r.end-1].to/pieces[r.start].from < 1+Narrow }
	var wide []span
	for i := 0; i < len(ranges); i++ {
		r := ranges[i]
		for narrow(ranges[i]) && i+1 < len(ranges) && narrow(ranges[i+1]) {
			i++
			r = span{r.ids | ranges[i].ids, r.start, ranges[i].end}
		}
		wide = append(wide, r)
	}
	for i := 1; i+1 < len(wide); i++ {
		if before, after := &wide[i-1], &wide[i+1]; narrow(wide[i]) {
			if at, ok := divide(wide[i], *before, *after, pieces); ok {
				before.end, after.start = at, at
				wide = slices.Delete(wide, i, i+1)
				i--
			}
		}
	}
	return joined(wide)
}

// divide returns the piece at which a narrow range falls to its neighbours so
// that each still names its cheapest.
func divide(r, before, after span, pieces []piece) (int, bool) {
	for at := r.start; at <= r.end; at++ {
		ok := true
		for k := r.start; k < r.end && ok; k++ {
			owner := before.ids
			if k >= at {
				owner = after.ids
			}
			ok = pieces[k].best < 0 && owner == 0 || pieces[k].best >= 0 && owner.has(pieces[k].best)
		}
		if ok {
			return at, true
		}
	}
	return 0, false
}

// joined makes one of neighbours with the same answer.
func joined(ranges []span) []span {
	out := ranges[:1]
	for _, r := range ranges[1:] {
		if last := &out[len(out)-1]; last.ids == r.ids {
			last.end = r.end
			continue
		}
		out = append(out, r)
	}
	return out
}
