package report

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Formats are the formats that [Report.Write] knows.
func Formats() []string { return []string{"table", "markdown", "json", "html"} }

// Write writes the report in a format of [Formats].
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "table":
		return r.writeTables(w)
	case "markdown":
		return r.writeMarkdown(w)
	case "json":
		return writeJSON(w, r)
	case "html":
		return r.writeHTML(w)
	}
	return fmt.Errorf("format: got %q; allowed: %s", format, strings.Join(Formats(), ", "))
}

// cellWidth is where a cell of a terminal's table is wrapped.
const cellWidth = 28

func (r Report) writeTables(w io.Writer) error {
	var b strings.Builder
	for _, section := range r.Sections() {
		t := table.NewWriter()
		t.SetStyle(table.StyleLight)
		t.Style().Format.Header = text.FormatDefault
		t.SetTitle(section.Title)
		head := table.Row{""}
		for _, d := range r.Deployments {
			head = append(head, d.ID)
		}
		t.AppendHeader(head)
		for _, row := range section.Rows {
			cells := table.Row{text.WrapSoft(row.Label, cellWidth)}
			for _, cell := range row.Cells {
				cells = append(cells, text.WrapText(text.WrapSoft(cell, cellWidth), cellWidth))
			}
			t.AppendRow(cells)
			t.AppendSeparator()
		}
		fmt.Fprintf(&b, "%s\n\n", t.Render())
	}
	r.writeLoads(&b, "", "  ")
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) writeMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Deployments compared\n\n%s\n\n", r.Assumptions())
	for _, section := range r.Sections() {
		fmt.Fprintf(&b, "## %s\n\n", section.Title)
		head, rule := []string{""}, []string{"---"}
		for _, d := range r.Deployments {
			head, rule = append(head, d.ID), append(rule, "---")
		}
		line(&b, head)
		line(&b, rule)
		for _, row := range section.Rows {
			line(&b, append([]string{row.Label}, row.Cells...))
		}
		b.WriteString("\n")
	}
	r.writeLoads(&b, "## ", "- ")
	_, err := io.WriteString(w, b.String())
	return err
}

func line(b *strings.Builder, cells []string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

// writeLoads writes which deployment is the cheapest, and where that changes.
func (r Report) writeLoads(b *strings.Builder, title, bullet string) {
	fmt.Fprintf(b, "%sThe cheapest\n\n", title)
	for _, sentence := range r.CheapestSentences() {
		fmt.Fprintf(b, "%s%s\n", bullet, sentence)
	}
	if len(r.BreakEven) > 0 {
		fmt.Fprintf(b, "\n%sBreak-even\n\n", title)
		for _, sentence := range r.BreakEvenSentences() {
			fmt.Fprintf(b, "%s%s\n", bullet, sentence)
		}
	}
	if title == "" {
		fmt.Fprintf(b, "\n%s\n", r.Assumptions())
	}
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
