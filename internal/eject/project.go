// Package eject writes one of the deployments as a project of its own: its stack,
// the constructs that it uses, its tests and the app, with what the user chose as
// plain values. It is a partial evaluator for the Go that the deployments are
// written in: what the settings decide is replaced by its value, what can then
// never run goes, and so does what nothing uses any more.
package eject

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	"golang.org/x/text/collate"
	"golang.org/x/text/language"

	"refdeploy/internal/assembly"
	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
)

// Options say what to write.
type Options struct {
	Stack  string // the id of a deployment
	Module string // the Go module
	Name   string // the stack's name
	Keep   bool   // keep the settings, instead of what they decide

	Settings settings.Settings
	Given    map[string]string // the settings that the user gave, by key
	Version  string            // of this project

	// Template is what the settings come to, as a golden file has it. Default: nil,
	// the golden file of the profile, for which nothing else may be given.
	Template []byte
}

// Make returns the files of a project, by path with slashes. It ends early when
// ctx does.
func Make(ctx context.Context, root string, o Options) (map[string][]byte, error) {
	d, ok := catalog.ByID(o.Stack)
	if !ok {
		return nil, fmt.Errorf("stack: %q is no deployment", o.Stack)
	}
	n := names{stack: o.Name, module: o.Module, slug: slug(o.Name)}
	// A run takes some 150 MB: collecting garbage on the way would cost time for
	// little.
	defer debug.SetGCPercent(debug.SetGCPercent(400))

	// The app needs nothing of the rest.
	app, appFiles := errgroup.Group{}, map[string][]byte{}
	if o.sample() {
		app.Go(func() error { return sampleApp(root, n, appFiles) })
	}

	templates, err := o.templates(root, d)
	if err != nil {
		return nil, err
	}
	var parsed []assembly.Template
	for _, name := range slices.Sorted(maps.Keys(templates)) {
		var t assembly.Template
		if err := json.Unmarshal(templates[name], &t); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		parsed = append(parsed, t)
	}

	p := newProgram(root)
	p.types = map[string]bool{settingsPath: !o.Keep}
	stacks, err := p.read(stacksPath)
	if err != nil {
		return nil, err
	}
	if err := p.parse(stacks); err != nil {
		return nil, err
	}
	constructor, err := p.constructor(d)
	if err != nil {
		return nil, err
	}
	if err := p.pick(stacks, constructor); err != nil {
		return nil, err
	}
	stackFile := path.Base(d.Source)
	claimsFile := strings.TrimSuffix(stackFile, ".go") + "_test.go"
	kind := "stack_test.go.tmpl"
	if o.Keep {
		kind = "stack_test.keep.go.tmpl"
	}
	harness, err := render(kind, map[string]string{"Constructor": constructor, "ID": d.ID, "Golden": golden(d.ID)})
	if err != nil {
		return nil, err
	}
	tests, err := suite{p: p, id: d.ID, file: claimsFile, chosen: o.Settings, templates: parsed, keep: o.Keep, own: o.Template != nil}.prepare(harness)
	if err != nil {
		return nil, err
	}
	paths := []string{stacksPath, testsPath}
	if d.ID == "EksAnywhere" { // whose app is in no template
		text, err := render("bundles.go.tmpl", map[string]any{"Stack": o.Name, "Keep": o.Keep})
		if err != nil {
			return nil, err
		}
		p.packages[bundlesPath] = &unit{path: bundlesPath, dir: "cmd/bundles", files: map[string]*source{"main.go": {text: text}}}
		if err := p.addImports(text); err != nil {
			return nil, err
		}
		paths = append(paths, bundlesPath)
	}
	roots := func() map[types.Object]bool {
		all := p.lookup(stacksPath, constructor)
		maps.Copy(all, p.lookup(bundlesPath, "main"))
		maps.Copy(all, p.lookup(testsPath, tests...))
		if o.Keep { // what main.go asks
			maps.Copy(all, p.lookup(projectPath, "CLIContext"))
			maps.Copy(all, p.lookup(settingsPath, "Parse", "Keys"))
		}
		return all
	}
	knobs, err := p.specialize(ctx, roots, o.Settings, paths, o.Keep, o.sample())
	if err != nil {
		return nil, err
	}
	var values [][2]string
	for _, name := range slices.Sorted(maps.Keys(knobs)) {
		values = append(values, [2]string{knobs[name], field(o.Settings, name)})
	}
	p.mergeAll(stackFile, claimsFile)
	p.document(stacksPath, stackFile,
		"// Package stacks defines the deployment. The file of the stack reads top to",
		"// bottom in the order a request meets what it defines: where it runs, what runs,",
		"// how many and how a bad release is undone, how traffic gets in, what it may",
		"// touch, where to find it.")
	p.edit(stackFile, values, n)
	if err := p.print(); err != nil {
		return nil, err
	}

	files := map[string][]byte{}
	for name, text := range p.sources() {
		if !isApp(reference + "/" + path.Dir(name)) {
			files[name] = text
		}
	}
	if err := app.Wait(); err != nil {
		return nil, err
	}
	maps.Copy(files, appFiles)
	const contract = "app/contract/contract.go" // the settings' defaults
	if text := p.sources()[contract]; !o.sample() && text != nil {
		files[contract] = text
	}
	for name, template := range templates {
		files[path.Join("stacks", name)] = []byte(n.template(string(template)))
	}
	if err := o.around(root, d, n, constructor, files); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for name, constant := range knobs {
		keys[keyOf(name)] = constant
	}
	files["README.md"], err = page{o: o, n: n, d: d, knobs: keys, files: files}.readme(root, parsed[0])
	return files, err
}

// templates returns the golden templates of the project, by path below stacks.
func (o Options) templates(root string, d catalog.Deployment) (map[string][]byte, error) {
	read := func(profile settings.Profile) ([]byte, error) {
		return os.ReadFile(filepath.Join(root, "stacks", "testdata", fmt.Sprintf("%s.%s.golden.json", d.ID, profile)))
	}
	if o.Keep {
		all := map[string][]byte{}
		for _, profile := range []settings.Profile{settings.Sandbox, settings.Production} {
			text, err := read(profile)
			if err != nil {
				return nil, err
			}
			all[golden(d.ID+"."+string(profile))] = text
		}
		return all, nil
	}
	text := o.Template
	if text == nil {
		var err error
		if text, err = read(o.Settings.Profile); err != nil {
			return nil, err
		}
	}
	return map[string][]byte{golden(d.ID): text}, nil
}

// Digests change with the app's source and with Go: golden files record that they
// are there, as constructs/cdktest does.
var digests = []*regexp.Regexp{
	regexp.MustCompile(`[0-9a-f]{64}`),
	regexp.MustCompile(`(CurrentVersion[0-9A-F]{8})[0-9a-f]{32}`),
}

// Golden writes a template as a golden file has it.
func Golden(template []byte) ([]byte, error) {
	var text bytes.Buffer
	if err := json.Indent(&text, template, "", "  "); err != nil {
		return nil, err
	}
	masked := digests[0].ReplaceAll(text.Bytes(), []byte("ASSET"))
	return append(digests[1].ReplaceAll(masked, []byte("${1}VERSION")), '\n'), nil
}

// NeedsTemplate reports whether the settings make another template than one of the
// golden files, so that somebody has to synthesize it.
func (o Options) NeedsTemplate() bool {
	for key := range o.Given {
		if key != "profile" {
			return !o.Keep
		}
	}
	return false
}

// slug is a name for where only lower-case letters, digits and hyphens may stand.
func slug(name string) string {
	var b strings.Builder
	for i, r := range name {
		if r >= 'A' && r <= 'Z' {
			if i > 0 && b.Len() > 0 && name[i-1] != '-' && !(name[i-1] >= 'A' && name[i-1] <= 'Z') {
				b.WriteByte('-')
			}
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

var mark = regexp.MustCompile(`(?s)\n  "Metadata": \{\n    "` + reference + `:settings": \{.*?\n    \}\n  \},`)

// template gives a golden template the project's tags, without the mark by which
// the comparison knows its own.
func (n names) template(text string) string {
	return sortTags(word.ReplaceAllString(mark.ReplaceAllString(text, ""), n.slug))
}

// sortTags puts the tags of each resource in the order that the CDK writes them,
// in which the project's name may stand elsewhere than the reference's.
func sortTags(text string) string {
	order := collate.New(language.English)
	var out []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		out = append(out, lines[i])
		if !strings.HasSuffix(lines[i], "Tags\": [") {
			continue
		}
		indent := lines[i+1][:len(lines[i+1])-len("{")]
		var tags [][]string
		for i++; lines[i] == indent+"{"; i++ {
			tag := []string{}
			for ; !strings.HasPrefix(lines[i], indent+"}"); i++ {
				tag = append(tag, lines[i])
			}
			tags = append(tags, tag)
		}
		slices.SortStableFunc(tags, func(a, b []string) int { return order.CompareString(a[1], b[1]) })
		for k, tag := range tags {
			end := indent + "},"
			if k == len(tags)-1 {
				end = indent + "}"
			}
			out = append(append(out, tag...), end)
		}
		out = append(out, lines[i])
	}
	return strings.Join(out, "\n")
}

// sample reports whether the sample app runs, and not one of the user's.
func (o Options) sample() bool { return o.Settings.App == "" && o.Settings.Image == "" }

// sampleApp adds the app, with the tests that need nothing of the comparison.
func sampleApp(root string, n names, files map[string][]byte) error {
	packages := []string{}
	err := filepath.WalkDir(filepath.Join(root, "app"), func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if e.IsDir() {
			packages = append(packages, reference+"/"+rel)
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			text, err := os.ReadFile(name)
			files[rel] = []byte(n.rename(string(text)))
			return err
		}
		return nil
	})
	if err != nil {
		return err
	}
	packages = slices.DeleteFunc(packages, func(pkg string) bool {
		matches, _ := filepath.Glob(filepath.Join(root, strings.TrimPrefix(pkg, reference), "*.go"))
		return len(matches) == 0
	})
	p, err := load(root, append(packages, reference+"/app_test")...)
	if err != nil {
		return err
	}
	tests := p.packages[reference+"/app_test"]
	for name, src := range tests.files {
		if bytes.Contains(src.text, []byte(`"`+reference+`/internal/`)) || name == "bench_test.go" {
			delete(tests.files, name)
		}
	}
	for path := range p.packages {
		if !isApp(strings.TrimSuffix(path, "_test")) {
			delete(p.packages, path)
		}
	}
	if err := p.check(); err != nil {
		return err
	}
	for _, u := range p.sorted() {
		own := path.Base(u.dir) + ".go"
		p.merge(u, func(name string) string {
			switch {
			case u == tests && name != "contract_test.go":
				return "app_test.go"
			case u == tests:
				return name
			case u.path == reference+"/app":
				return "main.go"
			}
			return own
		})
	}
	p.edit("", nil, n)
	if err := p.print(); err != nil {
		return err
	}
	maps.Copy(files, p.sources())
	return nil
}
