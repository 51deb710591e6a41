package report_test

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
	"refdeploy/internal/report"
)

// build compares the reviewed templates of the sandbox.
func build(t testing.TB, usage bill.Usage, ids ...string) report.Report {
	t.Helper()
	var stacks []assembly.Stack
	for _, id := range ids {
		data, err := os.ReadFile(project.Path("stacks", "testdata", id+".sandbox.golden.json"))
		require.NoError(t, err)
		stack := assembly.Stack{ID: id}
		require.NoError(t, json.Unmarshal(data, &stack.Template))
		stacks = append(stacks, stack)
	}
	prices, err := price.Embedded()
	require.NoError(t, err)
	r, err := report.Build(stacks, prices, usage)
	require.NoError(t, err)
	return r
}

func all(t testing.TB) report.Report { return build(t, bill.Profiles()[1], catalog.IDs()...) }

// decode returns the report as JSON readers see it.
func decode(t *testing.T, r report.Report) map[string]any {
	t.Helper()
	var buffer bytes.Buffer
	require.NoError(t, r.Write(&buffer, "json"))
	var decoded map[string]any
	require.NoError(t, json.Unmarshal(buffer.Bytes(), &decoded))
	return decoded
}

// Teams gate on these keys: they may gain neighbours, never lose their names.
func TestTheJSONKeepsItsSchema(t *testing.T) {
	r := decode(t, all(t))
	keys := func(value any, want ...string) map[string]any {
		object, ok := value.(map[string]any)
		require.True(t, ok, "%v", value)
		for _, key := range want {
			require.Contains(t, object, key)
			require.NotNil(t, object[key], key)
		}
		return object
	}
	first := func(value any) any {
		list, ok := value.([]any)
		require.True(t, ok, "%v", value)
		require.NotEmpty(t, list)
		return list[0]
	}
	keys(r, "settings", "prices", "usage", "deployments", "breakEven", "cheapest")
	keys(r["settings"], "profile", "architecture")
	keys(r["prices"], "region", "asOf")
	keys(r["usage"], "profile", "requestsPerSecond", "cpuMs", "responseKB", "hoursPerDay")
	require.Len(t, r["deployments"], 5)
	for _, value := range r["deployments"].([]any) {
		d := keys(value, "id", "status", "controlPlane", "dataPlane", "resources", "outside", "identity", "iam", "exposure",
			"monthlyUSD", "duties", "limits", "needs", "leftovers")
		keys(d["resources"], "total", "byType")
		keys(d["iam"], "roles", "statements", "wildcardActions", "wildcardResources")
		keys(first(d["exposure"]), "port", "cidr", "resource")
		bill := keys(d["monthlyUSD"], "total", "lines", "unpriced")
		keys(first(bill["lines"]), "item", "quantity", "unit", "unitPrice", "usd", "resource", "source")
		keys(d["duties"], "controlPlane", "hostOS", "runtime", "image", "scale", "rollBack", "shell", "readLogs")
		keys(d["limits"], "scaleToZero", "longestRequest", "largestRequest", "largestResponse", "gpu", "architectures", "scalesIn")
	}
	keys(first(r["breakEven"]), "a", "b", "requestsPerSecond")
}

func TestNothingInTheJSONIsNull(t *testing.T) {
	var buffer bytes.Buffer
	require.NoError(t, build(t, bill.Profiles()[0], "Lambda").Write(&buffer, "json"))
	assert.NotContains(t, buffer.String(), "null")
}

func TestTheOrderIsTheCatalogs(t *testing.T) {
	shuffled := catalog.IDs()
	slices.Reverse(shuffled)
	var got []string
	for _, d := range build(t, bill.Profiles()[0], shuffled...).Deployments {
		got = append(got, d.ID)
	}
	assert.Equal(t, catalog.IDs(), got)
}

func TestTheCheapestCoverTheRangeWithoutGaps(t *testing.T) {
	cheapest := all(t).Cheapest
	require.NotEmpty(t, cheapest)
	assert.Equal(t, "Lambda", cheapest[0].ID, "nothing is cheaper than nothing")
	assert.InEpsilon(t, bill.LeastLoad, cheapest[0].From, 0.01)
	assert.InEpsilon(t, bill.MostLoad, cheapest[len(cheapest)-1].To, 0.01)
	for i, c := range cheapest {
		assert.Less(t, c.From, c.To)
		if i > 0 {
			assert.Equal(t, cheapest[i-1].To, c.From)
			assert.NotEqual(t, cheapest[i-1].ID, c.ID)
		}
	}
}

// Each break-even is checked against the bills on both of its sides.
func TestBreakEvensSayWhoIsCheaperOnWhichSide(t *testing.T) {
	r := all(t)
	require.NotEmpty(t, r.BreakEven)
	total := func(id string, rps float64) float64 {
		usage := bill.Profiles()[1]
		usage.RequestsPerSecond = rps
		return build(t, usage, id).Deployments[0].MonthlyUSD.Total
	}
	for _, b := range r.BreakEven[:5] {
		below, above := b.RequestsPerSecond*0.99, b.RequestsPerSecond*1.01
		assert.LessOrEqual(t, total(b.A, below), total(b.B, below), "%v", b)
		assert.LessOrEqual(t, total(b.B, above), total(b.A, above), "%v", b)
	}
}

func TestEveryFormatForPeopleHasEveryDeploymentAndEveryDuty(t *testing.T) {
	r := all(t)
	for _, format := range []string{"table", "markdown"} {
		var buffer bytes.Buffer
		require.NoError(t, r.Write(&buffer, format))
		for _, d := range r.Deployments {
			assert.Contains(t, buffer.String(), d.ID, format)
			for _, field := range append(d.Duties.Fields(), d.Limits.Fields()...) {
				assert.Contains(t, buffer.String(), field.Label, format)
			}
		}
		assert.Contains(t, buffer.String(), `Load "small": 1 requests/s`)
		assert.Contains(t, buffer.String(), "The cheapest")
	}
}

func TestMarkdownTablesHaveAsManyCellsInEachRow(t *testing.T) {
	var buffer bytes.Buffer
	require.NoError(t, all(t).Write(&buffer, "markdown"))
	rows := 0
	for _, row := range strings.Split(buffer.String(), "\n") {
		if strings.HasPrefix(row, "|") {
			assert.Equal(t, 7, strings.Count(row, "|")-strings.Count(row, `\|`), row)
			rows++
		}
	}
	assert.Greater(t, rows, 40)
}

func TestAnAssemblyWithoutOurStacksIsAnError(t *testing.T) {
	prices, err := price.Embedded()
	require.NoError(t, err)
	_, err = report.Build([]assembly.Stack{{ID: "Other"}}, prices, bill.Profiles()[0])
	assert.ErrorContains(t, err, "no stack of the catalog; known: [EcsEc2")
}

func TestADiffHasWhatChangesAndNothingElse(t *testing.T) {
	r := all(t)
	d, err := r.Compare("EcsFargate", "Lambda")
	require.NoError(t, err)
	assert.Contains(t, d.Resources, report.Count{Name: "AWS::EC2::VPC", From: 1, To: 0})
	assert.Contains(t, d.Resources, report.Count{Name: "AWS::Lambda::Url", From: 0, To: 1})
	for _, c := range d.Resources {
		assert.NotEqual(t, c.From, c.To, c.Name)
		assert.NotEqual(t, "AWS::S3::Bucket", c.Name, "both have one")
	}
	for _, c := range append(d.Duties, d.Limits...) {
		assert.NotEqual(t, c.From, c.To, c.Name)
	}
	last := d.Cost[len(d.Cost)-1]
	assert.Equal(t, "all", last.Item)
	assert.Greater(t, last.From, last.To)
	assert.Contains(t, d.Learn, "how permissions reach the app: Lambda execution role")

	back, err := r.Compare("Lambda", "EcsFargate")
	require.NoError(t, err)
	assert.Len(t, back.Resources, len(d.Resources))
	assert.Contains(t, back.Learn, "the control plane ECS")

	same, err := r.Compare("Lambda", "Lambda")
	require.NoError(t, err)
	assert.Empty(t, same.Resources)
	assert.Empty(t, same.Learn)
	_, err = r.Compare("Lambda", "Heroku")
	assert.ErrorContains(t, err, "the report has no Heroku")
}

func TestADiffIsTextOrJSON(t *testing.T) {
	d, err := all(t).Compare("EcsFargate", "EcsEc2")
	require.NoError(t, err)
	var buffer bytes.Buffer
	require.NoError(t, d.Write(&buffer, "text"))
	assert.Contains(t, buffer.String(), "  + AWS::ECS::CapacityProvider: 0 → 1\n")
	assert.Contains(t, buffer.String(), "To learn\n")
	buffer.Reset()
	require.NoError(t, d.Write(&buffer, "json"))
	var decoded report.Diff
	require.NoError(t, json.Unmarshal(buffer.Bytes(), &decoded))
	assert.Equal(t, d, decoded)
	assert.ErrorContains(t, d.Write(&buffer, "xml"), "allowed: text, json")
}
