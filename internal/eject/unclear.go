package eject

import (
	"go/types"
	"strings"

	"github.com/dave/dst"
)

// findUnclear finds members that something opaque is asked for and that may be
// ours: what the standard library's generic functions return has our types, and
// what another module returns has its own.
func (p *program) findUnclear() {
	p.unclear = map[string]bool{}
	p.each(func(u *unit, _ string, tree *dst.File) {
		if isApp(u.path) {
			return
		}
		from := map[types.Object]dst.Expr{} // what variables were made of
		dst.Inspect(tree, func(n dst.Node) bool {
			switch n := n.(type) {
			case *dst.AssignStmt:
				for i, e := range n.Lhs {
					if id, ok := e.(*dst.Ident); ok && p.defines(id) {
						from[p.object(id)] = n.Rhs[min(i, len(n.Rhs)-1)]
					}
				}
			case *dst.RangeStmt:
				for _, e := range []dst.Expr{n.Key, n.Value} {
					if id, ok := e.(*dst.Ident); ok && p.defines(id) {
						from[p.object(id)] = n.X
					}
				}
			}
			return true
		})
		dst.Inspect(tree, func(n dst.Node) bool {
			if s, ok := n.(*dst.SelectorExpr); ok && p.object(s.Sel) == nil && p.fromStandard(s.X, from, 0) {
				p.unclear[s.Sel.Name] = true
			}
			return true
		})
	})
}

// fromStandard reports whether a function of the standard library made a value.
func (p *program) fromStandard(e dst.Expr, from map[types.Object]dst.Expr, depth int) bool {
	if depth > 20 {
		return true // nobody can tell
	}
	switch e := e.(type) {
	case *dst.ParenExpr:
		return p.fromStandard(e.X, from, depth+1)
	case *dst.StarExpr:
		return p.fromStandard(e.X, from, depth+1)
	case *dst.IndexExpr:
		return p.fromStandard(e.X, from, depth+1)
	case *dst.SelectorExpr:
		return p.fromStandard(e.X, from, depth+1)
	case *dst.CallExpr:
		s, ok := e.Fun.(*dst.SelectorExpr)
		if !ok {
			return false
		}
		if id, ok := s.X.(*dst.Ident); ok {
			if pkg, ok := p.object(id).(*types.PkgName); ok {
				first, _, _ := strings.Cut(pkg.Imported().Path(), "/")
				return !strings.Contains(first, ".") && first != reference
			}
		}
		return p.fromStandard(s.X, from, depth+1)
	case *dst.Ident:
		made, ok := from[p.object(e)]
		return ok && p.object(e) != nil && p.fromStandard(made, from, depth+1)
	}
	return false
}
