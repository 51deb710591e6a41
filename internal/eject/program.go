package eject

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"go/types"
	"hash/fnv"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/decorator"
	"golang.org/x/sync/errgroup"
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

	defining map[dst.Expr]bool     // what variables are defined by
	idle     map[types.Object]bool // functions that do nothing but return
	types    map[string]bool       // packages that matter for their types only
	only     string                // the one package to edit, or "" for all of a deployment
	unclear  map[string]bool       // names of members of something opaque, that may be ours
}

// A unit is one package as the compiler sees it.
type unit struct {
	path, dir string // dir from the root, with slashes
	files     map[string]*source
	types     *types.Package
}

// A source is one file: its text, and its syntax tree for passes to work on.
type source struct {
	text  []byte
	tree  *dst.File
	file  *ast.File
	nodes map[dst.Node]ast.Node
	sum   uint64 // of the tree as the text has it
}

// parse reads the text, unless the tree still is what it says.
func (s *source) parse(fset *token.FileSet, name string) error {
	if s.tree != nil {
		return nil
	}
	file, err := parser.ParseFile(fset, name, s.text, parser.ParseComments)
	if err != nil {
		return err
	}
	d := decorator.NewDecorator(fset)
	if s.tree, err = d.DecorateFile(file); err != nil {
		return err
	}
	s.file, s.nodes, s.sum = file, d.Ast.Nodes, sum(s.tree)
	return nil
}

// print writes a tree that was changed back to text.
func (s *source) print() error {
	if s.tree == nil || sum(s.tree) == s.sum {
		return nil
	}
	var text bytes.Buffer
	if err := decorator.Fprint(&text, s.tree); err != nil {
		return err
	}
	s.text, s.tree = text.Bytes(), nil
	return nil
}

// sum is a number that differs when trees do.
func sum(tree *dst.File) uint64 {
	h := fnv.New64a()
	dst.Inspect(tree, func(n dst.Node) bool {
		if n == nil {
			io.WriteString(h, ")")
			return true
		}
		switch n := n.(type) {
		case *dst.Ident:
			io.WriteString(h, n.Name)
		case *dst.BasicLit:
			io.WriteString(h, n.Value)
		case *dst.BinaryExpr:
			io.WriteString(h, n.Op.String())
		case *dst.UnaryExpr:
			io.WriteString(h, n.Op.String())
		case *dst.AssignStmt:
			io.WriteString(h, n.Tok.String())
		case *dst.GenDecl:
			fmt.Fprint(h, n.Tok, n.Lparen)
		}
		h.Write([]byte(reflect.TypeOf(n).String()))
		if _, ok := n.(*dst.Package); !ok {
			for _, comment := range n.Decorations().Start {
				io.WriteString(h, comment)
			}
		}
		return true
	})
	return h.Sum64()
}

// load reads the packages with these import paths from the project at root, and
// all of that project's that they import.
func load(root string, paths ...string) (*program, error) {
	p := newProgram(root)
	for _, path := range paths {
		if err := p.add(path); err != nil {
			return nil, err
		}
	}
	return p, nil
}

func newProgram(root string) *program {
	return &program{root: root, packages: map[string]*unit{}, fset: token.NewFileSet()}
}

// add reads a package and what it imports.
func (p *program) add(importPath string) error {
	if p.packages[importPath] != nil {
		return nil
	}
	u, err := p.read(importPath)
	if err != nil {
		return err
	}
	return p.follow(u)
}

// follow reads what the files of a package import.
func (p *program) follow(u *unit) error {
	if p.types[u.path] {
		return nil
	}
	for name, src := range u.files {
		if err := p.addImports(src.text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// read reads the files of one package.
func (p *program) read(importPath string) (*unit, error) {
	u := &unit{path: importPath, dir: strings.TrimPrefix(strings.TrimSuffix(importPath, "_test"), reference+"/"), files: map[string]*source{}}
	p.packages[importPath] = u
	dir := filepath.Join(p.root, filepath.FromSlash(u.dir))
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
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
			return nil, err
		}
		u.files[name] = &source{text: text}
	}
	return u, nil
}

// parse makes the syntax trees of packages, where the text has none yet.
func (p *program) parse(units ...*unit) error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, u := range units {
		for name, src := range u.files {
			work.Go(func() error { return src.parse(p.fset, path.Join(u.dir, name)) })
		}
	}
	return work.Wait()
}

// pick keeps of a package what the declarations with these names need, as far as
// names alone tell, and what that imports. It comes before types are known, so
// that nothing is read in vain.
func (p *program) pick(u *unit, names ...string) error {
	byName := map[string][]dst.Node{}
	var all []dst.Node
	declare := func(name string, n dst.Node) {
		byName[name] = append(byName[name], n)
		all = append(all, n)
	}
	for _, src := range u.files {
		for _, d := range src.tree.Decls {
			switch d := d.(type) {
			case *dst.FuncDecl:
				name := d.Name.Name
				if d.Recv != nil {
					dst.Inspect(d.Recv, func(n dst.Node) bool {
						if id, ok := n.(*dst.Ident); ok {
							name = id.Name // the last one: its type
						}
						return true
					})
				}
				declare(name, d)
			case *dst.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *dst.TypeSpec:
						declare(spec.Name.Name, spec)
					case *dst.ValueSpec:
						for _, id := range spec.Names {
							declare(id.Name, dst.Node(spec))
							if isEnum(d) {
								for _, other := range d.Specs {
									byName[id.Name] = append(byName[id.Name], other)
								}
							}
						}
					}
				}
			}
		}
	}
	needed := map[dst.Node]bool{}
	var need func(string)
	need = func(name string) {
		for _, n := range byName[name] {
			if needed[n] {
				continue
			}
			needed[n] = true
			dst.Inspect(n, func(n dst.Node) bool {
				if id, ok := n.(*dst.Ident); ok {
					need(id.Name)
				}
				return true
			})
		}
	}
	for _, name := range append(names, "_", "init") {
		need(name)
	}
	gone := map[dst.Node]bool{}
	for _, n := range all {
		if !needed[n] {
			gone[n] = true
		}
	}
	p.order = []*unit{u}
	p.removeDeclarations(gone)
	for _, src := range u.files {
		pruneFile(src.tree)
	}
	if err := p.print(); err != nil {
		return err
	}
	return p.follow(u)
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
	p.ast = map[dst.Node]ast.Node{}
	p.info = &types.Info{
		Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}, Uses: map[*ast.Ident]types.Object{},
		Scopes: map[ast.Node]*types.Scope{},
	}
	parsed := map[*unit][]*ast.File{}
	dependencies := map[*unit][]string{}
	if err := p.parse(p.sorted()...); err != nil {
		return err
	}
	for _, u := range p.sorted() {
		for _, name := range slices.Sorted(maps.Keys(u.files)) {
			src := u.files[name]
			maps.Copy(p.ast, src.nodes)
			parsed[u] = append(parsed[u], src.file)
			for _, spec := range src.file.Imports {
				dependencies[u] = append(dependencies[u], importPath(spec.Path.Value))
			}
		}
	}
	p.defining = map[dst.Expr]bool{}
	for _, u := range p.packages {
		for _, src := range u.files {
			dst.Inspect(src.tree, func(n dst.Node) bool {
				if assign, ok := n.(*dst.AssignStmt); ok && assign.Tok == token.DEFINE {
					for _, e := range assign.Rhs {
						p.defining[e] = true
					}
				}
				return true
			})
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
		for _, file := range parsed[u] {
			resolver{p.info, u.types}.file(file)
		}
	}
	p.findUnclear()
	p.idle = map[types.Object]bool{}
	for o, f := range p.functions() {
		if _, ok := p.always(f); ok || p.harmless(f) {
			p.idle[o] = true
		}
	}
	return nil
}

func (p *program) sorted() []*unit {
	return slices.SortedFunc(maps.Values(p.packages), func(a, b *unit) int { return strings.Compare(a.path, b.path) })
}

// print writes the syntax trees that were changed back to text.
func (p *program) print() error {
	var work errgroup.Group
	work.SetLimit(runtime.GOMAXPROCS(0))
	for _, u := range p.packages {
		for name, src := range u.files {
			work.Go(func() error {
				if err := src.print(); err != nil {
					return fmt.Errorf("%s/%s: %w", u.dir, name, err)
				}
				return nil
			})
		}
	}
	return work.Wait()
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

// edits reports whether passes change a package.
func (p *program) edits(u *unit) bool {
	return u.path != settingsPath && !isApp(u.path) && (p.only == "" || u.path == p.only)
}

// each calls f with every file.
func (p *program) each(f func(u *unit, name string, tree *dst.File)) {
	for _, u := range p.order {
		for _, name := range slices.Sorted(maps.Keys(u.files)) {
			f(u, name, u.files[name].tree)
		}
	}
}
