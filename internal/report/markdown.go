package report

import (
	"fmt"
	"regexp"
	"strings"

	"refdeploy/internal/bill"
)

// columnsInMarkdown is how many deployments stand beside each other in a table
// of texts: more would be wider than GitHub shows without scrolling.
const columnsInMarkdown = 3

// tolerance is how far apart bills are about the same, in percent.
func tolerance() float64 { return bill.Tolerance * 100 }

func (r Report) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Deployments compared\n\n%s\n\n", r.Header())
	b.WriteString(r.SummaryMarkdown(func(id string) string { return id }))
	b.WriteString("\n## The cheapest\n\n")
	for _, sentence := range r.CheapestSentences() {
		fmt.Fprintf(&b, "- %s\n", sentence)
	}
	fmt.Fprintf(&b, "\nAbout the same is within %g %%.", tolerance())
	for _, sentence := range r.notCompared() {
		b.WriteString(" " + sentence)
	}
	b.WriteString("\n\n## What decides\n\n")
	for _, sentence := range r.Decides() {
		fmt.Fprintf(&b, "- %s\n", sentence)
	}
	for _, section := range append(r.Sections(), Section{Title: "Resources by type", Rows: r.TypeRows()}) {
		fmt.Fprintf(&b, "\n## %s\n\n", section.Title)
		b.WriteString(r.sectionMarkdown(section))
	}
	if len(r.BreakEven) > 0 {
		b.WriteString("\n## Break-even\n\n")
		for _, sentence := range r.BreakEvenSentences() {
			fmt.Fprintf(&b, "- %s\n", sentence)
		}
	}
	fmt.Fprintf(&b, "\n%s\n", r.Assumptions())
	return b.String()
}

// SummaryMarkdown is the summary as a table and its notes. Name writes a
// deployment's name, such as a link to its page.
func (r Report) SummaryMarkdown(name func(id string) string) string {
	s := r.Summary()
	s.Head[2], s.Head[3] = "Idle, $ a month", "At "+s.Head[3]
	var b strings.Builder
	line(&b, s.Head)
	b.WriteString("|---|---|--:|--:|---|---|---|\n")
	for i, row := range s.Rows {
		id := r.Deployments[i].ID
		row[0] = name(id) + strings.ReplaceAll(strings.TrimPrefix(row[0], id), "*", `\*`)
		row[3] = strings.ReplaceAll(row[3], ">", "&gt; ")
		line(&b, row)
	}
	for _, note := range s.Notes {
		note = strings.Replace(strings.Replace(note, "* ", `\* `, 1), "> ", "&gt; ", 1)
		fmt.Fprintf(&b, "\n%s\n", commands(note))
	}
	return b.String()
}

// sectionMarkdown writes numbers as a table with a column for each deployment.
// Texts stand beside each other while they are few, and below each other else.
func (r Report) sectionMarkdown(s Section) string {
	var b strings.Builder
	numbers, texts := s, s
	numbers.Rows, texts.Rows = nil, nil
	for _, row := range s.Rows {
		if row.Numbers {
			numbers.Rows = append(numbers.Rows, row)
		} else {
			texts.Rows = append(texts.Rows, row)
		}
	}
	if len(r.Deployments) <= columnsInMarkdown {
		numbers, texts = Section{}, s
	}
	head, rule := []string{""}, "|---|"
	for _, d := range r.Deployments {
		head, rule = append(head, d.ID), rule+"--:|"
	}
	if len(numbers.Rows) > 0 {
		line(&b, head)
		b.WriteString(rule + "\n")
		for _, row := range numbers.Rows {
			line(&b, append([]string{row.Label}, row.Cells...))
		}
	}
	if len(texts.Rows) == 0 {
		return b.String()
	}
	if b.Len() > 0 {
		b.WriteString("\n")
	}
	if len(r.Deployments) <= columnsInMarkdown {
		line(&b, head)
		b.WriteString(strings.ReplaceAll(rule, "--:", "---") + "\n")
		for _, row := range texts.Rows {
			all := []string{row.Label}
			for _, cell := range row.Cells {
				all = append(all, commands(cell))
			}
			line(&b, all)
		}
		return b.String()
	}
	for _, row := range texts.Rows {
		fmt.Fprintf(&b, "**%s**\n\n", row.Label)
		for _, group := range r.groups(row) {
			fmt.Fprintf(&b, "- %s: %s\n", strings.Join(group.ids, ", "), commands(group.cell))
		}
		b.WriteString("\n")
	}
	return strings.TrimRight(b.String(), "\n") + "\n"
}

// command is a command of a program that operators call, up to the end of its
// part of a sentence.
var command = regexp.MustCompile(`\b(aws|kubectl|eksctl) [a-z][^;|]*[^;|. ]`)

// commands sets the commands of a text in code, where they are not.
func commands(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 { // between the backticks
		parts[i] = command.ReplaceAllString(parts[i], "\x00$0\x00")
	}
	return strings.ReplaceAll(strings.Join(parts, "`"), "\x00", "`")
}

func line(b *strings.Builder, cells []string) {
	for i, cell := range cells {
		cells[i] = strings.ReplaceAll(cell, "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}
