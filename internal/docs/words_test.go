package docs_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
)

var (
	diagram = regexp.MustCompile("(?s)```mermaid\n(.*?)```\n(.*?)\n## ")
	edge    = regexp.MustCompile(`\|"?(\d+)[,"|]`)
	step    = regexp.MustCompile(`(?m)^(\d+)\. `)
)

// A reader follows a request by the numbers: each is on one arrow of the diagram
// and at one step of the walk, and none is left out.
func TestWalksFollowTheirDiagrams(t *testing.T) {
	for _, d := range catalog.All() {
		t.Run(d.ID, func(t *testing.T) {
			parts := diagram.FindStringSubmatch(read(t, d.Page))
			require.NotNil(t, parts, "no diagram with a walk below it")
			steps := numbers(step, parts[2])
			require.NotEmpty(t, steps)
			for i, n := range steps {
				assert.Equal(t, i+1, n, "the walk's steps")
			}
			assert.ElementsMatch(t, steps, numbers(edge, parts[1]), "the numbers on the diagram's arrows")
		})
	}
}

func numbers(pattern *regexp.Regexp, text string) []int {
	var found []int
	for _, match := range pattern.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.Atoi(match[1]) // digits
		found = append(found, n)
	}
	return found
}

// The README is the map: one step leads from it to each page.
func TestTheREADMELinksEveryPage(t *testing.T) {
	linked := map[string]bool{}
	for _, target := range links(t, "README.md") {
		linked[filepath.Clean(target)] = true
	}
	for _, page := range pages(t) {
		if page == "README.md" || strings.HasPrefix(page, "docs/decisions/") && page != "docs/decisions/README.md" {
			continue // the decisions have a list of their own
		}
		assert.True(t, linked[page], page)
	}
}

var (
	anchored = regexp.MustCompile(`\]\(([^)#\s]*)#([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	notInID  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// A link to a heading that was renamed leads to the top of the page, and no
// reader finds out what it meant.
func TestLinksToHeadingsLead(t *testing.T) {
	checked := 0
	for _, page := range pages(t) {
		for _, match := range anchored.FindAllStringSubmatch(read(t, page), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			target := page
			if match[1] != "" {
				target = filepath.Join(filepath.Dir(page), match[1])
			}
			ids := map[string]bool{}
			for _, h := range heading.FindAllStringSubmatch(read(t, target), -1) {
				// As GitHub makes ids of headings.
				id := notInID.ReplaceAllString(strings.ToLower(h[1]), "")
				ids[strings.ReplaceAll(id, " ", "-")] = true
			}
			assert.True(t, ids[match[2]], "%s links to #%s, which %s does not have", page, match[2], target)
			checked++
		}
	}
	assert.NotZero(t, checked)
}

// The reference lists each warning in the words that synthesis prints.
func TestTheReferenceListsEveryWarning(t *testing.T) {
	_, section, ok := strings.Cut(read(t, "docs/reference.md"), "\n## Warnings\n")
	require.True(t, ok)
	section, _, _ = strings.Cut(section, "\n## ")

	file, err := parser.ParseFile(token.NewFileSet(), project.Path("stacks", "warnings.go"), nil, 0)
	require.NoError(t, err)
	warnings := 0
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if f, ok := call.Fun.(*ast.Ident); !ok || f.Name != "warn" {
			return true
		}
		warnings++
		for _, argument := range call.Args[1:] { // the first is the stack
			ast.Inspect(argument, func(n ast.Node) bool {
				if literal, ok := n.(*ast.BasicLit); ok {
					says, err := strconv.Unquote(literal.Value)
					require.NoError(t, err)
					assert.True(t, strings.Contains(section, says), "the section Warnings does not say: %s", says)
				}
				return true
			})
		}
		return true
	})
	assert.NotZero(t, warnings)
}

// Every pattern page says what rings, in the alarms' own names.
func TestPatternPagesNameEveryAlarm(t *testing.T) {
	for _, d := range catalog.All() {
		data, err := os.ReadFile(project.Path("stacks", "testdata", d.ID+".production.golden.json"))
		require.NoError(t, err)
		var template assembly.Template
		require.NoError(t, json.Unmarshal(data, &template))
		var alarms []string
		for id, r := range template.Resources {
			if r.Type == "AWS::CloudWatch::Alarm" {
				alarms = append(alarms, id[:len(id)-8]) // without its hash
			}
		}
		_, section, ok := strings.Cut(read(t, d.Page), "\n## What rings in production\n")
		require.True(t, ok, d.Page)
		section, _, _ = strings.Cut(section, "\n## ")
		assert.Equal(t, len(alarms) == 0, strings.HasPrefix(strings.TrimSpace(section), "Nothing rings"), d.Page)
		assert.Equal(t, len(alarms), strings.Count(section, "\n| `"), d.Page)
		for _, alarm := range alarms {
			assert.True(t, strings.Contains(section, "\n| `"+alarm+"` |"), "%s does not say when %s rings", d.Page, alarm)
		}
	}
}

// A reader of two pages finds the same thing in the same place.
func TestPatternPagesHaveTheSameSections(t *testing.T) {
	sections := func(page string) (titles []string) {
		for _, match := range regexp.MustCompile(`(?m)^## (.+)$`).FindAllStringSubmatch(read(t, page), -1) {
			titles = append(titles, match[1])
		}
		return titles
	}
	want := sections(catalog.All()[0].Page)
	require.Contains(t, want, "Tear down")
	for _, d := range catalog.All() {
		assert.Equal(t, want, sections(d.Page), d.Page)
	}
}

// The tutorial shows the first lines of a test's output, which name claims.
func TestTheTutorialShowsClaimsThatTheTestsMake(t *testing.T) {
	shown := regexp.MustCompile(`(?m)^=== RUN   TestECSFargate/(.+)$`).FindAllStringSubmatch(read(t, "docs/tutorial.md"), -1)
	require.NotEmpty(t, shown)
	made := claims(t, project.Path("stacks", "ecs_fargate_test.go"))
	for _, line := range shown {
		assert.Contains(t, made, strings.ReplaceAll(line[1], "_", " "))
	}
}

// What a page cannot stop to explain stands in the concepts: each of these words
// there, and a link there on each page that uses one.
func TestWordsOfAWSAreExplained(t *testing.T) {
	concepts := read(t, "docs/concepts.md")
	for _, word := range []string{
		"LCU", "NAT gateway", "gateway endpoint", "security group", "target group", "draining", "AMI",
		"launch template", "scale-in protection", "target tracking", "surplus credits", "unlimited mode",
		"circuit breaker", "canary", "readiness gate", "Container Insights", "SNS topic", "IMDSv2",
		"access entry", "add-on", "TargetGroupBinding", "custom resource", "bootstrap",
	} {
		explained := regexp.MustCompile(`(?m)^\| (|[^|]*[ ` + "`" + `])` + regexp.QuoteMeta(word) + `[,s ]?[^|]*\| .`)
		assert.True(t, explained.MatchString(concepts), "the concepts do not explain %q", word)
		for _, page := range pages(t) {
			if page == "docs/concepts.md" || strings.HasPrefix(page, "docs/decisions/") || !strings.Contains(read(t, page), word) {
				continue
			}
			assert.Contains(t, read(t, page), "concepts.md", "%s uses %q", page, word)
		}
	}
}
