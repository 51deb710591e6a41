package page_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/catalog"
	"refdeploy/internal/cost"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
	"refdeploy/internal/report/page"
	"refdeploy/internal/report/page/answer"
)

// eleven are the names of all deployments, standing and to come, with the
// reviewed template whose plan stands in for each here.
var eleven = [][2]string{
	{"EcsEc2", "EcsEc2"}, {"EcsFargate", "EcsFargate"}, {"EcsManagedInstances", "EcsEc2"}, {"EcsExpress", "EcsFargate"},
	{"EcsAnywhere", "EcsEc2"}, {"EksEc2", "EksEc2"}, {"EksAuto", "EksEc2"}, {"EksFargate", "EksEc2"}, {"EksAnywhere", "EcsEc2"},
	{"Lambda", "Lambda"}, {"AppRunner", "AppRunner"},
}

// five are the deployments that stand.
var five = [][2]string{{"EcsEc2", "EcsEc2"}, {"EcsFargate", "EcsFargate"}, {"EksEc2", "EksEc2"}, {"Lambda", "Lambda"}, {"AppRunner", "AppRunner"}}

// stackOf reads a reviewed template.
func stackOf(t testing.TB, id string) assembly.Stack {
	t.Helper()
	data, err := os.ReadFile(project.Path("stacks", "testdata", id+".sandbox.golden.json"))
	require.NoError(t, err)
	stack := assembly.Stack{ID: id}
	require.NoError(t, json.Unmarshal(data, &stack.Template))
	return stack
}

// of compares the plans of the reviewed templates, under names of the test's.
// What repeats a template costs a little more each time, so that no two lines
// of the chart are one.
func of(t testing.TB, names [][2]string, usage bill.Usage) page.Page {
	t.Helper()
	prices, err := price.Embedded()
	require.NoError(t, err)
	p := page.Page{
		Facts: []page.Fact{{"Profile", "sandbox"}, {"Region", "us-east-1"}}, Prices: cost.Prices(prices), Usage: usage,
		Sections: []page.Section{{Title: "What it is"}, {Title: "Who runs what"}, {Title: "Limits"}},
	}
	row := func(section int, label, cell string) {
		rows := &p.Sections[section].Rows
		for i := range *rows {
			if (*rows)[i].Label == label {
				(*rows)[i].Cells = append((*rows)[i].Cells, cell)
				return
			}
		}
		*rows = append(*rows, page.Row{Label: label, Cells: []string{cell}})
	}
	for i, name := range names {
		plan := cost.PlanOf(stackOf(t, name[1]))
		plan.ID = name[0]
		if name[0] != name[1] {
			plan.Charges = append(plan.Charges, bill.Charge{Item: "what else it takes", Key: "ipv4", Driver: bill.Month, Quantity: float64(i) * 1000, Source: "catalog"})
		}
		for _, d := range catalog.All() {
			if d.ID != name[1] {
				continue
			}
			p.Deployments = append(p.Deployments, answer.Deployment{ID: name[0], Status: d.Status(), Closed: d.ClosedSince != "", Plan: plan})
			row(0, "Control plane", d.ControlPlane)
			row(0, "Data plane", d.DataPlane)
			row(0, "Status", d.Status())
			row(0, "Identity of the app", d.Identity)
			for _, f := range d.Duties.Fields() {
				row(1, f.Label, f.Value)
			}
			for _, f := range d.Limits.Fields() {
				row(2, f.Label, f.Value)
			}
		}
	}
	return p
}

func small() bill.Usage { return bill.Profiles()[1] }

func written(t testing.TB, p page.Page) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, p.Write(&b))
	return b.String()
}

func TestThePageIsOneFileThatNeedsNothingBesideIt(t *testing.T) {
	text := written(t, of(t, eleven, small()))
	assert.Less(t, len(text), 5_000_000)
	assert.NotContains(t, text, "ZgotmplZ", "the template refused a value")
	assert.NotContains(t, text, "%!", "a format went wrong")
	assert.NotRegexp(t, `(?:src|href)="[^#d"]`, text, "nothing is loaded but what the page holds")
	assert.NotRegexp(t, `<[^>]+ on[a-z]+=`, text, "no handler stands in an attribute")
}

// A script runs only when the policy knows its hash: what a browser runs is what
// the template holds.
func TestThePolicyKnowsExactlyThePagesScripts(t *testing.T) {
	text := written(t, of(t, five, small()))
	policy := html.UnescapeString(regexp.MustCompile(`Content-Security-Policy" content="([^"]*)"`).FindStringSubmatch(text)[1])
	scripts := regexp.MustCompile(`(?s)<script>(.*?)</script>`).FindAllStringSubmatch(text, -1)
	require.Len(t, scripts, 3)
	for _, script := range scripts {
		sum := sha256.Sum256([]byte(script[1]))
		assert.Contains(t, policy, "'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'")
	}
	assert.Equal(t, 3, strings.Count(policy, "sha256-"))
	assert.NotContains(t, strings.Split(policy, "script-src")[1], "unsafe-inline")
}

func TestANameIsTextWhateverItLooksLike(t *testing.T) {
	p := of(t, five, small())
	bad := `</script><script>alert(1)</script>"'<img src=x>`
	p.Deployments[1].ID, p.Deployments[1].Plan.ID = bad, bad
	p.Facts[0].Value, p.Sections[0].Rows[0].Cells[0], p.Sections[0].Rows[0].Label, p.Sections[0].Title = bad, bad, bad, bad
	text := written(t, p)
	assert.NotContains(t, text, "<script>alert")
	assert.NotContains(t, text, "<img")
	assert.Equal(t, 5, strings.Count(text, "<script"), "input, model, chart, runtime and the page's own")
}

// outside leaves the checkout, and returns an empty cache directory of the user.
func outside(t *testing.T) string {
	t.Helper()
	goCache, err := exec.Command("go", "env", "GOCACHE").Output()
	require.NoError(t, err)
	t.Setenv("GOCACHE", strings.TrimSpace(string(goCache)))
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Chdir(t.TempDir())
	return cache
}

// The first page builds the model; later ones need no Go.
func TestTheModelIsBuiltOnceAndWithoutGoOneLineSaysSo(t *testing.T) {
	p := of(t, five, small())
	cache := outside(t)
	path := os.Getenv("PATH")

	t.Setenv("PATH", "")
	var b bytes.Buffer
	err := p.Write(&b)
	require.Error(t, err)
	assert.Equal(t, "html: there is no go on the PATH, which builds the page's model; install Go, or choose another format", err.Error())
	assert.Empty(t, b.String(), "nothing half-written")

	t.Setenv("PATH", path)
	var progress bytes.Buffer
	require.NoError(t, page.Prepare(&progress))
	first := written(t, p)
	assert.Contains(t, progress.String(), "building the page's model")
	kept, err := filepath.Glob(filepath.Join(cache, "refdeploy", "page-model-*"))
	require.NoError(t, err)
	require.Len(t, kept, 1)

	t.Setenv("PATH", "")
	assert.Equal(t, first, written(t, p))

	// What a machine that was shut down left of it is built again.
	require.NoError(t, os.Truncate(kept[0], 1000))
	t.Setenv("PATH", path)
	assert.Equal(t, first, written(t, p))
}

func TestAnInterruptedBuildLeavesNothingBehind(t *testing.T) {
	outside(t)
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	done := make(chan error)
	go func() { done <- page.Prepare(io.Discard) }()
	require.Eventually(t, func() bool {
		found, err := filepath.Glob(filepath.Join(temporary, "*", "go.mod"))
		return err == nil && len(found) > 0
	}, 10*time.Second, time.Millisecond)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGTERM))
	assert.EqualError(t, <-done, "html: interrupted while building the page's model")
	left, err := os.ReadDir(temporary)
	require.NoError(t, err)
	assert.Empty(t, left)
}

// What is left for Other is small.
func TestEveryPriceIsOfAKindThatBarsName(t *testing.T) {
	prices, err := price.Embedded()
	require.NoError(t, err)
	for _, p := range prices.All() {
		service, _, _ := strings.Cut(p.Key, ".")
		small := slices.Contains([]string{"apigateway", "kms", "sns"}, service)
		assert.Equal(t, small, answer.KindOf(p.Key) == "Other", p.Key)
	}
}

func TestABarIsItsBill(t *testing.T) {
	p := of(t, five, small())
	c, err := answer.New(p.Deployments, p.Prices)
	require.NoError(t, err)
	r := c.Rank(answer.Question{Usage: small(), Chosen: []int{0, 1, 2, 3, 4}})
	for i, bar := range r.Load {
		sum := 0.0
		for _, part := range bar.Parts {
			sum += part
		}
		assert.InDelta(t, r.Rows[i].Total, sum, 0.001, bar.ID)
		assert.Equal(t, r.Rows[i].Load, bar.Total)
	}
}

func TestACurveEndsWhereItsTemplateDoes(t *testing.T) {
	p := of(t, five, small())
	c, err := answer.New(p.Deployments, p.Prices)
	require.NoError(t, err)
	for _, curve := range c.OverLoad(answer.Question{Usage: small(), Chosen: []int{0, 1, 2, 3, 4}}).Curves {
		if curve.ID == "Lambda" {
			assert.Zero(t, curve.End)
			continue
		}
		model, err := bill.New(p.Deployments[curve.Deployment].Plan, p.Prices)
		require.NoError(t, err)
		u := small()
		u.RequestsPerSecond = curve.End * 0.999
		assert.True(t, model.Takes(u), curve.ID)
		u.RequestsPerSecond = curve.End * 1.001
		assert.False(t, model.Takes(u), curve.ID)
	}
}

// Two tasks cost about twice as much as one: a line between the points of a
// decade would show a slope where there is a step.
func TestACurveStepsWhereACopyIsAdded(t *testing.T) {
	p := of(t, five, small())
	c, err := answer.New(p.Deployments, p.Prices)
	require.NoError(t, err)
	o := c.OverLoad(answer.Question{Usage: small(), Chosen: []int{1}, Apart: true})
	steepest := 0.0
	for i := 1; i < len(o.Loads); i++ {
		grows := math.Log(o.Curves[0].USD[i]/o.Curves[0].USD[i-1]) / math.Log(o.Loads[i]/o.Loads[i-1])
		steepest = max(steepest, grows)
	}
	assert.Greater(t, steepest, 100.0)
}
