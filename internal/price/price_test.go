package price_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/price"
)

func TestEveryPriceHasASourceADateAndAConfidence(t *testing.T) {
	table, err := price.Embedded()
	require.NoError(t, err)
	assert.Equal(t, "us-east-1", table.Region)
	assert.GreaterOrEqual(t, len(table.All()), 30)
	for _, p := range table.All() {
		assert.Positive(t, p.USD, p.Key)
		assert.NotEmpty(t, p.Source, p.Key)
		assert.Contains(t, []string{"high", "medium-high", "medium", "medium-low", "low"}, p.Confidence, p.Key)
		assert.False(t, p.Date.After(time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)), p.Key)
	}
	assert.Equal(t, "2025-05-01", table.AsOf().Format(time.DateOnly))
}

func TestAMissingPriceIsNamed(t *testing.T) {
	table, err := price.Embedded()
	require.NoError(t, err)
	_, err = table.Get("ec2.x9.huge")
	assert.ErrorContains(t, err, "no price for ec2.x9.huge in us-east-1")
}

func TestABadTableIsRefusedWithItsLine(t *testing.T) {
	const head = "key,price,unit,item,source,date,confidence\n"
	for name, tt := range map[string]struct{ rows, want string }{
		"no rows":        {"", "no rows"},
		"no source":      {"a,1,hour,item,,2026-01-01,high\n", "line 2: a field is empty"},
		"free":           {"a,0,hour,item,s,2026-01-01,high\n", `line 2: the price is "0"`},
		"no number":      {"a,x,hour,item,s,2026-01-01,high\n", `line 2: the price is "x"`},
		"no date":        {"a,1,hour,item,s,2026-13-01,high\n", `line 2: the date is "2026-13-01"`},
		"twice":          {"a,1,hour,item,s,2026-01-01,high\na,1,hour,item,s,2026-01-01,high\n", "line 3: a of us-east-1 is there twice"},
		"too few fields": {"a,1\n", "wrong number of fields"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := price.Parse("us-east-1", []byte(head+tt.rows))
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	table, err := price.Embedded()
	require.NoError(t, err)
	data, err := price.Write(table.All())
	require.NoError(t, err)
	again, err := price.Parse(table.Region, data)
	require.NoError(t, err)
	assert.Equal(t, table, again)
}

// A change by hand, by `go generate` or by a refresh shows as what it is.
func TestTheTableIsInOrder(t *testing.T) {
	rows, err := price.Rows()
	require.NoError(t, err)
	price.Sort(rows)
	data, err := price.Write(rows)
	require.NoError(t, err)
	shipped, err := os.ReadFile("prices.csv")
	require.NoError(t, err)
	assert.Equal(t, string(shipped), string(data), "run go generate ./internal/price")
}
