package bill_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/bill"
)

// flat bills the same under any load, and takes loads up to most.
func flat(id string, usd float64) bill.Plan {
	return bill.Plan{ID: id, Charges: []bill.Charge{{Item: "all", Key: "one", Driver: bill.Month, Quantity: usd}}}
}

// perRequest bills a millionth of usd for each request.
func perRequest(id string, usd float64) bill.Plan {
	return bill.Plan{ID: id, Charges: []bill.Charge{{Item: "all", Key: "one", Driver: bill.Requests, Quantity: usd / 1e6}}}
}

// tasks bills usd for each task of a quarter vCPU, of which there are most.
func tasks(id string, usd float64, most int) bill.Plan {
	return bill.Plan{
		ID:       id,
		Charges:  []bill.Charge{{Item: "all", Key: "one", Driver: bill.Copies, Quantity: usd}},
		Capacity: []bill.Capacity{{Name: "tasks", Least: 1, Most: most, VCPU: 0.25, Utilization: 0.6}},
	}
}

func model(t testing.TB, plan bill.Plan) bill.Model {
	t.Helper()
	m, err := bill.New(plan, bill.Prices{"one": {USD: 1, Unit: "dollar"}})
	require.NoError(t, err)
	return m
}

func models(t testing.TB, plans ...bill.Plan) []bill.Model {
	t.Helper()
	var all []bill.Model
	for _, p := range plans {
		all = append(all, model(t, p))
	}
	return all
}

func usage() bill.Usage {
	u := bill.Profiles()[2]
	u.Lists = 1
	return u
}

// 20 dollars are 10 million requests at 2 dollars a million: 3.805 a second for
// 730 hours.
func TestTwoLinesCrossWhereTheirBillsAreEqual(t *testing.T) {
	found := bill.Crossings(model(t, perRequest("Lambda", 2)), model(t, flat("Fargate", 20)), usage())
	require.Len(t, found, 1)
	assert.Equal(t, "Lambda", found[0].Below)
	assert.Equal(t, "Fargate", found[0].Above)
	assert.InEpsilon(t, 10e6/(730*3600), found[0].At, 1e-6)
	assert.InEpsilon(t, 0.05, 1-found[0].From/found[0].At, 0.1)
	assert.InEpsilon(t, 0.05, found[0].To/found[0].At-1, 0.1)

	ranges := bill.Cheapest(models(t, perRequest("Lambda", 2), flat("Fargate", 20)), usage())
	require.Len(t, ranges, 2)
	assert.Equal(t, []string{"Lambda"}, ranges[0].IDs)
	assert.Equal(t, []string{"Fargate"}, ranges[1].IDs)
	assert.InEpsilon(t, found[0].At, ranges[0].To, 1e-6)
}

// Bills of 2 and 1.99 cross at a shallow angle: nobody should move for that.
func TestLinesThatRunCloseTogetherAreAboutEqual(t *testing.T) {
	ranges := bill.Cheapest(models(t, perRequest("A", 2), perRequest("B", 1.99)), usage())
	require.Len(t, ranges, 1)
	assert.ElementsMatch(t, []string{"A", "B"}, ranges[0].IDs)
	assert.Empty(t, bill.Crossings(model(t, perRequest("A", 2)), model(t, perRequest("B", 1.99)), usage()))
}

func TestWhatIsCheapInSeveralRangesIsNamedInEach(t *testing.T) {
	// Three tasks are cheaper than the server, four are dearer.
	ranges := bill.Cheapest(models(t, tasks("Fargate", 15, 100), flat("Server", 50), perRequest("Lambda", 2)), usage())
	var order []string
	for _, r := range ranges {
		if len(r.IDs) == 1 {
			order = append(order, r.IDs[0])
		}
	}
	assert.Equal(t, []string{"Lambda", "Fargate", "Server"}, order)
}

// 4 tasks of a quarter vCPU at 60 percent take 0.6 vCPU: 120 requests of 5 ms.
func TestADeploymentEndsWhereItsTemplateDoes(t *testing.T) {
	ranges := bill.Cheapest(models(t, tasks("Fargate", 1, 4), flat("Server", 1000)), usage())
	require.Len(t, ranges, 2)
	assert.Equal(t, bill.Range{IDs: []string{"Fargate"}, From: bill.LeastLoad, To: ranges[0].To}, ranges[0])
	assert.InEpsilon(t, 120, ranges[0].To, 1e-6)
	assert.Equal(t, []string{"Server"}, ranges[1].IDs)

	none := bill.Cheapest(models(t, tasks("Fargate", 1, 4)), usage())
	require.Len(t, none, 2)
	assert.Empty(t, none[1].IDs)
}

func TestWhatEveryonePaysDoesNotMakeBillsAboutEqual(t *testing.T) {
	shared := bill.Charge{Item: "notes", Key: "one", Driver: bill.Lists, Quantity: 1, Everyone: true}
	a, b := flat("A", 10), flat("B", 20)
	a.Charges, b.Charges = append(a.Charges, shared), append(b.Charges, shared)
	ranges := bill.Cheapest(models(t, a, b), usage())
	require.Len(t, ranges, 1)
	assert.Equal(t, []string{"A"}, ranges[0].IDs)
}

func TestAPlanIsPlainData(t *testing.T) {
	plan := tasks("Fargate", 3, 4)
	plan.Limits, plan.Remarks = bill.Limits{Seconds: 60, SecondsBy: "it"}, []string{"so"}
	plan.Capacity[0].Host = &bill.Host{Name: "instances", Least: 1, Most: 4, VCPU: 2, MiB: 1792, CopyVCPU: 0.3, CopyMiB: 384, EarnedVCPU: 0.4}
	data, err := json.Marshal(plan)
	require.NoError(t, err)
	var again bill.Plan
	require.NoError(t, json.Unmarshal(data, &again))
	assert.Equal(t, plan, again)
}

func TestAMissingPriceIsNamed(t *testing.T) {
	_, err := bill.New(flat("A", 1), bill.Prices{})
	assert.EqualError(t, err, "A: no price for one")
}

func TestAShareIsBilledOfTheWholePrice(t *testing.T) {
	plan := bill.Plan{ID: "A", Charges: []bill.Charge{{Key: "fee", ShareOf: "vm", Driver: bill.Month, Quantity: 10}}}
	_, err := bill.New(plan, bill.Prices{"fee": {USD: 0.12, Unit: "share"}})
	assert.EqualError(t, err, "A: no price for vm")

	m, err := bill.New(plan, bill.Prices{"fee": {USD: 0.12, Unit: "share"}, "vm": {USD: 2, Unit: "hour", Compute: true}})
	require.NoError(t, err)
	u := usage()
	u.ComputeDiscount = 0.3 // a fee has no discount
	line := m.Estimate(u).Lines[0]
	assert.InDelta(t, 0.24, line.UnitPrice, 1e-9)
	assert.Equal(t, "hour", line.Unit)
	assert.Equal(t, 2.40, line.USD)
}

func TestADiscountIsTakenOffComputeOnly(t *testing.T) {
	plan := bill.Plan{ID: "A", Charges: []bill.Charge{{Key: "vm", Driver: bill.Month, Quantity: 10}, {Key: "lb", Driver: bill.Month, Quantity: 10}}}
	m, err := bill.New(plan, bill.Prices{"vm": {USD: 1, Compute: true}, "lb": {USD: 1}})
	require.NoError(t, err)
	u := usage()
	u.ComputeDiscount = 0.3
	got := m.Estimate(u)
	assert.Equal(t, []float64{7, 10}, []float64{got.Lines[0].USD, got.Lines[1].USD})
}

// Plans and loads at random; the answer is compared with the bills themselves.
func TestTheCheapestIsTheCheapest(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 11))
	between := func(low, high float64) float64 { return low * math.Pow(high/low, random.Float64()) }
	for range 200 {
		var plans []bill.Plan
		for i, n := 0, 2+random.IntN(9); i < n; i++ {
			id := string(rune('A' + i))
			plan := bill.Plan{ID: id}
			charge := func(d bill.Driver, q float64) {
				plan.Charges = append(plan.Charges, bill.Charge{Item: string(d), Key: "one", Driver: d, Quantity: q, Everyone: d == bill.Lists})
			}
			charge(bill.Lists, 1e-6)
			charge(bill.OutGB, 0.09)
			switch random.IntN(4) {
			case 0: // a function
				plan.Capacity = []bill.Capacity{{Function: &bill.Function{MiB: between(128, 4096), Concurrency: between(10, 1000)}}}
				charge(bill.BilledSeconds, between(1e-7, 1e-4))
				charge(bill.Requests, 2e-7)
			case 1: // tasks
				plan.Capacity = []bill.Capacity{{Name: "tasks", Least: 1 + random.IntN(2), Most: 2 + random.IntN(60), VCPU: between(0.1, 4), Utilization: 0.6, AtOnce: between(10, 3000)}}
				charge(bill.CopyHours, between(0.002, 0.2))
				charge(bill.LCUHours, 0.008)
				charge(bill.Month, between(1, 80))
			case 2: // instances
				plan.Capacity = []bill.Capacity{{Name: "tasks", Least: 1, Most: 4 + random.IntN(90), VCPU: 0.25, Utilization: 0.6, Host: &bill.Host{
					Name: "instances", Least: 1, Most: 1 + random.IntN(30), VCPU: 1.9, MiB: 3500, CopyVCPU: 0.25, CopyMiB: between(64, 900),
					SystemVCPU: between(0.01, 0.5), EarnedVCPU: 0.4 * float64(random.IntN(2)),
				}}}
				charge(bill.HostHours, between(0.005, 0.2))
				charge(bill.SurplusHours, 0.05)
			case 3: // always on, and by activity
				plan.Capacity = []bill.Capacity{{Name: "instances", Least: 1, Most: 25, VCPU: 0.25, Utilization: 0.6, AtOnce: 100}}
				charge(bill.ActiveHours, between(0.005, 0.1))
				charge(bill.Month, between(1, 80))
			}
			plans = append(plans, plan)
		}
		all := models(t, plans...)
		u := usage()
		u.CPUMillis, u.WaitMillis, u.HoursPerDay = between(0.1, 500), between(0.1, 5000)-0.1, between(1, 24)
		u.ResponseKB, u.Lists = between(0.1, 1000), 1
		ranges := bill.Cheapest(all, u)

		assert.InDelta(t, bill.LeastLoad, ranges[0].From, 1e-9)
		assert.InDelta(t, bill.MostLoad, ranges[len(ranges)-1].To, 1e-6)
		for i := 1; i < len(ranges); i++ {
			assert.Equal(t, ranges[i-1].To, ranges[i].From, "no gap")
			assert.NotEqual(t, ranges[i-1].IDs, ranges[i].IDs, "no answer twice")
		}
		for range 400 {
			at := u
			at.RequestsPerSecond = between(bill.LeastLoad, bill.MostLoad)
			best, least := "", math.Inf(1)
			for _, m := range all {
				usd, everyone := m.Amount(at)
				if usd -= everyone; m.Takes(at) && usd < least-1e-9 {
					best, least = m.Plan.ID, usd
				}
			}
			i := slices.IndexFunc(ranges, func(r bill.Range) bool { return at.RequestsPerSecond <= r.To })
			if best == "" {
				assert.Empty(t, ranges[i].IDs, "nothing takes %g requests/s", at.RequestsPerSecond)
				continue
			}
			require.Contains(t, ranges[i].IDs, best, "at %g requests/s", at.RequestsPerSecond)
		}
	}
}

func TestLoadsSpanTheRangeEvenly(t *testing.T) {
	loads := bill.Loads(2)
	assert.Len(t, loads, 15)
	assert.InEpsilon(t, bill.LeastLoad, loads[0], 1e-9)
	assert.InEpsilon(t, bill.MostLoad, loads[14], 1e-9)
}
