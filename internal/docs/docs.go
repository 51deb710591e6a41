// Package docs writes the facts that the code knows into the documentation:
// what stands between `<!-- generated: NAME -->` and `<!-- /generated -->`.
package docs

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
)

var section = regexp.MustCompile(`(?s)(<!-- generated: ([a-z-]+) -->\n).*?(<!-- /generated -->)`)

// Render returns every page with generated sections below root, by path, as it
// should be. It fails when a page asks for a section that nobody knows.
func Render(root string) (map[string]string, error) {
	pages := map[string]string{}
	render := func(path string, sections map[string]string) error {
		data, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			return err
		}
		var unknown error
		pages[path] = section.ReplaceAllStringFunc(string(data), func(old string) string {
			match := section.FindStringSubmatch(old)
			content, ok := sections[match[2]]
			if !ok {
				unknown = fmt.Errorf("%s: no section is named %q; known: %s", path, match[2], strings.Join(slices.Sorted(maps.Keys(sections)), ", "))
			}
			return match[1] + "\n" + content + "\n" + match[3]
		})
		return unknown
	}

	if err := render("README.md", map[string]string{"deployments": deployments()}); err != nil {
		return nil, err
	}
	if err := render("docs/reference.md", map[string]string{"settings": settingsTable(), "needs": needs()}); err != nil {
		return nil, err
	}
	for _, d := range catalog.All() {
		sandbox, err := golden(root, d.ID, settings.Sandbox)
		if err != nil {
			return nil, err
		}
		production, err := golden(root, d.ID, settings.Production)
		if err != nil {
			return nil, err
		}
		if err := render(d.Page, map[string]string{
			"resources":    resources(sandbox, production),
			"suppressions": suppressions(sandbox, production),
		}); err != nil {
			return nil, err
		}
	}
	return pages, nil
}

// golden reads a deployment's reviewed template.
func golden(root, id string, profile settings.Profile) (assembly.Template, error) {
	var template assembly.Template
	path := filepath.Join(root, "stacks", "testdata", fmt.Sprintf("%s.%s.golden.json", id, profile))
	data, err := os.ReadFile(path)
	if err != nil {
		return template, err
	}
	if err := json.Unmarshal(data, &template); err != nil {
		return template, fmt.Errorf("%s: %w", path, err)
	}
	return template, nil
}

// table renders rows, the first of which is the head.
func table(rows ...[]string) string {
	var b strings.Builder
	for i, row := range rows {
		fmt.Fprintf(&b, "| %s |\n", strings.Join(row, " | "))
		if i == 0 {
			fmt.Fprintf(&b, "|%s\n", strings.Repeat("---|", len(row)))
		}
	}
	return b.String()
}

func deployments() string {
	rows := [][]string{{"Stack", "Control plane", "Data plane", "Code"}}
	for _, d := range catalog.All() {
		name := fmt.Sprintf("[%s](%s)", d.ID, d.Page)
		if d.ClosedSince != "" {
			name += ", closed to new customers since " + d.ClosedSince
		}
		rows = append(rows, []string{name, d.ControlPlane, d.DataPlane, fmt.Sprintf("[`%s`](%s)", filepath.Base(d.Source), d.Source)})
	}
	return table(rows...)
}

func settingsTable() string {
	rows := [][]string{{"Key", "Allowed", "Default", "Effect"}}
	for _, key := range settings.Keys(catalog.IDs()) {
		rows = append(rows, []string{"`" + key.Name + "`", key.Allowed, key.Default, key.Effect})
	}
	return table(rows...)
}

func needs() string {
	rows := [][]string{{"Stack", "Needs"}}
	for _, d := range catalog.All() {
		text := "nothing more"
		if len(d.Needs) > 0 {
			text = strings.Join(d.Needs, "; ")
		}
		rows = append(rows, []string{d.ID, text})
	}
	return table(rows...)
}

// resources counts resources by type, for both profiles.
func resources(sandbox, production assembly.Template) string {
	count := func(template assembly.Template) map[string]int {
		byType := map[string]int{}
		for _, r := range template.Resources {
			byType[r.Type]++
		}
		return byType
	}
	inSandbox, inProduction := count(sandbox), count(production)
	types := maps.Clone(inSandbox)
	maps.Copy(types, inProduction)

	rows := [][]string{{"Resource type", "sandbox", "production"}}
	for _, name := range slices.Sorted(maps.Keys(types)) {
		rows = append(rows, []string{"`" + name + "`", fmt.Sprint(inSandbox[name]), fmt.Sprint(inProduction[name])})
	}
	rows = append(rows, []string{"**all**", fmt.Sprint(len(sandbox.Resources)), fmt.Sprint(len(production.Resources))})
	return table(rows...)
}

// suppressions lists the findings of cdk-nag that are accepted, and why.
func suppressions(templates ...assembly.Template) string {
	seen := map[string]bool{}
	var rows [][]string
	for _, template := range templates {
		for _, r := range template.Resources {
			for _, s := range r.Suppressions() {
				row := []string{"`" + s.Rule + "`", s.Reason}
				if !seen[strings.Join(row, "")] {
					seen[strings.Join(row, "")] = true
					rows = append(rows, row)
				}
			}
		}
	}
	slices.SortFunc(rows, slices.Compare)
	return table(append([][]string{{"Rule", "Why it is accepted"}}, rows...)...)
}
