//go:build browser

// These tests look at the page in a real Chromium: `make test-browser`.

package report_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// open shows the report in Chromium, in a window of the given size. Whatever
// the page writes to the console as an error fails the test.
func open(t *testing.T, width, height int64) context.Context {
	t.Helper()
	path := filepath.Join(t.TempDir(), "compare.html")
	file, err := os.Create(path)
	require.NoError(t, err)
	require.NoError(t, all(t).Write(file, "html"))
	require.NoError(t, file.Close())

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
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
	require.NoError(t, chromedp.Run(ctx,
		runtime.Enable(), log.Enable(),
		emulation.SetDeviceMetricsOverride(width, height, 1, false),
		chromedp.Navigate("file://"+path)))
	return ctx
}

// evaluate returns the value of a script.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	var value T
	require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(script, &value)))
	return value
}

// visible is a script for the deployments that every table shows.
const visible = `[...document.querySelectorAll("table")].map(t =>
	[...t.querySelectorAll("thead th[data-ids]")].filter(e => !e.hidden).map(e => e.textContent).join())`

func TestEveryDeploymentIsShownAtFirst(t *testing.T) {
	ctx := open(t, 1280, 900)
	tables := evaluate[[]string](t, ctx, visible)
	require.Len(t, tables, 7)
	for _, shown := range tables {
		assert.Equal(t, "EcsEc2,EcsFargate,EksEc2,Lambda,AppRunner", shown)
	}
}

func TestChoosingTwoDeploymentsShowsExactlyThoseTwo(t *testing.T) {
	ctx := open(t, 1280, 900)
	for _, id := range []string{"EcsEc2", "EksEc2", "AppRunner"} {
		require.NoError(t, chromedp.Run(ctx, chromedp.Click(`input[value="`+id+`"]`)))
	}
	for _, shown := range evaluate[[]string](t, ctx, visible) {
		assert.Equal(t, "EcsFargate,Lambda", shown)
	}
	assert.Zero(t, evaluate[int](t, ctx, `[...document.querySelectorAll("tbody tr")].filter(row =>
		[...row.querySelectorAll("td")].filter(e => !e.hidden).length != 2).length`), "every row has two cells")
	layers := evaluate[[]string](t, ctx, `[...document.querySelectorAll(".sheets:first-of-type > div:not(.mark)")].filter(e => !e.hidden).map(e => e.dataset.ids)`)
	assert.Subset(t, []string{"", "EcsFargate", "Lambda"}, layers)
	assert.Contains(t, layers, "Lambda")
	assert.Zero(t, evaluate[int](t, ctx, `[...document.querySelectorAll("[data-ids]")].filter(e => !e.hidden && /EcsEc2|EksEc2|AppRunner/.test(e.dataset.ids)).length`))
}

func TestTheKeyboardChoosesToo(t *testing.T) {
	ctx := open(t, 1280, 900)
	require.NoError(t, chromedp.Run(ctx, chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" ")))
	for _, shown := range evaluate[[]string](t, ctx, visible) {
		assert.Equal(t, "EcsFargate,EksEc2,Lambda,AppRunner", shown)
	}
}

func TestAPhoneScrollsTablesAndNotThePage(t *testing.T) {
	ctx := open(t, 375, 800)
	assert.LessOrEqual(t, evaluate[int](t, ctx, `document.documentElement.scrollWidth`), 375)
	assert.Greater(t, evaluate[int](t, ctx, `document.querySelector(".table").scrollWidth`), 375)
}

func TestThePageAsksNobodyForAnything(t *testing.T) {
	ctx := open(t, 1280, 900)
	assert.Zero(t, evaluate[int](t, ctx, `performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length`))
}
