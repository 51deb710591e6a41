package eject

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"
)

// reference is the module that deployments are taken from.
const reference = "refdeploy"

// A program is the Go source of the packages that a deployment needs, and what
// go/types knows of it. Packages of other modules are opaque: loading the CDK's
// would take longer than all the rest, and names of our own resolve without.
type program struct {
	root     string
	packages map[string]*unit // by import path, with _test behind it for tests
	order    []*unit          // imported ones first

	fset *token.FileSet
	info *types.Info
	ast  map[dst.Node]ast.Node
}

// A unit is one package as the compiler sees it.
type unit struct {
	path, dir string // dir from the root, with slashes
	files     map[string]*source
	types     *types.Package
}

// A source is one file: its text, and its syntax tree while a pass works on it.
type source struct {
	text []byte
	tree *dst.File
}

// load reads the packages with these import paths from the project at root, and
// all of that project's that they import.
func load(root string, paths ...string) (*program, error) {
	p := &program{root: root, packages: map[string]*unit{}}
	for _, path := range paths {
		if err := p.add(path); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// add reads a package and what it imports.
func (p *program) add(importPath string) error {
	if p.packages[importPath] != nil {
		return nil
	}
	u := &unit{path: importPath, dir: strings.TrimPrefix(strings.TrimSuffix(importPath, "_test"), reference+"/"), files: map[string]*source{}}
	p.packages[importPath] = u
	dir := filepath.Join(p.root, filepath.FromSlash(u.dir))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		name := entry.Name()
		isTest := strings.HasSuffix(name, "_test.go")
		if !strings.HasSuffix(name, ".go") || isTest != strings.HasSuffix(importPath, "_test") {
			continue
		}
		if match, err := build.Default.MatchFile(dir, name); err != nil || !match {
			continue // for another system, or for a test that asks for more
		}
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return err
		}
		u.files[name] = &source{text: text}
		if err := p.addImports(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// addImports reads what a file imports of the project.
func (p *program) addImports(text []byte) error {
	file, err := parser.ParseFile(token.NewFileSet(), "", text, parser.ImportsOnly)
	if err != nil {
		return err
	}
	for _, spec := range file.Imports {
		if imported := importPath(spec.Path.Value); strings.HasPrefix(imported, reference+"/") {
			if err := p.add(imported); err != nil {
				return err
			}
		}
	}
	return nil
}

func importPath(literal string) string {
	path, err := strconv.Unquote(literal)
	if err != nil {
		return literal
	}
	return path
}

// check parses and type-checks everything, from the text as the last pass left it.
func (p *program) check() error {
	p.fset = token.NewFileSet()
	p.ast = map[dst.Node]ast.Node{}
	p.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Selections: map[*ast.SelectorExpr]*types.Selection{}, Implicits: map[ast.Node]types.Object{},
	}
	parsed := map[*unit][]*ast.File{}
	dependencies := map[*unit][]string{}
	for _, u := range p.sorted() {
		for _, name := range slices.Sorted(maps.Keys(u.files)) {
			src := u.files[name]
			file, err := parser.ParseFile(p.fset, path.Join(u.dir, name), src.text, parser.ParseComments)
			if err != nil {
				return err
			}
			d := decorator.NewDecorator(p.fset)
			if src.tree, err = d.DecorateFile(file); err != nil {
				return err
			}
			maps.Copy(p.ast, d.Ast.Nodes)
			parsed[u] = append(parsed[u], file)
			for _, spec := range file.Imports {
				dependencies[u] = append(dependencies[u], importPath(spec.Path.Value))
			}
		}
	}
	p.order = nil
	visited := map[*unit]bool{}
	var visit func(*unit)
	visit = func(u *unit) {
		if u == nil || visited[u] {
			return
		}
		visited[u] = true
		for _, dependency := range dependencies[u] {
			visit(p.packages[dependency])
		}
		p.order = append(p.order, u)
	}
	for _, u := range p.sorted() {
		visit(u)
	}
	config := types.Config{
		Importer: opaque{p, map[string]*types.Package{}},
		Error:    func(error) {}, // most of them: what is opaque has no members
	}
	for _, u := range p.order {
		u.types = nil
	}
	for _, u := range p.order {
		u.types, _ = config.Check(u.path, p.fset, parsed[u], p.info)
	}
	return nil
}

func (p *program) sorted() []*unit {
	return slices.SortedFunc(maps.Values(p.packages), func(a, b *unit) int { return strings.Compare(a.path, b.path) })
}

// print writes the syntax trees back to text.
func (p *program) print() error {
	for _, u := range p.packages {
		for name, src := range u.files {
			var text bytes.Buffer
			if err := decorator.Fprint(&text, src.tree); err != nil {
				return fmt.Errorf("%s/%s: %w", u.dir, name, err)
			}
			src.text = text.Bytes()
		}
	}
	return nil
}

// opaque imports the program's own packages, and of all others the name alone.
type opaque struct {
	p     *program
	known map[string]*types.Package
}

func (o opaque) Import(importPath string) (*types.Package, error) {
	if u := o.p.packages[importPath]; u != nil && u.types != nil {
		return u.types, nil
	}
	if o.known[importPath] == nil {
		pkg := types.NewPackage(importPath, packageName(importPath))
		pkg.MarkComplete()
		o.known[importPath] = pkg
	}
	return o.known[importPath], nil
}

var major = regexp.MustCompile(`^v[0-9]+$`)

// packageName is the name that an imported package has, unless the file says
// another.
func packageName(importPath string) string {
	if importPath == "github.com/aws/jsii-runtime-go" {
		return "jsii"
	}
	name := path.Base(importPath)
	if major.MatchString(name) && path.Dir(importPath) != "." {
		name = path.Base(path.Dir(importPath))
	}
	return name
}

// object returns what an identifier means, nil when that is opaque.
func (p *program) object(id *dst.Ident) types.Object {
	node, ok := p.ast[id].(*ast.Ident)
	if !ok {
		return nil
	}
	return p.info.ObjectOf(node)
}

// typeOf returns the type and, if it is constant, the value of an expression.
func (p *program) typeOf(e dst.Expr) types.TypeAndValue {
	node, ok := p.ast[e].(ast.Expr)
	if !ok {
		return types.TypeAndValue{}
	}
	return p.info.Types[node]
}

// each calls f with every file.
func (p *program) each(f func(u *unit, name string, tree *dst.File)) {
	for _, u := range p.order {
		for _, name := range slices.Sorted(maps.Keys(u.files)) {
			f(u, name, u.files[name].tree)
		}
	}
}
