package eject

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"

	"refdeploy/internal/catalog"
)

// around adds what a project has beside its code.
func (o Options) around(root string, d catalog.Deployment, n names, constructor string, files map[string][]byte) error {
	read := func(name string) (string, error) {
		text, err := os.ReadFile(filepath.Join(root, name))
		return string(text), err
	}
	for _, name := range []string{"LICENSE", ".npmrc", ".dockerignore"} {
		text, err := read(name)
		if err != nil {
			return err
		}
		files[name] = []byte(n.rename(text))
	}
	cdk, err := read("cdk.json")
	if err != nil {
		return err
	}
	if o.Keep {
		cdk = inContext(cdk, o.Given)
	}
	files["cdk.json"] = []byte(cdk)

	workflow, err := read(".github/workflows/ci.yml")
	if err != nil {
		return err
	}
	data := map[string]any{
		"Slug": n.slug, "ID": d.ID, "Stack": n.stack, "Module": n.module, "Constructor": constructor, "Actions": actions(workflow),
	}
	entry := "main.go.tmpl"
	if o.Keep {
		entry = "main.keep.go.tmpl"
	}
	for name, from := range map[string]string{
		"main.go": entry, "Makefile": "Makefile.tmpl", ".gitignore": "gitignore.tmpl", ".github/workflows/ci.yml": "ci.yml.tmpl",
	} {
		if files[name], err = render(from, data); err != nil {
			return err
		}
	}

	mod, err := read("go.mod")
	if err != nil {
		return err
	}
	if files["go.mod"], err = goMod(mod, n.module); err != nil {
		return err
	}
	sum, err := read("go.sum")
	if err != nil {
		return err
	}
	files["go.sum"] = []byte(sum)

	return npm(root, n, files)
}

// inContext writes settings into the context of a cdk.json.
func inContext(text string, given map[string]string) string {
	const head = "  \"context\": {\n"
	var lines strings.Builder
	for _, key := range slices.Sorted(maps.Keys(given)) {
		fmt.Fprintf(&lines, "    %q: %q,\n", key, given[key])
	}
	return strings.Replace(text, head, head+lines.String(), 1)
}

// step matches the lines of a workflow that use an action, with what they give it.
var step = regexp.MustCompile(`(?m)^      - uses: (actions/(?:checkout|setup-go|setup-node)@.*)\n((?:        .*\n)*)`)

// actions returns the steps that bring the source, Go and Node.js.
func actions(workflow string) []string {
	var steps []string
	seen := map[string]bool{}
	for _, match := range step.FindAllStringSubmatch(workflow, -1) {
		if name, _, _ := strings.Cut(match[1], "@"); !seen[name] {
			seen[name] = true
			steps = append(steps, strings.TrimRight(match[0], "\n"))
		}
	}
	return steps
}

// goMod is the go.mod of the reference for another module.
func goMod(text, module string) ([]byte, error) {
	f, err := modfile.Parse("go.mod", []byte(text), nil)
	if err != nil {
		return nil, err
	}
	if err := f.AddModuleStmt(module); err != nil {
		return nil, err
	}
	// One block for what the code imports and one for the rest, which `go mod tidy`
	// leaves as they are.
	var requirements []*modfile.Require
	for _, r := range f.Require {
		requirements = append(requirements, &modfile.Require{Mod: r.Mod, Indirect: r.Indirect})
	}
	for _, r := range requirements {
		if err := f.DropRequire(r.Mod.Path); err != nil {
			return nil, err
		}
	}
	f.Cleanup()
	f.SetRequireSeparateIndirect(requirements)
	f.Cleanup()
	return f.Format()
}

// npm writes package.json and its lock file with the packages that are used.
func npm(root string, n names, files map[string][]byte) error {
	uses := func(text string) bool {
		for name, content := range files {
			if strings.HasSuffix(name, ".go") && bytes.Contains(content, []byte(text)) {
				return true
			}
		}
		return false
	}
	keep := []string{"aws-cdk", "node"}
	if uses("lambda-layer-kubectl") {
		keep = append(keep, "@aws-cdk/lambda-layer-kubectl-")
	}
	wanted := func(name string) bool {
		return slices.ContainsFunc(keep, func(k string) bool { return name == k || strings.HasSuffix(k, "-") && strings.HasPrefix(name, k) })
	}

	var manifest struct {
		Name            string            `json:"name"`
		Private         bool              `json:"private"`
		License         string            `json:"license,omitempty"`
		DevDependencies map[string]string `json:"devDependencies"`
		AllowScripts    map[string]bool   `json:"allowScripts,omitempty"`
	}
	if err := decode(filepath.Join(root, "package.json"), &manifest); err != nil {
		return err
	}
	manifest.Name = n.slug
	for name := range manifest.DevDependencies {
		if !wanted(name) {
			delete(manifest.DevDependencies, name)
		}
	}

	var lock struct {
		Name            string                     `json:"name"`
		LockfileVersion int                        `json:"lockfileVersion"`
		Requires        bool                       `json:"requires"`
		Packages        map[string]json.RawMessage `json:"packages"`
	}
	if err := decode(filepath.Join(root, "package-lock.json"), &lock); err != nil {
		return err
	}
	lock.Name = n.slug
	self, err := json.Marshal(map[string]any{"name": n.slug, "license": manifest.License, "devDependencies": manifest.DevDependencies})
	if err != nil {
		return err
	}
	needed := map[string]json.RawMessage{"": self}
	var need func(from, name string) error
	need = func(from, name string) error {
		key := "node_modules/" + name
		if from != "" && lock.Packages[from+"/"+key] != nil {
			key = from + "/" + key
		}
		if needed[key] != nil || lock.Packages[key] == nil {
			return nil // seen before, or another system's
		}
		needed[key] = lock.Packages[key]
		var entry struct{ Dependencies, OptionalDependencies map[string]string }
		if err := json.Unmarshal(lock.Packages[key], &entry); err != nil {
			return fmt.Errorf("package-lock.json: %s: %w", key, err)
		}
		for _, dependencies := range []map[string]string{entry.Dependencies, entry.OptionalDependencies} {
			for other := range dependencies {
				if err := need(key, other); err != nil {
					return err
				}
			}
		}
		return nil
	}
	for name := range manifest.DevDependencies {
		if err := need("", name); err != nil {
			return err
		}
	}
	lock.Packages = needed
	if files["package.json"], err = indented(manifest); err != nil {
		return err
	}
	files["package-lock.json"], err = indented(lock)
	return err
}

func decode(path string, into any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil
}

func indented(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(v)
	return out.Bytes(), err
}
