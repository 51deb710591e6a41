package docs_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/catalog"
	"refdeploy/internal/docs"
	"refdeploy/internal/project"
)

var update = flag.Bool("update", false, "rewrite the generated sections")

func TestGeneratedSectionsAreCurrent(t *testing.T) {
	root := project.Path()
	pages, err := docs.Render(root)
	require.NoError(t, err)
	for path, want := range pages {
		t.Run(path, func(t *testing.T) {
			if *update {
				require.NoError(t, os.WriteFile(filepath.Join(root, path), []byte(want), 0o644))
				return
			}
			got, err := os.ReadFile(filepath.Join(root, path))
			require.NoError(t, err)
			assert.True(t, want == string(got), "%s is stale; run `make docs`", path)
		})
	}
}

func TestPatternPagesHaveTheirGeneratedSections(t *testing.T) {
	for _, d := range catalog.All() {
		page := read(t, d.Page)
		for _, section := range []string{"resources", "suppressions", "cost", "duties", "own-app"} {
			assert.Contains(t, page, "<!-- generated: "+section+" -->", d.Page)
		}
	}
}

// A pattern's page promises what its tests claim, in the same words.
func TestPatternPagesMakeEveryClaim(t *testing.T) {
	for _, d := range catalog.All() {
		t.Run(d.ID, func(t *testing.T) {
			page := read(t, d.Page)
			var made []string
			for _, file := range docs.TestsOf(d) {
				made = append(made, claims(t, project.Path(file))...)
			}
			require.NotEmpty(t, made)
			for _, claim := range made {
				assert.True(t, strings.Contains(page, "\n- "+claim+"\n"), "%s does not promise what the tests claim: %s", d.Page, claim)
			}
		})
	}
}

// A promise that no test makes is a wish.
func TestEveryPromiseHasATest(t *testing.T) {
	promises, err := docs.Promises(project.Path())
	require.NoError(t, err)
	require.NotEmpty(t, promises)
	for _, p := range promises {
		assert.NotEmpty(t, p.Templates, "%s promises what no test claims: %s", p.Pages[0].Page, p.Text)
	}
}

// claims returns the names of claims and of subtests in a test file.
func claims(t *testing.T, path string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	require.NoError(t, err)
	var names []string
	add := func(e ast.Expr) {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			name, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			names = append(names, name)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "name" {
				add(n.Value)
			}
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "Run" && len(n.Args) == 2 {
				add(n.Args[0])
			}
		}
		return true
	})
	return names
}

var (
	link = regexp.MustCompile(`\]\(([^)#\s]+)(#[^)]*)?\)`)
	code = regexp.MustCompile("`[^`\n]*`")
)

// links returns the targets of a page's links, without those in code.
func links(t *testing.T, page string) []string {
	t.Helper()
	var targets []string
	for _, match := range link.FindAllStringSubmatch(code.ReplaceAllString(read(t, page), "code"), -1) {
		targets = append(targets, match[1])
	}
	return targets
}

func TestLinksBetweenPagesLead(t *testing.T) {
	checked := 0
	for _, page := range pages(t) {
		for _, target := range links(t, page) {
			if strings.Contains(target, "://") {
				continue
			}
			_, err := os.Stat(filepath.Join(project.Path(filepath.Dir(page)), target))
			assert.NoError(t, err, "linked from %s", page)
			checked++
		}
	}
	assert.NotZero(t, checked)
}

func TestEveryDocIsReachableFromTheREADME(t *testing.T) {
	reached := map[string]bool{}
	var visit func(page string)
	visit = func(page string) {
		if reached[page] {
			return
		}
		reached[page] = true
		for _, target := range links(t, page) {
			if target := filepath.Join(filepath.Dir(page), target); strings.HasSuffix(target, ".md") {
				visit(target)
			}
		}
	}
	visit("README.md")
	for _, page := range pages(t) {
		assert.True(t, reached[page], page)
	}
}

// A decision that no test enforces is a wish.
func TestEveryDecisionNamesTestsThatExist(t *testing.T) {
	var tests strings.Builder
	root := project.Path()
	for _, dir := range []string{"stacks", "internal"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, dir), func(path string, _ fs.DirEntry, err error) error {
			if strings.HasSuffix(path, "_test.go") {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				tests.Write(data)
			}
			return err
		}))
	}
	quoted := regexp.MustCompile("`(Test[A-Za-z0-9]+)`|\"([^\"]+)\"")
	for _, page := range pages(t) {
		if !strings.HasPrefix(page, "docs/decisions/") || strings.HasSuffix(page, "README.md") {
			continue
		}
		_, confirmation, ok := strings.Cut(read(t, page), "**Confirmation.**")
		require.True(t, ok, page)
		names := quoted.FindAllStringSubmatch(confirmation, -1)
		require.NotEmpty(t, names, page)
		for _, name := range names {
			if name[1] != "" {
				assert.True(t, strings.Contains(tests.String(), "func "+name[1]+"("), "%s: no test %s", page, name[1])
			} else {
				assert.True(t, strings.Contains(tests.String(), strconv.Quote(name[2])), "%s: no test %q", page, name[2])
			}
		}
	}
}

// pages returns the pages in the root and every page below docs, from the root.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{"README.md", "SECURITY.md", "CHANGELOG.md"}
	root := project.Path()
	require.NoError(t, filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".md") {
			relative, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			found = append(found, relative)
		}
		return err
	}))
	return found
}

func read(t *testing.T, page string) string {
	t.Helper()
	data, err := os.ReadFile(project.Path(page))
	require.NoError(t, err)
	return string(data)
}
