package report

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Formats are the formats that [Report.Write] knows.
func Formats() []string { return []string{"table", "markdown", "json", "html"} }

// SectionNames are the sections that a [View] can show.
func SectionNames() []string {
	return []string{"what", "permissions", "cost", "duties", "limits", "types"}
}

// A View is what of a report a terminal shows.
type View struct {
	Width    int      // columns, 80 when 0
	Sections []string // of [SectionNames]; none is the summary alone
}

// Write writes the report in a format of [Formats]. A table is the summary, 80
// columns wide; see [Report.WriteTable].
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "table":
		return r.WriteTable(w, View{})
	case "markdown":
		_, err := io.WriteString(w, r.markdown())
		return err
	case "json":
		return writeJSON(w, r)
	case "html":
		return r.writeHTML(w)
	}
	return fmt.Errorf("format: got %q; allowed: %s", format, strings.Join(Formats(), ", "))
}

// WriteTable writes the report for a terminal: the summary, who is the cheapest,
// and the sections that the view asks for.
func (r Report) WriteTable(w io.Writer, view View) error {
	if view.Width <= 0 {
		view.Width = 80
	}
	var b strings.Builder
	say := func(indent, text string) {
		b.WriteString(wrapped(indent, text, view.Width) + "\n")
	}
	say("", r.Header())
	shown := r.summaryTable(view.Width)
	b.WriteString("\n" + shown + "\n")
	summary := r.Summary()
	for _, note := range summary.Notes {
		say("  ", note)
	}
	legend := "US dollars a month."
	for _, column := range []struct{ head, says string }{
		{"Plane", " Plane: what schedules it."}, {"You patch", " k8s: Kubernetes."}, {"Open", " Open: ports anyone reaches."},
	} {
		if strings.Contains(shown, column.head) {
			legend += column.says
		}
	}
	say("", legend)

	b.WriteString("\nThe cheapest\n")
	for _, sentence := range r.CheapestSentences() {
		say("  ", sentence)
	}
	for _, sentence := range r.notCompared() {
		say("  ", sentence)
	}
	say("  ", fmt.Sprintf("About the same is within %g %%.", tolerance()))
	b.WriteString("\nWhat decides\n")
	for _, sentence := range r.Decides() {
		say("  ", sentence)
	}
	for _, section := range r.Sections() {
		if slices.Contains(view.Sections, section.Name) {
			b.WriteString("\n" + r.sectionTable(section, view.Width) + "\n")
		}
	}
	if slices.Contains(view.Sections, "types") {
		b.WriteString("\n" + r.sectionTable(Section{Title: "Resources by type", Rows: r.TypeRows()}, view.Width) + "\n")
	}
	if slices.Contains(view.Sections, "cost") && len(r.BreakEven) > 0 {
		b.WriteString("\nBreak-even\n")
		for _, sentence := range r.BreakEvenSentences() {
			say("  ", sentence)
		}
	}
	b.WriteString("\n")
	say("", r.Assumptions())
	_, err := io.WriteString(w, b.String())
	return err
}

// wrapped breaks a text into lines that fit, the later ones indented further.
func wrapped(indent, sentence string, width int) string {
	lines := strings.Split(text.WrapSoft(sentence, max(20, width-len(indent)-2)), "\n")
	for i, line := range lines {
		lines[i] = indent + strings.TrimRight(line, " ")
		if i > 0 {
			lines[i] = "  " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// summaryTable is the summary as it stands in a terminal. A narrow one does
// without what the sections tell.
func (r Report) summaryTable(width int) string {
	s := r.Summary()
	hidden := []int{2, 7, 5, 6} // plane, open, to zero, what you patch
	for n := 0; ; n++ {
		t := newTable()
		t.AppendHeader(cells(s.Head))
		configs := []table.ColumnConfig{{Number: 3, Align: text.AlignRight, AlignHeader: text.AlignRight}, {Number: 4, Align: text.AlignRight, AlignHeader: text.AlignRight}}
		for _, column := range hidden[:n] {
			configs = append(configs, table.ColumnConfig{Number: column, Hidden: true})
		}
		t.SetColumnConfigs(configs)
		for _, row := range s.Rows {
			t.AppendRow(cells(row))
		}
		written := t.Render()
		if n == len(hidden) || text.LongestLineLen(written) <= width {
			return written
		}
	}
}

// newTable is a table with no more lines than a reader needs.
func newTable() table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	style := t.Style()
	style.Format.Header = text.FormatDefault
	style.Options = table.Options{SeparateHeader: true}
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	t.SuppressTrailingSpaces()
	return t
}

func cells(texts []string) table.Row {
	row := make(table.Row, len(texts))
	for i, cell := range texts {
		row[i] = cell
	}
	return row
}

// The narrowest columns that still read well.
const labelWidth, leastNumber, leastText = 24, 9, 22

// sectionTable has a column for each deployment where they fit, and else turns:
// each fact with a row for each deployment.
func (r Report) sectionTable(s Section, width int) string {
	numbers := !slices.ContainsFunc(s.Rows, func(row Row) bool { return !row.Numbers })
	least := leastText
	if numbers {
		least = leastNumber
		for _, d := range r.Deployments {
			least = max(least, len(d.ID))
		}
	}
	n := len(r.Deployments)
	if column := (width - labelWidth - 2*n - 2) / n; column < least {
		return s.Title + "\n\n" + r.turned(s, width)
	} else {
		return s.Title + "\n\n" + r.columns(s, column)
	}
}

// columns has a column for each deployment.
func (r Report) columns(s Section, width int) string {
	t := newTable()
	head := []string{""}
	configs := []table.ColumnConfig{{Number: 1, WidthMax: labelWidth, WidthMaxEnforcer: text.WrapSoft}}
	for i, d := range r.Deployments {
		head = append(head, d.ID)
		configs = append(configs, table.ColumnConfig{Number: i + 2, WidthMax: width, WidthMaxEnforcer: func(cell string, most int) string {
			return text.WrapText(text.WrapSoft(cell, most), most)
		}})
	}
	t.AppendHeader(cells(head))
	t.SetColumnConfigs(configs)
	for _, row := range s.Rows {
		if row.Numbers {
			padded := make([]string, len(row.Cells))
			for i, cell := range row.Cells {
				padded[i] = fmt.Sprintf("%9s", cell)
			}
			t.AppendRow(cells(append([]string{row.Label}, padded...)))
			continue
		}
		t.AppendRow(cells(append([]string{row.Label}, row.Cells...)))
	}
	return t.Render()
}

// turned has a block for each fact, with a line for each answer and the
// deployments that give it. Many numbers, as of a bill, have a block for each
// deployment instead.
func (r Report) turned(s Section, width int) string {
	var b strings.Builder
	numbers := slices.DeleteFunc(slices.Clone(s.Rows), func(row Row) bool { return !row.Numbers })
	texts := slices.DeleteFunc(slices.Clone(s.Rows), func(row Row) bool { return row.Numbers })
	if len(numbers) < 8 {
		numbers, texts = nil, s.Rows
	}
	for i, d := range r.Deployments {
		if len(numbers) == 0 {
			break
		}
		fmt.Fprintf(&b, "%s\n", d.ID)
		for _, row := range numbers {
			if row.Cells[i] != "–" {
				fmt.Fprintf(&b, "  %-*s %10s\n", min(width-14, 56), text.Trim(row.Label, min(width-14, 56)), row.Cells[i])
			}
		}
	}
	for _, row := range texts {
		fmt.Fprintf(&b, "%s\n", row.Label)
		for _, group := range r.groups(row) {
			b.WriteString(wrapped("  ", strings.Join(group.ids, ", ")+": "+group.cell, width) + "\n")
		}
	}
	return strings.TrimRight(b.String(), "\n")
}

// A group is some deployments with the same answer.
type group struct {
	ids  []string
	cell string
}

// groups gathers the deployments of a row by their answer, in their order.
func (r Report) groups(row Row) []group {
	var groups []group
	for i, cell := range row.Cells {
		j := slices.IndexFunc(groups, func(g group) bool { return g.cell == cell })
		if j < 0 {
			groups, j = append(groups, group{cell: cell}), len(groups)
		}
		groups[j].ids = append(groups[j].ids, r.Deployments[i].ID)
	}
	return groups
}

func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
