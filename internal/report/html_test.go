package report_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageHasEverySectionAndTheBillsOfTheJSON(t *testing.T) {
	r := all(t)
	var buffer bytes.Buffer
	require.NoError(t, r.Write(&buffer, "html"))
	page := buffer.String()
	for _, section := range r.Sections() {
		if section.Name != "cost" {
			assert.Contains(t, page, "<h2>"+section.Title+"</h2>")
		}
	}
	assert.Contains(t, page, "<h2>Resources by type</h2>")
	for _, d := range r.Deployments {
		assert.Contains(t, page, fmt.Sprintf("<td>%.2f</td><td>%.2f</td>", d.MonthlyUSD.Idle, d.MonthlyUSD.Total), d.ID)
		for _, line := range d.MonthlyUSD.Lines {
			assert.Contains(t, page, fmt.Sprintf("<td>%.2f</td>", line.USD), "%s: %s", d.ID, line.Item)
		}
	}
	for _, fact := range []string{r.Prices.Region, r.Prices.AsOf, r.Settings["profile"], r.Settings["architecture"], r.Version} {
		assert.Contains(t, page, "<dd>"+fact)
	}
}

// The first page builds its model; this measures the later ones.
func BenchmarkHTML(b *testing.B) {
	r := all(b)
	var buffer bytes.Buffer
	require.NoError(b, r.Write(&buffer, "html")) // builds the model
	b.ReportAllocs()
	for b.Loop() {
		buffer.Reset()
		require.NoError(b, r.Write(&buffer, "html"))
	}
	b.ReportMetric(float64(buffer.Len())/1e6, "MB")
}
