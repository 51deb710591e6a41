//go:build browser

// These tests use the page in a real Chromium: `make test-browser`.

package main_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// browse opens url in Chromium without JavaScript, in a window as wide as a
// phone. What breaks the page's security policy fails the test.
func browse(t *testing.T, url string) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, time.Minute)
	t.Cleanup(cancel)

	var mu sync.Mutex
	var errors []string
	chromedp.ListenTarget(ctx, func(event any) {
		if e, ok := event.(*log.EventEntryAdded); ok && e.Entry.Level == log.LevelError && e.Entry.Source != log.SourceNetwork {
			mu.Lock()
			defer mu.Unlock()
			errors = append(errors, e.Entry.Text)
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		assert.Empty(t, errors, "console")
	})
	require.NoError(t, chromedp.Run(ctx, log.Enable(),
		emulation.SetScriptExecutionDisabled(true),
		emulation.SetDeviceMetricsOverride(390, 844, 1, false),
		chromedp.Navigate(url)))
	return ctx
}

func TestPageKeepsANoteAndAsksBeforeItDeletesIt(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	call := overHTTP(p)
	ctx := browse(t, p.url)
	require.NoError(t, chromedp.Run(ctx,
		chromedp.SendKeys("#key", "hello", chromedp.ByQuery),
		chromedp.SendKeys("#text", "two\nlines", chromedp.ByQuery),
		chromedp.Click("button", chromedp.ByQuery),
		chromedp.WaitVisible(`a[href="/notes/hello"]`, chromedp.ByQuery)))
	assert.Equal(t, "two\nlines", call(t, "GET", "/notes/hello", "").Body)

	require.NoError(t, chromedp.Run(ctx,
		chromedp.WaitNotPresent("details[open]", chromedp.ByQuery),
		chromedp.Click("summary", chromedp.ByQuery),
		chromedp.WaitVisible("details[open] button.danger", chromedp.ByQuery)))
	assert.Equal(t, 200, call(t, "GET", "/notes/hello", "").Status, "it has only asked")
	require.NoError(t, chromedp.Run(ctx,
		chromedp.Click("button.danger", chromedp.ByQuery),
		chromedp.WaitVisible(".none", chromedp.ByQuery)))
	assert.Equal(t, 404, call(t, "GET", "/notes/hello", "").Status)
}

func TestPageShowsWhatWasWrongBesideWhatWasTyped(t *testing.T) {
	p := serve(t, "NOTES_DIR="+t.TempDir())
	ctx := browse(t, p.url)
	text := "\n" + strings.Repeat("字", 1400) // fits in the field, not in the bytes
	var shown, typed string
	var box []float64
	require.NoError(t, chromedp.Run(ctx,
		chromedp.SendKeys("#key", "hello", chromedp.ByQuery),
		chromedp.SetValue("#text", text, chromedp.ByQuery),
		chromedp.Click("button", chromedp.ByQuery),
		chromedp.WaitVisible("[role=alert]", chromedp.ByQuery),
		chromedp.Text("[role=alert]", &shown, chromedp.ByQuery),
		chromedp.Value("#text", &typed, chromedp.ByQuery),
		emulation.SetScriptExecutionDisabled(false), // to ask where things are
		chromedp.Evaluate(`(r => [r.top, r.bottom, innerHeight])(document.querySelector("[role=alert]").getBoundingClientRect())`, &box)))
	assert.Equal(t, "A note has 4096 bytes at most.", shown)
	assert.Equal(t, text, typed)
	assert.Positive(t, box[0], "the reason is in view")
	assert.Less(t, box[1], box[2], "the reason is in view")
}
