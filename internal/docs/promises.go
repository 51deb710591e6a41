package docs

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"refdeploy/internal/catalog"
)

// A Promise is a line below "What it promises" on a deployment's page.
type Promise struct {
	Text  string
	Pages []catalog.Deployment

	// Templates are the tests that look for it in a template, Runs those that
	// watch it where it happens. Both are paths from the root.
	Templates, Runs []string
}

// Promises returns every promise with the tests that say the same.
func Promises(root string) ([]*Promise, error) {
	var promises []*Promise
	byText := map[string]*Promise{}
	for _, d := range catalog.All() {
		page, err := os.ReadFile(filepath.Join(root, d.Page))
		if err != nil {
			return nil, err
		}
		_, section, found := strings.Cut(string(page), "\n## What it promises\n")
		if !found {
			return nil, fmt.Errorf("%s: has no section \"What it promises\"", d.Page)
		}
		section, _, _ = strings.Cut(section, "\n## ")
		for line := range strings.Lines(section) {
			text, promised := strings.CutPrefix(strings.TrimSpace(line), "- ")
			if !promised {
				continue
			}
			p, known := byText[text]
			if !known {
				p = &Promise{Text: text}
				byText[text] = p
				promises = append(promises, p)
			}
			p.Pages = append(p.Pages, d)
		}
	}
	for _, d := range catalog.All() {
		// Some promises of the production profile are the same for all.
		names, err := tests(root, append(TestsOf(d), "stacks/synth_test.go")...)
		if err != nil {
			return nil, err
		}
		for file, said := range names {
			for text := range said {
				if p := byText[text]; p != nil && slices.ContainsFunc(p.Pages, func(other catalog.Deployment) bool { return other.ID == d.ID }) && !slices.Contains(p.Templates, file) {
					p.Templates = append(p.Templates, file)
				}
			}
		}
	}
	running, err := filepath.Glob(filepath.Join(root, "tests", "*", "*_test.go"))
	if err != nil {
		return nil, err
	}
	for i, path := range running {
		if running[i], err = filepath.Rel(root, path); err != nil {
			return nil, err
		}
	}
	names, err := tests(root, running...)
	if err != nil {
		return nil, err
	}
	for file, said := range names {
		for text := range said {
			if p := byText[text]; p != nil {
				p.Runs = append(p.Runs, file)
			}
		}
	}
	for _, p := range promises {
		slices.Sort(p.Templates)
		slices.Sort(p.Runs)
	}
	return promises, nil
}

// TestsOf returns the files with the tests of a deployment's promises, from the
// root.
func TestsOf(d catalog.Deployment) []string {
	files := []string{strings.TrimSuffix(d.Source, ".go") + "_test.go"}
	if strings.HasPrefix(d.ControlPlane, "EKS") {
		files = append(files, "stacks/kubernetes_test.go")
	}
	if d.ControlPlane == "EKS" { // in a region
		files = append(files, "stacks/kubernetes_traffic_test.go")
	}
	return files
}

// tests returns the texts in test files, by file: the names of tests are among
// them, however a file writes its tables.
func tests(root string, files ...string) (map[string]map[string]bool, error) {
	found := map[string]map[string]bool{}
	for _, path := range files {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, path), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		texts := map[string]bool{}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil {
					texts[text] = true
				}
			}
			return true
		})
		found[path] = texts
	}
	return found, nil
}

// promised is the table of all promises, those that most deployments make first.
func promised(root string) (string, error) {
	promises, err := Promises(root)
	if err != nil {
		return "", err
	}
	slices.SortStableFunc(promises, func(a, b *Promise) int { return cmp.Compare(len(b.Pages), len(a.Pages)) })
	links := func(files []string) string {
		var links []string
		for _, file := range files {
			name := filepath.Base(file)
			if !strings.HasPrefix(file, "stacks/") {
				name = filepath.Base(filepath.Dir(file)) + "/" + name
			}
			links = append(links, fmt.Sprintf("[%s](../%s)", name, file))
		}
		return strings.Join(links, ", ")
	}
	rows := [][]string{{"Promise", "By", "Read from the template", "Seen to happen"}}
	for _, p := range promises {
		var by []string
		for _, d := range p.Pages {
			by = append(by, d.ID)
		}
		rows = append(rows, []string{p.Text, strings.Join(by, ", "), links(p.Templates), links(p.Runs)})
	}
	return table(rows...), nil
}
