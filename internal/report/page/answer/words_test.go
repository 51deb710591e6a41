package answer

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/bill"
)

func TestNumbersAreWrittenForPeople(t *testing.T) {
	for want, got := range map[string]string{
		"0.00": usd(0), "12.30": usd(12.3), "999.99": usd(999.99), "1,234.50": usd(1234.5), "1,234,567.00": usd(1234567), "-1,234.00": usd(-1234), "-12.00": usd(-12),
		"0.10": unitPrice(0.1), "0.0225": unitPrice(0.0225), "0.0000133334": unitPrice(0.0000133334), "5.00": unitPrice(5),
		"131,400 requests": quantity(131400, "requests"), "0.947394 GB": quantity(0.9473941, "GB"), "0 GB": quantity(0, "GB"),
		"no load": loadText(0), "0.001 requests/s": loadText(0.001), "26.6 requests/s": loadText(26.613), "150 requests/s": loadText(150),
		"1,240 requests/s": loadText(1236), "10,000 requests/s": loadText(10000),
	} {
		assert.Equal(t, want, got)
	}
}

func TestWhoIsTheCheapestIsASentenceForEachRange(t *testing.T) {
	remarks := map[string][]string{"B": {"an old price", "no disk"}}
	assert.Equal(t, []string{
		"A is the cheapest up to 0.5 requests/s.",
		"A, B (an old price; no disk) and C cost about the same from 0.5 to 1,240 requests/s.",
		"No template here takes the load from 1,240 requests/s on.",
	}, Cheapest([]bill.Range{
		{IDs: []string{"A"}, From: 0.001, To: 0.5}, {IDs: []string{"A", "B", "C"}, From: 0.5, To: 1236}, {From: 1236, To: 10000},
	}, remarks))
	assert.Equal(t, []string{"B (an old price; no disk) is the cheapest at every load up to 10,000 requests/s."},
		Cheapest([]bill.Range{{IDs: []string{"B"}, From: 0.001, To: 10000}}, remarks))
	assert.Empty(t, Cheapest(nil, nil))
}

func TestWhatIsNotRankedHasNoPlaceWhateverIsAsked(t *testing.T) {
	plan := func(id string, usd float64) bill.Plan {
		return bill.Plan{ID: id, Charges: []bill.Charge{{Item: "all", Key: "one", Driver: bill.Month, Quantity: usd}}}
	}
	c, err := New([]Deployment{
		{ID: "Ours", Status: "current", Plan: plan("Ours", 5)},
		{ID: "Mine", Unranked: "its bill is incomplete", Plan: plan("Mine", 1)},
	}, bill.Prices{"one": {USD: 1}})
	require.NoError(t, err)
	rows := c.Rank(Question{Usage: bill.Profiles()[2], Chosen: []int{0, 1}, Closed: true}).Rows
	assert.Equal(t, []string{"Ours", "1"}, []string{rows[0].ID, rows[0].Place})
	assert.Equal(t, []string{"Mine", "–"}, []string{rows[1].ID, rows[1].Place})
	assert.Contains(t, rows[1].Notes, "its bill is incomplete")
}
