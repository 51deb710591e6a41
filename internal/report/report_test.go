package report_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

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
func build(t testing.TB, usage bill.Usage, ids []string, with ...report.Option) report.Report {
	t.Helper()
	return buildProfile(t, "sandbox", usage, ids, with...)
}

func buildProfile(t testing.TB, profile string, usage bill.Usage, ids []string, with ...report.Option) report.Report {
	t.Helper()
	var stacks []assembly.Stack
	for _, id := range ids {
		data, err := os.ReadFile(project.Path("stacks", "testdata", id+"."+profile+".golden.json"))
		require.NoError(t, err)
		stack := assembly.Stack{ID: id}
		require.NoError(t, json.Unmarshal(data, &stack.Template))
		stacks = append(stacks, stack)
	}
	prices, err := price.Embedded()
	require.NoError(t, err)
	r, err := report.Build(stacks, prices, usage, with...)
	require.NoError(t, err)
	return r
}

func all(t testing.TB) report.Report { return build(t, bill.Profiles()[1], catalog.IDs()) }

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
	require.Len(t, r["deployments"], len(catalog.IDs()))
	for _, value := range r["deployments"].([]any) {
		d := keys(value, "id", "status", "controlPlane", "dataPlane", "resources", "outside", "identity", "iam", "exposure",
			"monthlyUSD", "duties", "limits", "needs", "leftovers")
		keys(d["resources"], "total", "byType")
		keys(d["iam"], "roles", "statements", "wildcardActions", "wildcardResources")
		if d["id"] != "EcsAnywhere" { // what is open on your servers, no template says
			keys(first(d["exposure"]), "port", "cidr", "resource")
		}
		bill := keys(d["monthlyUSD"], "total", "lines", "unpriced")
		keys(first(bill["lines"]), "item", "quantity", "unit", "unitPrice", "usd", "resource", "source")
		keys(d["duties"], "controlPlane", "hostOS", "runtime", "image", "scale", "rollBack", "shell", "readLogs")
		keys(d["limits"], "scaleToZero", "longestRequest", "largestRequest", "largestResponse", "gpu", "architectures", "scalesIn")
	}
	keys(first(r["breakEven"]), "a", "b", "requestsPerSecond")
}

func TestNothingInTheJSONIsNull(t *testing.T) {
	var buffer bytes.Buffer
	require.NoError(t, build(t, bill.Profiles()[0], []string{"Lambda"}).Write(&buffer, "json"))
	assert.NotContains(t, buffer.String(), "null")
}

func TestTheOrderIsTheCatalogs(t *testing.T) {
	shuffled := catalog.IDs()
	slices.Reverse(shuffled)
	var got []string
	for _, d := range build(t, bill.Profiles()[0], shuffled).Deployments {
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
			assert.NotEqual(t, cheapest[i-1].IDs, c.IDs)
		}
	}
}

func TestNobodyIsAdvisedToTakeWhatTheyCannotHave(t *testing.T) {
	named := func(r report.Report) (ids []string) {
		for _, c := range r.Cheapest {
			ids = append(ids, c.IDs...)
		}
		return ids
	}
	r := all(t)
	assert.NotContains(t, named(r), "AppRunner")
	assert.Equal(t, []string{"EcsAnywhere", "EksAnywhere", "AppRunner"}, r.NotCompared)
	with := build(t, bill.Profiles()[1], catalog.IDs(), report.IncludeClosed())
	assert.Contains(t, named(with), "AppRunner")
	assert.Equal(t, []string{"EcsAnywhere", "EksAnywhere"}, with.NotCompared)
}

// What your own servers cost, no bill of AWS says.
func TestYourOwnServersAreNotComparedByTheirBill(t *testing.T) {
	r := all(t)
	for _, id := range []string{"EcsAnywhere", "EksAnywhere"} {
		for _, c := range r.Cheapest {
			assert.NotContains(t, c.IDs, id)
		}
		for _, b := range r.BreakEven {
			assert.NotContains(t, []string{b.A, b.B}, id)
		}
		assert.NotContains(t, strings.Join(r.Decides(), " "), id)
	}
	assert.Contains(t, text(t, r, 80), "Not compared: EcsAnywhere, EksAnywhere, whose servers are yours and not in")
	assert.Contains(t, text(t, r, 80), "* EcsAnywhere: one server of yours is assumed, with 2 vCPU")
	picture, err := r.Picture(report.Light)
	require.NoError(t, err)
	assert.NotContains(t, picture, "EcsAnywhere")
	var html bytes.Buffer
	require.NoError(t, r.Write(&html, "html"))
	assert.Contains(t, html.String(), "not ranked, because its servers are yours and not in the bill")
}

func TestALoadBeyondATemplateIsMarkedInTheSummary(t *testing.T) {
	r := build(t, bill.Profiles()[3], catalog.IDs())
	var buffer bytes.Buffer
	require.NoError(t, r.Write(&buffer, "table"))
	assert.Contains(t, buffer.String(), "> EcsFargate: the load needs 34 tasks; the template allows 4")
	assert.Contains(t, buffer.String(), "* EksEc2: its pods' logs are not collected")
	assert.Contains(t, buffer.String(), "* AppRunner: closed to new customers since 2026-04-30")
}

// Each break-even is checked against the bills on both of its sides.
func TestBreakEvensSayWhoIsCheaperOnWhichSide(t *testing.T) {
	r := all(t)
	require.NotEmpty(t, r.BreakEven)
	total := func(id string, rps float64) float64 {
		usage := bill.Profiles()[1]
		usage.RequestsPerSecond = rps
		return build(t, usage, []string{id}).Deployments[0].MonthlyUSD.Total
	}
	for _, b := range r.BreakEven {
		below, above := b.RequestsPerSecond*0.99, b.RequestsPerSecond*1.01
		assert.LessOrEqual(t, total(b.A, below), total(b.B, below), "%v", b)
		assert.LessOrEqual(t, total(b.B, above), total(b.A, above), "%v", b)
	}
}

// text returns the report as a terminal of some width shows it, with every
// section.
func text(t testing.TB, r report.Report, width int) string {
	t.Helper()
	var buffer bytes.Buffer
	require.NoError(t, r.WriteTable(&buffer, report.View{Width: width, Sections: report.SectionNames()}))
	return buffer.String()
}

func TestEveryFormatForPeopleHasEveryDeploymentAndEveryDuty(t *testing.T) {
	r := all(t)
	var markdown bytes.Buffer
	require.NoError(t, r.Write(&markdown, "markdown"))
	for format, written := range map[string]string{"narrow": text(t, r, 80), "wide": text(t, r, 400), "markdown": markdown.String()} {
		var missing []string
		want := []string{"The cheapest", "What decides", "sandbox · arm64 · us-east-1 · small, 1 requests/s · prices of "}
		for _, d := range r.Deployments {
			want = append(want, d.ID)
			for _, field := range append(d.Duties.Fields(), d.Limits.Fields()...) {
				want = append(want, field.Label)
			}
		}
		for _, piece := range want {
			if !strings.Contains(written, piece) {
				missing = append(missing, piece)
			}
		}
		assert.Empty(t, missing, format)
	}
}

func TestTheSummaryFitsEightyColumnsALineADeployment(t *testing.T) {
	for _, usage := range bill.Profiles() {
		r := build(t, usage, catalog.IDs())
		var buffer bytes.Buffer
		require.NoError(t, r.Write(&buffer, "table"))
		for _, line := range strings.Split(buffer.String(), "\n") {
			assert.LessOrEqual(t, utf8.RuneCountInString(line), 80, line)
		}
		for _, d := range r.Deployments {
			assert.Regexp(t, `(?m)^`+d.ID+` .*[ >]`+regexp.QuoteMeta(fmt.Sprintf("%.2f", d.MonthlyUSD.Total))+` `, buffer.String())
		}
	}
}

// A terminal that is too narrow for a column a deployment gets a line an answer.
func TestTheLayoutFollowsTheTerminalsWidth(t *testing.T) {
	for _, width := range []int{60, 80, 120, 200, 240, 400} {
		for _, line := range strings.Split(text(t, all(t), width), "\n") {
			require.LessOrEqual(t, utf8.RuneCountInString(line), width, line)
		}
	}
	assert.Contains(t, text(t, all(t), 80), "GPU\n  EcsEc2, EcsManagedInstances, EksEc2: yes, with a GPU instance type\n")
	assert.NotContains(t, text(t, all(t), 400), "EcsManagedInstances, EksEc2: yes")
	assert.Regexp(t, `\nEcsFargate\n  load balancer +16[.]43\n`, text(t, all(t), 80), "a narrow terminal gets a bill each")
}

// Two NAT gateways are two lines of a bill and one row of a table.
func TestEveryFormatAddsUpInBothProfiles(t *testing.T) {
	for _, profile := range []string{"sandbox", "production"} {
		r := buildProfile(t, profile, bill.Profiles()[2], catalog.IDs())
		var markdown bytes.Buffer
		require.NoError(t, r.Write(&markdown, "markdown"))
		assertAddsUp(t, r, markdown.String(), "|")
		assertAddsUp(t, r, text(t, r, 400), "  ")

		d, err := r.Compare("EcsFargate", "Lambda")
		require.NoError(t, err)
		from, to := 0, 0
		for _, c := range d.Cost[:len(d.Cost)-1] {
			from, to = from+cents(c.From), to+cents(c.To)
		}
		last := d.Cost[len(d.Cost)-1]
		assert.Equal(t, []int{cents(last.From), cents(last.To)}, []int{from, to}, "the diff")
	}
}

func cents(usd float64) int { return int(math.Round(usd * 100)) }

// assertAddsUp reads the rows of the bill, from its title to "All", and adds
// each column up.
func assertAddsUp(t *testing.T, r report.Report, written, separator string) {
	t.Helper()
	_, rows, ok := strings.Cut(written, "Cost a month, US dollars\n")
	require.True(t, ok)
	sums, money := make([]int, len(r.Deployments)), regexp.MustCompile(`^[0-9]+[.][0-9]{2}$`)
	for _, row := range strings.Split(rows, "\n") {
		var cells []string
		for _, cell := range strings.Split(row, separator) {
			if cell = strings.TrimSpace(cell); cell == "–" || money.MatchString(cell) {
				cells = append(cells, cell)
			}
		}
		if len(cells) != len(r.Deployments) {
			continue
		}
		for i, cell := range cells {
			amount, _ := strconv.ParseFloat(strings.Replace(cell, "–", "0", 1), 64)
			if strings.HasPrefix(strings.TrimLeft(row, "| "), "All ") {
				assert.Equal(t, cents(amount), sums[i], "%s %s", r.Deployments[i].ID, separator)
				assert.Equal(t, cents(r.Deployments[i].MonthlyUSD.Total), sums[i])
			}
			sums[i] += cents(amount)
		}
		if strings.HasPrefix(strings.TrimLeft(row, "| "), "All ") {
			return
		}
	}
	t.Error("the bill has no row for all")
}

func TestTheJSONHasNoFloatNoise(t *testing.T) {
	var buffer bytes.Buffer
	require.NoError(t, all(t).Write(&buffer, "json"))
	assert.NotRegexp(t, `[0-9]\.[0-9]*(00000|99999)[0-9]*`, buffer.String())
}

func TestMarkdownTablesHaveAsManyCellsInEachRowAndNumbersToTheRight(t *testing.T) {
	var buffer bytes.Buffer
	require.NoError(t, all(t).Write(&buffer, "markdown"))
	columns, rows := 0, 0
	for _, row := range strings.Split(buffer.String(), "\n") {
		if !strings.HasPrefix(row, "|") {
			columns = 0
			continue
		}
		n := strings.Count(row, "|") - strings.Count(row, `\|`)
		if columns == 0 {
			columns = n
		}
		assert.Equal(t, columns, n, row)
		rows++
	}
	assert.Greater(t, rows, 30)
	assert.Contains(t, buffer.String(), "|--:|--:|--:|--:|--:|\n")
	assert.Contains(t, buffer.String(), "by hand: `aws ecs update-service --cluster … --service … --desired-count N`")
	assert.NotContains(t, buffer.String(), "``")
}

func TestNothingToCompareIsAnError(t *testing.T) {
	prices, err := price.Embedded()
	require.NoError(t, err)
	_, err = report.Build(nil, prices, bill.Profiles()[0])
	assert.ErrorContains(t, err, "there is no stack to compare")
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

func TestADiffSaysWhatTheLoadIsBeyondAndWhatTheBillLeavesOut(t *testing.T) {
	d, err := build(t, bill.Profiles()[3], []string{"EcsFargate", "EksEc2"}).Compare("EcsFargate", "EksEc2")
	require.NoError(t, err)
	assert.Contains(t, d.Warnings, "EcsFargate: the load needs 34 tasks; the template allows 4")
	assert.Contains(t, d.Warnings, "EksEc2: its pods' logs are not collected")
	var buffer bytes.Buffer
	require.NoError(t, d.Write(&buffer, "text"))
	assert.Contains(t, buffer.String(), "\nNote\n  EcsFargate: the load needs 34 tasks; the template allows 4\n")
}

func TestADiffIsTextOrJSON(t *testing.T) {
	d, err := all(t).Compare("EcsFargate", "EcsEc2")
	require.NoError(t, err)
	var buffer bytes.Buffer
	require.NoError(t, d.Write(&buffer, "text"))
	assert.Contains(t, buffer.String(), "sandbox · arm64 · us-east-1 · small, 1 requests/s · ")
	assert.Contains(t, buffer.String(), "Load \"small\": 1 requests/s for 24 hours a day.")
	assert.Contains(t, buffer.String(), "  + AWS::ECS::CapacityProvider: 0 → 1\n")
	assert.Contains(t, buffer.String(), "To learn\n")
	buffer.Reset()
	require.NoError(t, d.Write(&buffer, "json"))
	var decoded report.Diff
	require.NoError(t, json.Unmarshal(buffer.Bytes(), &decoded))
	assert.Equal(t, d, decoded)
	assert.ErrorContains(t, d.Write(&buffer, "xml"), "allowed: text, json")
}
