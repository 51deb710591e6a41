//go:build browser

package page_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	cdp "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/bill"
	"refdeploy/internal/price"
	"refdeploy/internal/project"
	"refdeploy/internal/report"
	"refdeploy/internal/report/page"
)

// A window is how the page is looked at.
type window struct {
	width, height int64
	dark          bool
	hash          string
	noScript      bool
}

var (
	desktop = window{width: 1280, height: 900}
	phone   = window{width: 390, height: 844}
)

// open shows a page in Chromium, from a file, until it works. Whatever it writes
// to the console as an error fails the test.
func open(t testing.TB, p page.Page, w window) context.Context {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compare.html")
	require.NoError(t, os.WriteFile(path, []byte(written(t, p)), 0o644))

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)

	var mu sync.Mutex
	var errors []string
	chromedp.ListenTarget(ctx, func(event any) {
		mu.Lock()
		defer mu.Unlock()
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			errors = append(errors, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError {
				errors = append(errors, "console.error")
			}
		case *log.EventEntryAdded:
			if e.Entry.Level == log.LevelError {
				errors = append(errors, e.Entry.Text)
			}
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, errors, "console")
	})
	scheme := "light"
	if w.dark {
		scheme = "dark"
	}
	require.NoError(t, chromedp.Run(ctx,
		runtime.Enable(), log.Enable(),
		emulation.SetDeviceMetricsOverride(w.width, w.height, 1, false),
		emulation.SetFocusEmulationEnabled(true),
		emulation.SetScriptExecutionDisabled(w.noScript),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		chromedp.Navigate("file://"+path+w.hash)))
	if !w.noScript {
		require.NoError(t, chromedp.Run(ctx, chromedp.WaitReady("html[data-ready]")))
	}
	return ctx
}

// evaluate returns the value of a script, which may be a promise.
func evaluate[T any](t testing.TB, ctx context.Context, script string) T {
	t.Helper()
	var value T
	require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(script, &value, func(p *runtime.EvaluateParams) *runtime.EvaluateParams {
		return p.WithAwaitPromise(true)
	})))
	return value
}

// frames is a script that waits until what was changed is shown.
const frames = `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`

func settle(t testing.TB, ctx context.Context) {
	t.Helper()
	require.True(t, evaluate[bool](t, ctx, frames))
}

// set writes into a field, as typing does.
func set(t testing.TB, ctx context.Context, id string, value any) {
	t.Helper()
	evaluate[bool](t, ctx, fmt.Sprintf(`(() => { const e = document.getElementById(%q); e.value = %v; return e.dispatchEvent(new Event("input", { bubbles: true })); })()`, id, value))
}

func click(t testing.TB, ctx context.Context, selector string) {
	t.Helper()
	evaluate[bool](t, ctx, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
}

// A row is what the ranking says of a deployment.
type row struct {
	Place, Name, Idle, Load string
	Notes                   []string
}

func ranking(t testing.TB, ctx context.Context) []row {
	t.Helper()
	return evaluate[[]row](t, ctx, `[...document.querySelectorAll("#rank tr")].map(r => ({
		Place: r.cells[0].textContent, Name: [...r.cells[1].childNodes].filter(n => n.nodeType === 3).map(n => n.data).join(""),
		Idle: r.cells[2].textContent, Load: r.cells[3].textContent, Notes: [...r.cells[1].querySelectorAll("small")].map(e => e.textContent) }))`)
}

func texts(t testing.TB, ctx context.Context, selector string) []string {
	t.Helper()
	return evaluate[[]string](t, ctx, fmt.Sprintf(`[...document.querySelectorAll(%q)].filter(e => e.checkVisibility()).map(e => e.textContent.trim())`, selector))
}

// amount reads an amount that is written for people.
func amount(t testing.TB, text string) float64 {
	t.Helper()
	usd, err := strconv.ParseFloat(strings.NewReplacer(",", "", "$", "").Replace(text), 64)
	require.NoError(t, err, text)
	return usd
}

// A comparison is what the test needs of the JSON.
type comparison struct {
	Deployments []struct {
		ID         string
		MonthlyUSD struct {
			Total, Idle float64
			Beyond      string
		}
	}
	Cheapest    []struct{ IDs []string }
	NotCompared []string
}

// inJSON compares some of the five as the command does, and reads the JSON.
func inJSON(t *testing.T, usage bill.Usage, ids []string) comparison {
	t.Helper()
	var stacks []assembly.Stack
	for _, id := range ids {
		stacks = append(stacks, stackOf(t, id))
	}
	prices, err := price.Embedded()
	require.NoError(t, err)
	r, err := report.Build(stacks, prices, usage)
	require.NoError(t, err)
	var b bytes.Buffer
	require.NoError(t, r.Write(&b, "json"))
	var c comparison
	require.NoError(t, json.Unmarshal(b.Bytes(), &c))
	return c
}

// Twenty settings at random, of everything that a reader can move: what the page
// shows is what the JSON has under the same load, to the cent.
func TestThePageShowsWhatTheJSONSaysAtTwentyRandomSettings(t *testing.T) {
	p := of(t, five, small())
	ctx := open(t, p, desktop)
	random := rand.New(rand.NewPCG(20261127, 7))
	between := func(low, high float64) float64 {
		return math.Round(low*math.Pow(high/low, random.Float64())*1000) / 1000
	}
	for range 20 {
		u := p.Usage
		u.RequestsPerSecond, u.CPUMillis, u.WaitMillis = between(0.01, 2000), between(0.5, 500), between(1, 5000)
		u.ResponseKB, u.RequestKB, u.HoursPerDay = between(0.1, 9000), between(0.1, 500), float64(1+random.IntN(24))
		u.Reads, u.Writes, u.Lists = float64(random.IntN(4)), float64(random.IntN(3)), float64(random.IntN(2))
		u.RequestsPerConnection, u.ComputeDiscount = float64(1+random.IntN(50)), float64(random.IntN(6))/10
		u.LogBytes = float64(random.IntN(3) * 500)
		for id, value := range map[string]float64{
			"log": u.LogBytes,
			"rps": u.RequestsPerSecond, "cpu": u.CPUMillis, "wait": u.WaitMillis, "kb": u.ResponseKB, "in": u.RequestKB, "hours": u.HoursPerDay,
			"reads": u.Reads, "writes": u.Writes, "lists": u.Lists, "connection": u.RequestsPerConnection, "discount": u.ComputeDiscount * 100,
		} {
			set(t, ctx, id+"-number", value)
		}
		click(t, ctx, "#all")
		settle(t, ctx)
		chosen := []string{}
		for i, d := range p.Deployments {
			if len(chosen) > 0 && random.IntN(3) == 0 {
				click(t, ctx, fmt.Sprintf(`#choice input[value="%d"]`, i))
				continue
			}
			chosen = append(chosen, d.ID)
		}
		settle(t, ctx)

		want := inJSON(t, u, chosen)
		rows := ranking(t, ctx)
		require.Len(t, rows, len(want.Deployments))
		places, last := 0, 0.0
		for _, r := range rows {
			i := slices.Index(chosen, r.Name)
			require.GreaterOrEqual(t, i, 0, r.Name)
			bill := want.Deployments[i].MonthlyUSD
			assert.Equal(t, bill.Total, amount(t, r.Load), "%s at %+v", r.Name, u)
			assert.Equal(t, bill.Idle, amount(t, r.Idle), r.Name)
			if bill.Beyond != "" {
				assert.Contains(t, strings.Join(r.Notes, "\n"), "beyond its template: "+bill.Beyond)
			}
			if bill.Beyond != "" || slices.Contains(want.NotCompared, r.Name) {
				assert.Equal(t, "–", r.Place, r.Name)
				continue
			}
			places++
			assert.Equal(t, fmt.Sprint(places), r.Place)
			assert.GreaterOrEqual(t, bill.Total, last, "the cheapest first")
			last = bill.Total
		}
		sentences := texts(t, ctx, "#cheapest li")
		require.Len(t, sentences, len(want.Cheapest))
		for i, r := range want.Cheapest {
			for _, id := range chosen {
				assert.Equal(t, slices.Contains(r.IDs, id), strings.Contains(sentences[i], id), "%s: %v", sentences[i], r)
			}
		}
	}
}

func TestTheLinesOfABillAddUpAndSayWhereTheirPriceIsFrom(t *testing.T) {
	p := of(t, five, small())
	ctx := open(t, p, desktop)
	click(t, ctx, `.bill[data-d="0"] summary`)
	set(t, ctx, "rps-number", 33)
	settle(t, ctx)
	rows := evaluate[[][]string](t, ctx, `[...document.querySelectorAll('.bill[data-d="0"] tbody tr')].map(r => [...r.cells].map(c => c.textContent))`)
	require.Greater(t, len(rows), 5)
	sum := 0.0
	for _, cells := range rows {
		sum += amount(t, cells[3])
		assert.Regexp(t, `^us-east-1, .*, \d{4}-\d\d-\d\d$`, cells[5], cells[0])
	}
	total := texts(t, ctx, `.bill[data-d="0"] summary b`)[0]
	assert.InDelta(t, amount(t, total), sum, 0.001)
	for _, r := range ranking(t, ctx) {
		if r.Name == "EcsEc2" {
			assert.Equal(t, "$"+r.Load, total)
		}
	}
}

func TestChoosingTwoDeploymentsRecomputesEverything(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	require.Equal(t, []string{"5 deployments at 1 requests/s"}, texts(t, ctx, "#h-rank"))
	for _, d := range []int{0, 2, 4} {
		click(t, ctx, fmt.Sprintf(`#choice input[value="%d"]`, d))
	}
	click(t, ctx, "#asTable summary")
	click(t, ctx, "#changes summary")
	settle(t, ctx)
	time.Sleep(200 * time.Millisecond) // all pairs wait until nothing moves
	assert.Equal(t, []string{"2 of 5 deployments at 1 requests/s"}, texts(t, ctx, "#h-rank"))
	both := []string{"EcsFargate", "Lambda"}
	for _, selector := range []string{"#legend li span", "#asTable thead th:not(:first-child)", ".ends button span", ".bill summary span"} {
		assert.Equal(t, both, slices.Sorted(slices.Values(texts(t, ctx, selector))), selector)
	}
	for _, table := range evaluate[[]string](t, ctx, `[...document.querySelectorAll("#facts thead")].map(e => [...e.querySelectorAll("th")].filter(e => e.checkVisibility()).map(e => e.textContent).join())`) {
		assert.Equal(t, "EcsFargate,Lambda", table)
	}
	for _, list := range []string{"#idle .name", "#busy .name"} {
		assert.ElementsMatch(t, both, texts(t, ctx, list))
	}
	said := strings.Join(append(texts(t, ctx, "#cheapest li"), texts(t, ctx, "#changes li")...), "\n")
	assert.Contains(t, said, "Lambda below, EcsFargate above")
	for _, other := range []string{"EcsEc2", "EksEc2", "AppRunner"} {
		assert.NotContains(t, said, other)
	}
	click(t, ctx, "#none")
	settle(t, ctx)
	assert.Empty(t, ranking(t, ctx))
	assert.Empty(t, texts(t, ctx, "#cheapest li"))
	click(t, ctx, "#reset")
	settle(t, ctx)
	assert.Len(t, ranking(t, ctx), 5)
}

func TestWhatIsClosedWinsOnlyWhenAsked(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	set(t, ctx, "rps-number", 20)
	settle(t, ctx)
	assert.NotContains(t, strings.Join(texts(t, ctx, "#cheapest li"), ""), "AppRunner")
	assert.NotEqual(t, "AppRunner", ranking(t, ctx)[0].Name)
	click(t, ctx, "#closed")
	settle(t, ctx)
	assert.Contains(t, strings.Join(texts(t, ctx, "#cheapest li"), ""), "AppRunner")
	first := ranking(t, ctx)[0]
	assert.Equal(t, "AppRunner", first.Name)
	assert.Contains(t, first.Notes, "closed to new customers since 2026-04-30")
}

func TestALinkSharesWhatIsChosen(t *testing.T) {
	p := of(t, five, small())
	ctx := open(t, p, desktop)
	set(t, ctx, "rps-number", 77)
	set(t, ctx, "wait-number", 250)
	click(t, ctx, `#choice input[value="2"]`)
	click(t, ctx, `.bill[data-d="3"] summary`)
	time.Sleep(400 * time.Millisecond)
	hash := evaluate[string](t, ctx, "location.hash")
	query, err := url.ParseQuery(strings.TrimPrefix(hash, "#"))
	require.NoError(t, err)
	assert.Equal(t, url.Values{"rps": {"77"}, "wait": {"250"}, "without": {"EksEc2"}, "bill": {"Lambda"}}, query)
	there := desktop
	there.hash = hash
	other := open(t, p, there)
	assert.Equal(t, ranking(t, ctx), ranking(t, other))
	assert.True(t, evaluate[bool](t, other, `document.querySelector('.bill[data-d="3"]').open`))
	click(t, other, "#reset")
	time.Sleep(400 * time.Millisecond)
	assert.Equal(t, "", evaluate[string](t, other, "location.hash"))
}

// The curve's name is a button: its bill is read out, and arrows move on.
func TestTheKeyboardReadsOutACurve(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	evaluate[bool](t, ctx, `(document.querySelector('.ends button[data-d="1"]').focus(), true)`)
	load := func() string {
		for _, r := range ranking(t, ctx) {
			if r.Name == "EcsFargate" {
				return r.Load
			}
		}
		return ""
	}
	readout := func() string { settle(t, ctx); return texts(t, ctx, "#readout")[0] }
	first := readout()
	assert.Contains(t, first, "EcsFargate at 1 requests/s: $"+load()+" a month")
	for range 10 {
		require.NoError(t, chromedp.Run(ctx, chromedp.KeyEvent(kb.ArrowRight)))
	}
	after := readout()
	assert.Contains(t, after, "EcsFargate at 3.1") // half a factor of ten
	assert.Contains(t, after, "$"+load()+" a month")
	require.NoError(t, chromedp.Run(ctx, chromedp.KeyEvent(kb.ArrowDown)))
	assert.NotContains(t, readout(), "EcsFargate at")
	assert.Regexp(t, `^\w+ at 3\.1\d* requests/s: \$[\d,.]+ a month`, readout())
	assert.Equal(t, "polite", evaluate[string](t, ctx, `document.getElementById("readout").ariaLive`))
}

func TestThePointerReadsOutACurveAndChoosesTheLoad(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	at := evaluate[[]float64](t, ctx, `(() => { const over = document.querySelector(".u-over"); over.scrollIntoView({ block: "center" }); const r = over.getBoundingClientRect(); return [r.left, r.top, r.width, r.height]; })()`)
	x, y := at[0]+at[2]*5/7, at[1]+at[3]/2 // 100 requests/s of 0.001 to 10,000
	for dy := -0.4; dy < 0.4; dy += 0.05 {
		require.NoError(t, chromedp.Run(ctx, chromedp.MouseEvent(input.MouseMoved, x, y+at[3]*dy)))
		settle(t, ctx)
		if strings.Contains(texts(t, ctx, "#readout")[0], " a month") {
			break
		}
	}
	assert.Regexp(t, `at (99|100|101)[.\d]* requests/s: \$`, texts(t, ctx, "#readout")[0])
	require.NoError(t, chromedp.Run(ctx, chromedp.MouseClickXY(x, y)))
	settle(t, ctx)
	assert.InEpsilon(t, 100, evaluate[float64](t, ctx, `Number(document.getElementById("rps-number").value)`), 0.03)
}

func TestTheZoomShowsWhereTheWinnerChanges(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	click(t, ctx, "#zoom")
	settle(t, ctx)
	assert.Equal(t, "true", evaluate[string](t, ctx, `document.getElementById("zoom").ariaPressed`))
	assert.Equal(t, []string{"Show all loads"}, texts(t, ctx, "#zoom"))
	// The load of 1 request/s is below where anything changes.
	assert.Empty(t, texts(t, ctx, ".now"))
	click(t, ctx, "#zoom")
	settle(t, ctx)
	assert.Equal(t, []string{"1 requests/s"}, texts(t, ctx, ".now"))
}

func TestWithoutJavaScriptThePageShowsTheLoadItWasWrittenFor(t *testing.T) {
	w := desktop
	w.noScript = true
	ctx := open(t, of(t, five, small()), w)
	rows := ranking(t, ctx)
	require.Len(t, rows, 5)
	assert.NotEmpty(t, texts(t, ctx, "#cheapest li"))
	assert.Len(t, texts(t, ctx, "#busy li"), 5)
	assert.Len(t, texts(t, ctx, "#legend li"), 5)
	assert.Len(t, texts(t, ctx, "#asTable tbody tr"), 8, "a row for each factor of ten")
	assert.Empty(t, texts(t, ctx, "input, button"), "nothing that does not work")
	with := ranking(t, open(t, of(t, five, small()), desktop))
	assert.Equal(t, rows, with)
}

// What a foreign stack is called is text, whatever it looks like.
func TestANameCannotBreakOutOfThePage(t *testing.T) {
	p := of(t, five, small())
	bad := `</script><img src=x onerror="document.title='broken'">`
	p.Deployments[1].ID, p.Deployments[1].Plan.ID, p.Deployments[1].Status = bad, bad, bad
	p.Sections[0].Rows[0].Cells[0] = bad
	ctx := open(t, p, desktop)
	set(t, ctx, "rps-number", 40)
	click(t, ctx, `#choice input[value="0"]`)
	click(t, ctx, `.bill[data-d="1"] summary`)
	settle(t, ctx)
	assert.Zero(t, evaluate[int](t, ctx, `document.querySelectorAll("img").length`))
	assert.Equal(t, "Deployments compared", evaluate[string](t, ctx, "document.title"))
	assert.True(t, slices.ContainsFunc(ranking(t, ctx), func(r row) bool { return r.Name == bad }))
	assert.Zero(t, evaluate[int](t, ctx, `[...document.querySelectorAll("*")].filter(e => [...e.attributes].some(a => a.name.startsWith("on"))).length`))
}

func TestElevenDeploymentsFitOnAPhone(t *testing.T) {
	ctx := open(t, of(t, eleven, small()), phone)
	assert.LessOrEqual(t, evaluate[int](t, ctx, `document.documentElement.scrollWidth`), 390)
	assert.Zero(t, evaluate[int](t, ctx, `[...document.querySelectorAll("main *:not(.scroll *):not(.cards *):not(.symbols *)")].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > 391).length`), "beyond the edge")
	assert.Empty(t, texts(t, ctx, "#facts table"))
	assert.Len(t, texts(t, ctx, "#facts section:first-child article h3"), 11)
	assert.Len(t, texts(t, ctx, ".ends button"), 11)
	overlaps := evaluate[int](t, ctx, `(() => { const r = [...document.querySelectorAll(".ends button")].map(e => e.getBoundingClientRect()).sort((a, b) => a.top - b.top);
		return r.filter((a, i) => i && a.top < r[i - 1].bottom - 1).length; })()`)
	assert.Zero(t, overlaps, "labels on each other")
	for _, label := range texts(t, ctx, ".ends button b") {
		assert.Contains(t, texts(t, ctx, "#legend b"), label)
	}
}

func TestElevenLinesAreToldApartWithoutColor(t *testing.T) {
	ctx := open(t, of(t, eleven, small()), desktop)
	looks := evaluate[[]string](t, ctx, `[...document.querySelectorAll("symbol")].map(s => [...s.children].map(p => p.getAttribute("d") + p.getAttribute("stroke-dasharray") + p.style.fill.includes("card")).join())`)
	require.Len(t, looks, 11)
	slices.Sort(looks)
	assert.Len(t, slices.Compact(looks), 11)
}

func TestPaperHasTheLegendAndLightColors(t *testing.T) {
	w := desktop
	w.dark = true
	ctx := open(t, of(t, eleven, small()), w)
	require.NoError(t, chromedp.Run(ctx,
		emulation.SetEmulatedMedia().WithMedia("print").WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}}),
		emulation.SetDeviceMetricsOverride(703, 1000, 1, false))) // A4 less its margins
	evaluate[bool](t, ctx, `dispatchEvent(new Event("beforeprint"))`)
	settle(t, ctx)
	assert.Equal(t, "rgb(255, 255, 255)", evaluate[string](t, ctx, `getComputedStyle(document.body).backgroundColor`))
	assert.Len(t, texts(t, ctx, "#legend li"), 11)
	assert.Empty(t, texts(t, ctx, "#controls"))
	assert.Len(t, texts(t, ctx, "#facts section:first-child article h3"), 11, "cards, where columns do not fit")
	assert.LessOrEqual(t, evaluate[int](t, ctx, `document.documentElement.scrollWidth`), 703)
	assert.LessOrEqual(t, evaluate[float64](t, ctx, `Math.max(...[...document.querySelectorAll("#chart, #chart canvas, .ends button")].map(e => e.getBoundingClientRect().right))`), 703.0)
	for _, selector := range []string{"figure", ".legend", ".kinds", "tr"} {
		assert.Equal(t, "avoid", evaluate[string](t, ctx, fmt.Sprintf("getComputedStyle(document.querySelector(%q)).breakInside", selector)), selector)
	}
	assert.Equal(t, "avoid", evaluate[string](t, ctx, `getComputedStyle(document.querySelector("h2")).breakAfter`))
	var pdf []byte
	require.NoError(t, chromedp.Run(ctx, chromedp.ActionFunc(func(ctx context.Context) (err error) {
		pdf, _, err = cdp.PrintToPDF().WithPreferCSSPageSize(true).WithPrintBackground(true).Do(ctx)
		return err
	})))
	assert.Greater(t, len(pdf), 50_000)
	evaluate[bool](t, ctx, `dispatchEvent(new Event("afterprint"))`)
}

func TestAxeFindsNothing(t *testing.T) {
	axe, err := os.ReadFile(project.Path("node_modules", "axe-core", "axe.min.js"))
	require.NoError(t, err, "npm ci installs it")
	for _, w := range []window{desktop, phone} {
		for _, dark := range []bool{false, true} {
			w.dark = dark
			ctx := open(t, of(t, eleven, small()), w)
			for _, summary := range []string{"#more", "#asTable", "#changes", `.bill[data-d="0"]`} {
				click(t, ctx, summary+" summary")
			}
			set(t, ctx, "rps-number", 500)
			evaluate[bool](t, ctx, `(document.querySelector(".ends button").focus(), true)`)
			time.Sleep(200 * time.Millisecond)
			require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(string(axe)+";0", nil)))
			found := evaluate[string](t, ctx, `axe.run().then(r => JSON.stringify(r.violations.map(v => [v.id, v.nodes.length, v.nodes[0].html.slice(0, 200), v.nodes[0].failureSummary])))`)
			var violations [][]any
			require.NoError(t, json.Unmarshal([]byte(found), &violations))
			assert.Empty(t, violations, "width %d, dark %v", w.width, dark)
		}
	}
}

func TestThePageAsksNobodyForAnything(t *testing.T) {
	ctx := open(t, of(t, five, small()), desktop)
	assert.Zero(t, evaluate[int](t, ctx, `performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length`))
	assert.True(t, evaluate[bool](t, ctx, `document.querySelector("meta[http-equiv]").content.startsWith("default-src 'none'")`), "the browser is told so")
}

// redraw is how long a move of a slider takes, from the event to the end of
// layout, in milliseconds, the shortest of so many first.
func redraw(t testing.TB, ctx context.Context, slider string, n int) []float64 {
	t.Helper()
	times := evaluate[[]float64](t, ctx, fmt.Sprintf(`(async () => {
		const slider = document.getElementById(%q), times = [];
		for (let i = 0; i < %d; i++) {
			await new Promise(done => {
				let from;
				requestAnimationFrame(() => { from = performance.now(); });
				slider.value = 300 + i * 17 %% 400;
				slider.dispatchEvent(new Event("input", { bubbles: true }));
				requestAnimationFrame(() => { document.body.offsetHeight; times.push(performance.now() - from); done(); });
			});
		}
		return times;
	})()`, slider, n))
	slices.Sort(times)
	return times
}

// The goal is 50 ms for every slider, with eleven deployments. Other programs
// on the machine delay some moves, so the fastest fifth is held to it; make bench
// prints the median.
func TestASliderRedrawsWithinFiftyMilliseconds(t *testing.T) {
	ctx := open(t, of(t, eleven, small()), desktop)
	for _, slider := range []string{"rps", "cpu", "wait", "kb", "hours"} {
		took := redraw(t, ctx, slider, 20)[4]
		t.Logf("%s: %.1f ms", slider, took)
		assert.Less(t, took, 50.0, slider)
	}
}

func BenchmarkRedraw(b *testing.B) {
	for _, slider := range []string{"rps", "cpu"} {
		b.Run(slider, func(b *testing.B) {
			ctx := open(b, of(b, eleven, small()), desktop)
			b.ResetTimer()
			b.ReportMetric(redraw(b, ctx, slider, b.N)[b.N/2], "ms/redraw")
			b.ReportMetric(0, "ns/op")
		})
	}
}
