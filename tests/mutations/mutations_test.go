//go:build mutations

package mutations_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
	"refdeploy/internal/synth"
)

// A check is a column of the table. The golden template is none of them: it
// notices every change, and cannot tell a wrong one.
type check struct {
	name string
	run  func(*testing.T, string, findings)

	// slow marks one that takes minutes: `make mutations` measures it, and until
	// then the table stands.
	slow bool
}

var checks = []check{
	{name: "validation", run: validate},
	{name: "cdk-nag", run: nag, slow: true},
	{name: "claims", run: tested}, // and rules, at once
	{name: "rules"},
	{name: "emulator", run: deployed, slow: true},
	{name: "cfn-lint", run: lint},
}

// findings are the checks that notice a mutant, by its name.
type findings map[string]map[string]bool

func (f findings) by(mutant, check string) {
	if f[mutant] == nil {
		f[mutant] = map[string]bool{}
	}
	f[mutant][check] = true
}

// changes reports whether a mutant changes the templates of a profile.
func changes(mutant, profile string) bool {
	i, err := strconv.Atoi(mutant)
	return err == nil && mutations[i].profile == profile
}

// changed reports whether some mutant changes a stack in a profile.
func changed(stack, profile string) bool {
	return slices.ContainsFunc(mutations, func(m mutation) bool { return m.stack == stack && m.profile == profile })
}

func TestEveryMutationIsNoticed(t *testing.T) {
	require.GreaterOrEqual(t, len(mutations), 40)
	dir := t.TempDir()
	write(t, dir)
	noticed := findings{}
	for _, c := range checks {
		if c.run == nil || c.slow && !updating() {
			continue
		}
		start := time.Now()
		c.run(t, dir, noticed)
		t.Logf("%s: %.0f s", c.name, time.Since(start).Seconds())
	}
	assert.Empty(t, noticed["untouched"], "the templates as they are")
	for i, m := range mutations {
		if m.breaks {
			assert.NotEmpty(t, noticed[number(i)], "%s in %s: breaks a deployment, and only the golden template notices", m.name, m.stack)
		}
	}
	document(t, noticed)
}

// number is the name of a mutant.
func number(i int) string { return fmt.Sprintf("%02d", i) }

// table returns the rows of the documentation. What was not measured now stays
// as it stood.
func table(noticed findings, stood map[string][]string) string {
	var rows strings.Builder
	rows.WriteString("| What is broken | In | A deployment |")
	for _, c := range checks {
		rows.WriteString(" " + c.name + " |")
	}
	rows.WriteString("\n|---|---|---|" + strings.Repeat("---|", len(checks)) + "\n")
	for i, m := range mutations {
		what := fmt.Sprintf("| %s | %s, %s | %s |", m.name, m.stack, m.profile, map[bool]string{true: "breaks", false: "works otherwise"}[m.breaks])
		rows.WriteString(what)
		for column, c := range checks {
			cell := map[bool]string{true: " yes ", false: " "}[noticed[number(i)][c.name]]
			if c.slow && !updating() && column < len(stood[what]) {
				cell = stood[what][column]
			}
			rows.WriteString(cell + "|")
		}
		rows.WriteString("\n")
	}
	return rows.String()
}

// cells returns what a table says in the columns of the checks, by what stands
// before them in a row.
func cells(table string) map[string][]string {
	all := map[string][]string{}
	for _, row := range strings.Split(table, "\n") {
		parts := strings.SplitAfterN(row, "|", 5) // nothing, and three columns
		if len(parts) == 5 {
			all[strings.Join(parts[:4], "")] = strings.Split(parts[4], "|")
		}
	}
	return all
}

func updating() bool { return flag.Lookup("update").Value.String() == "true" } // cdktest's flag

// write makes every mutant in a directory of its own below dir.
func write(t *testing.T, dir string) {
	t.Helper()
	for _, profile := range []string{"sandbox", "production"} {
		require.NoError(t, synth.Quick(context.Background(), map[string]string{"profile": profile}, func(out string) error {
			for i, m := range mutations {
				assert.NoError(t, mutate(m, profile, out, filepath.Join(dir, number(i))), m.name)
			}
			return untouched(out, filepath.Join(dir, "untouched"), profile)
		}))
	}
}

// mutate writes the one stack that m changes to dir. In the other profile the
// stack is as it was, for the tests that look at both.
func mutate(m mutation, profile, out, dir string) error {
	manifest, err := read(filepath.Join(out, "manifest.json"))
	if err != nil {
		return err
	}
	template, err := read(filepath.Join(out, m.stack+".template.json"))
	if err != nil {
		return err
	}
	if profile == m.profile {
		before := fmt.Sprint(template)
		m.change(object(template))
		if fmt.Sprint(template) == before {
			return fmt.Errorf("it changes nothing")
		}
	}
	artifacts := manifest["artifacts"].(map[string]any)
	manifest["artifacts"] = map[string]any{m.stack: artifacts[m.stack]}
	to := filepath.Join(dir, "profile-"+profile)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for name, value := range map[string]any{"manifest.json": manifest, m.stack + ".template.json": template} {
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return err
		}
	}
	for _, kind := range []string{".assets.json", ".metadata.json"} {
		text, err := os.ReadFile(filepath.Join(out, m.stack+kind))
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(to, m.stack+kind), text, 0o644); err != nil {
			return err
		}
	}
	run := fmt.Sprintf("(?i)^Test(Rules|ProductionKeepsNotesAndLogs|%s(InProduction)?)$", m.stack)
	return os.WriteFile(filepath.Join(dir, "run"), []byte(run), 0o644)
}

// untouched copies all stacks as they are: what holds the checks to notice
// nothing then.
func untouched(out, dir, profile string) error {
	if err := os.CopyFS(filepath.Join(dir, "profile-"+profile), os.DirFS(out)); err != nil {
		return err
	}
	run := "^Test(Rules|ProductionKeepsNotesAndLogs)$"
	return os.WriteFile(filepath.Join(dir, "run"), []byte(run), 0o644)
}

func read(path string) (value map[string]any, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return value, json.Unmarshal(text, &value)
}

var failed = regexp.MustCompile(`(?m)^\s*--- FAIL: Test(\w+)/`)

// tested runs the tests of the stacks over every mutant, in one process, and
// notes which kinds fail.
func tested(t *testing.T, dir string, noticed findings) {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "stacks.test")
	build := exec.Command("go", "test", "-c", "-o", binary, "./stacks")
	build.Dir = project.Path()
	output, err := build.CombinedOutput()
	require.NoError(t, err, string(output))

	cmd := exec.Command(binary)
	cmd.Dir = project.Path("stacks")
	cmd.Env = append(os.Environ(), "REFDEPLOY_MUTANTS="+dir)
	output, err = cmd.CombinedOutput()
	require.NoError(t, err, string(output))

	parts := strings.Split("\n"+string(output), "\nmutant ")[1:]
	require.Len(t, parts, len(mutations)+1, "with the templates as they are")
	for _, part := range parts {
		name, text, _ := strings.Cut(part, "\n")
		require.True(t, strings.Contains(text, "PASS") || strings.Contains(text, "FAIL"), "%s: %s", name, text)
		for _, match := range failed.FindAllStringSubmatch(text, -1) {
			switch match[1] {
			case "Rules", "ProductionKeepsNotesAndLogs":
				noticed.by(name, "rules")
			default:
				noticed.by(name, "claims")
			}
		}
	}
}

// lint reads every template with cfn-lint, as `make lint` does.
func lint(t *testing.T, dir string, noticed findings) {
	t.Helper()
	var files []string
	for _, template := range all(t, dir) {
		files = append(files, template.path)
	}
	cmd := exec.Command(project.Path("bin", "lint", "bin", "cfn-lint"), append([]string{
		"--config-file", project.Path("tests", "lint", "cfnlintrc.yaml"), "--non-zero-exit-code", "none", "--format", "json",
	}, files...)...)
	output, err := cmd.Output()
	require.NoError(t, err, "run the tests through `make test-mutations`, which installs cfn-lint")
	var said []struct{ Filename string }
	require.NoError(t, json.Unmarshal(output, &said))
	for _, finding := range said {
		noticed.by(mutant(finding.Filename), "cfn-lint")
	}
}

// deployed creates and removes a stack from every template on the emulator of
// tests/deploy, which tells the mutants that went another way.
func deployed(t *testing.T, dir string, noticed findings) {
	t.Helper()
	cmd := exec.Command("go", "test", "-tags", "deploy", "-count", "1", "-timeout", "60m", "-run", "^TestMutants$", "./tests/deploy")
	cmd.Dir = project.Path()
	cmd.Env = append(os.Environ(), "REFDEPLOY_MUTANTS="+dir, "AWS_ENDPOINT_URL=")
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, string(output))
	text, err := os.ReadFile(filepath.Join(dir, "deployed.json"))
	require.NoError(t, err)
	var tales map[string]string
	require.NoError(t, json.Unmarshal(text, &tales))
	for mutant, tale := range tales {
		t.Logf("%s on the emulator: %s", mutant, tale)
		noticed.by(mutant, "emulator")
	}
}

const begin, end = "<!-- mutations -->\n", "<!-- end of mutations -->"

// document compares the table with the one in the documentation.
func document(t *testing.T, noticed findings) {
	t.Helper()
	path := project.Path("docs", "contributing.md")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	before, rest, ok := strings.Cut(string(text), begin)
	require.True(t, ok)
	stood, after, ok := strings.Cut(rest, end)
	require.True(t, ok)
	want := before + begin + table(noticed, cells(stood)) + end + after
	if updating() {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
		return
	}
	assert.True(t, want == string(text), "docs/contributing.md is stale; run `make mutations`")
}

// An object is a template, or part of one.
type object map[string]any

// all returns the resources of a type whose text contains a mark, by logical id
// in alphabetical order.
func (o object) all(kind, mark string) (ids []string) {
	resources := o["Resources"].(map[string]any)
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		r := resources[id].(map[string]any)
		if r["Type"] == kind && strings.Contains(id+fmt.Sprint(r["Properties"]), mark) {
			ids = append(ids, id)
		}
	}
	return ids
}

// first returns the first of those.
func (o object) first(kind, mark string) map[string]any {
	ids := o.all(kind, mark)
	if len(ids) == 0 {
		panic(fmt.Sprintf("no %s with %q", kind, mark))
	}
	return o["Resources"].(map[string]any)[ids[0]].(map[string]any)
}

// drop removes the resources of a type, and what depends on them by name only.
func drop(kind, mark string) func(object) {
	return func(o object) {
		for _, id := range o.all(kind, mark) {
			delete(o["Resources"].(map[string]any), id)
			for _, r := range o["Resources"].(map[string]any) {
				resource := r.(map[string]any)
				if needs, ok := resource["DependsOn"].([]any); ok {
					resource["DependsOn"] = slices.DeleteFunc(needs, func(n any) bool { return n == id })
				}
			}
		}
	}
}

// forget removes the dependencies on resources whose id contains a mark.
func forget(mark string) func(object) {
	return func(o object) {
		for _, r := range o["Resources"].(map[string]any) {
			resource := r.(map[string]any)
			if needs, ok := resource["DependsOn"].([]any); ok {
				resource["DependsOn"] = slices.DeleteFunc(needs, func(n any) bool { return strings.Contains(n.(string), mark) })
			}
		}
	}
}

// set changes a property, given by its path from the resource, or removes it
// when the value is nil. A number in the path is an index of a list.
func set(kind, mark string, value any, path ...any) func(object) {
	return func(o object) {
		var at any = o.first(kind, mark)
		for _, step := range path[:len(path)-1] {
			if index, ok := step.(int); ok {
				at = at.([]any)[index]
			} else {
				at = at.(map[string]any)[step.(string)]
			}
		}
		last := path[len(path)-1].(string)
		if value == nil {
			delete(at.(map[string]any), last)
			return
		}
		at.(map[string]any)[last] = value
	}
}

// replace changes text in the resources of a type.
func replace(kind, mark, old, new string) func(object) {
	return func(o object) {
		for _, id := range o.all(kind, mark) {
			resources := o["Resources"].(map[string]any)
			text, err := json.Marshal(resources[id])
			if err != nil {
				panic(err)
			}
			var changed map[string]any
			if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), old, new)), &changed); err != nil {
				panic(err)
			}
			resources[id] = changed
		}
	}
}
