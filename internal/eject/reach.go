package eject

import (
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"

	"github.com/dave/dst"
)

// isApp reports whether a package is the app's: what runs, and not what says
// where.
func isApp(path string) bool {
	return path == reference+"/app" || strings.HasPrefix(path, reference+"/app/")
}

// A declaration is the smallest part of a file that is needed or not.
type declaration struct {
	unit  *unit
	names []types.Object
	node  dst.Node
	of    types.Object // the receiver's type of a method
}

// declarations returns all that the program declares on the level of packages.
func (p *program) declarations() []*declaration {
	var all []*declaration
	p.each(func(u *unit, _ string, tree *dst.File) {
		for _, d := range tree.Decls {
			switch d := d.(type) {
			case *dst.FuncDecl:
				all = append(all, &declaration{unit: u, names: []types.Object{p.object(d.Name)}, node: d, of: p.receiver(d)})
			case *dst.GenDecl:
				if d.Tok == token.IMPORT {
					continue
				}
				if d.Tok == token.CONST && isEnum(d) {
					whole := &declaration{unit: u, node: d}
					for _, spec := range d.Specs {
						whole.names = append(whole.names, p.specNames(spec)...)
					}
					all = append(all, whole)
					continue
				}
				for _, spec := range d.Specs {
					all = append(all, &declaration{unit: u, names: p.specNames(spec), node: spec})
				}
			}
		}
	})
	return all
}

// isEnum reports whether the values of a group of constants depend on each other.
func isEnum(d *dst.GenDecl) bool {
	found := false
	dst.Inspect(d, func(n dst.Node) bool {
		if id, ok := n.(*dst.Ident); ok && id.Name == "iota" {
			found = true
		}
		return !found
	})
	return found
}

func (p *program) specNames(spec dst.Spec) []types.Object {
	var names []types.Object
	switch spec := spec.(type) {
	case *dst.TypeSpec:
		names = append(names, p.object(spec.Name))
	case *dst.ValueSpec:
		for _, id := range spec.Names {
			names = append(names, p.object(id))
		}
	}
	return names
}

// receiver returns the type that a method belongs to, nil for a function.
func (p *program) receiver(f *dst.FuncDecl) types.Object {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return nil
	}
	t := f.Recv.List[0].Type
	if pointer, ok := t.(*dst.StarExpr); ok {
		t = pointer.X
	}
	if id, ok := t.(*dst.Ident); ok {
		return p.object(id)
	}
	return nil
}

// called returns the methods that somebody calls by their name. Others are there
// for an interface of another module.
func (p *program) called() map[string]bool {
	used := map[string]bool{}
	for _, f := range p.functions() {
		if f.decl.Recv != nil && len(f.calls) > 0 {
			used[methodKey(p.receiver(f.decl), f.decl.Name.Name)] = true
		}
	}
	return used
}

func methodKey(of types.Object, name string) string {
	if of == nil || of.Pkg() == nil {
		return name
	}
	return of.Pkg().Path() + "." + of.Name() + "." + name
}

// reach keeps what the roots need, and reports whether something went. The app
// stays whole where anything of it is needed.
func (p *program) reach(roots map[types.Object]bool, called map[string]bool) bool {
	all := p.declarations()
	byName := map[types.Object]*declaration{}
	for _, d := range all {
		for _, o := range d.names {
			if o != nil {
				byName[o] = d
			}
		}
	}
	needed := map[*declaration]bool{}
	var need func(*declaration)
	need = func(d *declaration) {
		if d == nil || needed[d] {
			return
		}
		needed[d] = true
		dst.Inspect(d.node, func(n dst.Node) bool {
			if id, ok := n.(*dst.Ident); ok {
				if o := p.object(id); o != nil {
					need(byName[origin(o)])
				}
			}
			return true
		})
	}
	for _, d := range all {
		blank := len(d.names) == 1 && (d.names[0] == nil || d.names[0].Name() == "_" || d.names[0].Name() == "init")
		for _, o := range d.names {
			if roots[o] {
				need(d)
			}
		}
		if isApp(d.unit.path) || blank && d.of == nil {
			need(d)
		}
	}
	for again := true; again; {
		again = false
		for _, d := range all {
			if d.of == nil || needed[d] || !needed[byName[d.of]] {
				continue
			}
			if name := d.node.(*dst.FuncDecl).Name.Name; p.unclear[name] || !called[methodKey(d.of, name)] {
				need(d)
				again = true
			}
		}
	}
	gone := map[dst.Node]bool{}
	for _, d := range all {
		if !needed[d] {
			gone[d.node] = true
		}
	}
	p.removeDeclarations(gone)
	return len(gone) > 0
}

// origin returns what a method or a field of a generic type was made from.
func origin(o types.Object) types.Object {
	switch o := o.(type) {
	case *types.Func:
		return o.Origin()
	case *types.Var:
		return o.Origin()
	}
	return o
}

func (p *program) removeDeclarations(gone map[dst.Node]bool) {
	for _, u := range p.order {
		doc := dst.Decorations(nil)
		for name, src := range u.files {
			var left []dst.Decl
			for _, d := range src.tree.Decls {
				if gone[d] {
					continue
				}
				if g, ok := d.(*dst.GenDecl); ok && g.Tok != token.IMPORT {
					if g.Specs = slices.DeleteFunc(slices.Clone(g.Specs), func(s dst.Spec) bool { return gone[s] }); len(g.Specs) == 0 {
						continue
					}
					if len(g.Specs) == 1 && g.Lparen {
						flatten(g)
					}
				}
				left = append(left, d)
			}
			src.tree.Decls = left
			if !hasDeclarations(src.tree) {
				if isPackageDoc(src.tree.Decs.Start) {
					doc = src.tree.Decs.Start
				}
				delete(u.files, name)
			}
		}
		if names := slices.Sorted(maps.Keys(u.files)); doc != nil && len(names) > 0 {
			first := u.files[names[0]].tree
			first.Decs.Start = append(doc, first.Decs.Start...)
		}
	}
}

// flatten writes a group of one declaration without the group.
func flatten(g *dst.GenDecl) {
	g.Lparen, g.Rparen = false, false
	spec := g.Specs[0].Decorations()
	g.Decs.Start = append(slices.Clone(g.Decs.Start), spec.Start...)
	spec.Start, spec.Before, spec.After = nil, dst.None, dst.None
}

func hasDeclarations(tree *dst.File) bool {
	for _, d := range tree.Decls {
		if g, ok := d.(*dst.GenDecl); !ok || g.Tok != token.IMPORT {
			return true
		}
	}
	return false
}

func isPackageDoc(doc dst.Decorations) bool {
	for _, line := range doc {
		if strings.HasPrefix(line, "// Package ") || strings.HasPrefix(line, "// Command ") {
			return true
		}
	}
	return false
}
