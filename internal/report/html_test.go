package report_test

import (
	"bytes"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheHTMLIsOneFileThatNeedsNothingBesideIt(t *testing.T) {
	r := all(t)
	var buffer bytes.Buffer
	require.NoError(t, r.Write(&buffer, "html"))
	page := buffer.String()
	assert.Less(t, len(page), 300_000)
	for _, address := range regexp.MustCompile(`(?:https?:)?//[a-z][^"' ]*`).FindAllString(page, -1) {
		assert.Contains(t, address, "//www.w3.org/", "only the names of XML")
	}
	assert.NotContains(t, page, "ZgotmplZ", "the template refused a value")
	assert.NotContains(t, page, "%!", "a format went wrong")
	for _, d := range r.Deployments {
		assert.Contains(t, page, `<input type="checkbox" value="`+d.ID+`" checked>`)
		assert.Contains(t, page, `<div class="" data-ids="`+d.ID+`"><svg`, "a sheet of a chart")
	}
	for _, section := range r.Sections() {
		assert.Contains(t, page, "<h2>"+section.Title+"</h2>")
	}
}
