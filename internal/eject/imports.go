package eject

import (
	"cmp"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"
)

// An imported is a line of an import declaration.
type imported struct{ name, path string }

func (i imported) as() string {
	if i.name != "" {
		return i.name
	}
	return packageName(i.path)
}

// importsOf returns what a file imports.
func importsOf(tree *dst.File) []imported {
	var all []imported
	for _, d := range tree.Decls {
		g, ok := d.(*dst.GenDecl)
		if !ok || g.Tok != token.IMPORT {
			continue
		}
		for _, s := range g.Specs {
			spec := s.(*dst.ImportSpec)
			i := imported{path: importPath(spec.Path.Value)}
			if spec.Name != nil {
				i.name = spec.Name.Name
			}
			all = append(all, i)
		}
	}
	return all
}

// setImports writes the imports of a file: the standard library's, those of other
// modules, and our own, a paragraph each.
func setImports(tree *dst.File, all []imported) {
	var decls []dst.Decl
	for _, d := range tree.Decls {
		if g, ok := d.(*dst.GenDecl); !ok || g.Tok != token.IMPORT {
			decls = append(decls, d)
		}
	}
	tree.Decls, tree.Imports = decls, nil
	if len(all) == 0 {
		return
	}
	slices.SortFunc(all, func(a, b imported) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), strings.Compare(a.path, b.path), strings.Compare(a.name, b.name))
	})
	all = slices.Compact(all)
	g := &dst.GenDecl{Tok: token.IMPORT, Lparen: len(all) > 1, Rparen: len(all) > 1}
	g.Decs.Before, g.Decs.After = dst.EmptyLine, dst.EmptyLine
	for k, i := range all {
		spec := &dst.ImportSpec{Path: &dst.BasicLit{Kind: token.STRING, Value: strconv.Quote(i.path)}}
		if i.name != "" {
			spec.Name = dst.NewIdent(i.name)
		}
		spec.Decs.Before, spec.Decs.After = dst.NewLine, dst.NewLine
		if k > 0 && all[k-1].rank() != i.rank() {
			spec.Decs.Before = dst.EmptyLine
		}
		g.Specs = append(g.Specs, spec)
		tree.Imports = append(tree.Imports, spec)
	}
	tree.Decls = append([]dst.Decl{g}, tree.Decls...)
}

func (i imported) rank() int {
	switch first, _, _ := strings.Cut(i.path, "/"); {
	case first == reference:
		return 2
	case strings.Contains(first, "."):
		return 1
	}
	return 0
}

// shareImports gives every file of a package the imports of all, for code that
// moved between them.
func (p *program) shareImports(u *unit) {
	var all []imported
	for _, src := range u.files {
		all = append(all, importsOf(src.tree)...)
	}
	for _, src := range u.files {
		setImports(src.tree, slices.Clone(all))
	}
}

// pruneFile takes away imports that a file does not use.
func pruneFile(tree *dst.File) bool {
	used := map[string]bool{}
	dst.Inspect(tree, func(n dst.Node) bool {
		if s, ok := n.(*dst.SelectorExpr); ok {
			if id, ok := s.X.(*dst.Ident); ok {
				used[id.Name] = true
			}
		}
		return true
	})
	was := importsOf(tree)
	is := slices.DeleteFunc(slices.Clone(was), func(i imported) bool { return i.name != "_" && !used[i.as()] })
	if len(is) == len(was) {
		return false
	}
	setImports(tree, is)
	return true
}

// pruneImports takes away imports that a file does not use, and packages that
// nobody imports.
func (p *program) pruneImports(roots ...string) bool {
	changed := false
	p.each(func(_ *unit, _ string, tree *dst.File) { changed = pruneFile(tree) || changed })
	needed := map[string]bool{}
	var need func(string)
	need = func(path string) {
		u := p.packages[path]
		if u == nil || needed[path] {
			return
		}
		needed[path] = true
		for _, src := range u.files {
			for _, i := range importsOf(src.tree) {
				need(i.path)
			}
		}
	}
	for _, root := range roots {
		need(root)
	}
	for _, path := range slices.Sorted(maps.Keys(p.packages)) {
		if !needed[path] {
			delete(p.packages, path)
			changed = true
		}
	}
	return changed
}

// merge writes the files of a package into one, which reads better when little is
// left of each. The file that names keeps maps to is where each one goes.
func (p *program) merge(u *unit, into func(name string) string) {
	for _, name := range slices.Sorted(maps.Keys(u.files)) {
		target := into(name)
		if target == name {
			continue
		}
		src := u.files[name]
		delete(u.files, name)
		to := u.files[target]
		if to == nil {
			u.files[target] = src
			continue
		}
		all := append(importsOf(to.tree), importsOf(src.tree)...)
		if isPackageDoc(src.tree.Decs.Start) && !isPackageDoc(to.tree.Decs.Start) {
			to.tree.Decs.Start = append(src.tree.Decs.Start, to.tree.Decs.Start...)
		}
		setImports(src.tree, nil)
		if len(src.tree.Decls) > 0 {
			src.tree.Decls[0].Decorations().Before = dst.EmptyLine
		}
		to.tree.Decls = append(to.tree.Decls, src.tree.Decls...)
		setImports(to.tree, all)
	}
}
