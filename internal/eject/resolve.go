package eject

import (
	"go/ast"
	"go/types"
)

// A resolver finds the meaning of names that go/types did not come to, because
// they stand within something opaque: the value in a map whose key is another
// module's, for example.
type resolver struct {
	info *types.Info
	pkg  *types.Package
}

func (r resolver) file(file *ast.File) {
	scope := r.info.Scopes[file]
	if scope == nil {
		return
	}
	ast.Inspect(file, func(n ast.Node) bool { return r.visit(scope, n) })
}

// visit resolves one node.
func (r resolver) visit(scope *types.Scope, n ast.Node) bool {
	switch n := n.(type) {
	case *ast.SelectorExpr:
		r.typeOf(scope, n)
		ast.Inspect(n.X, func(n ast.Node) bool { return r.visit(scope, n) })
		return false
	case *ast.KeyValueExpr:
		if _, ok := n.Key.(*ast.Ident); ok {
			// What stands before the colon may be a field: go/types knows.
			ast.Inspect(n.Value, func(n ast.Node) bool { return r.visit(scope, n) })
			return false
		}
	case *ast.CompositeLit:
		r.typeOf(scope, n)
	case *ast.Ident:
		r.object(scope, n)
	}
	return true
}

// object returns what an identifier means.
func (r resolver) object(scope *types.Scope, id *ast.Ident) types.Object {
	if o := r.info.ObjectOf(id); o != nil {
		return o
	}
	inner := scope.Innermost(id.Pos())
	if inner == nil {
		return nil
	}
	_, o := inner.LookupParent(id.Name, id.Pos())
	if o != nil && o.Pkg() != nil {
		r.info.Uses[id] = o
	}
	return o
}

// typeOf returns the type of an expression, nil when that is opaque.
func (r resolver) typeOf(scope *types.Scope, e ast.Expr) types.Type {
	if t, ok := r.info.Types[e]; ok && t.Type != nil && t.Type != types.Typ[types.Invalid] {
		if s, ok := e.(*ast.SelectorExpr); !ok || r.info.Uses[s.Sel] != nil {
			return t.Type
		}
	}
	var t types.Type
	switch e := e.(type) {
	case *ast.Ident:
		if o := r.object(scope, e); o != nil {
			t = o.Type()
		}
	case *ast.SelectorExpr:
		if id, ok := e.X.(*ast.Ident); ok {
			if pkg, ok := r.object(scope, id).(*types.PkgName); ok {
				if o := pkg.Imported().Scope().Lookup(e.Sel.Name); o != nil {
					r.info.Uses[e.Sel] = o
					t = o.Type()
				}
				break
			}
		}
		if x := r.typeOf(scope, e.X); x != nil && r.info.Uses[e.Sel] == nil {
			if o, _, _ := types.LookupFieldOrMethod(x, true, r.pkg, e.Sel.Name); o != nil {
				r.info.Uses[e.Sel] = o
				t = o.Type()
			}
		}
	case *ast.CompositeLit:
		if e.Type != nil {
			t = r.typeOf(scope, e.Type)
		}
	case *ast.ParenExpr:
		t = r.typeOf(scope, e.X)
	case *ast.StarExpr:
		if pointer, ok := r.typeOf(scope, e.X).(*types.Pointer); ok {
			t = pointer.Elem()
		}
	case *ast.CallExpr:
		if f, ok := r.typeOf(scope, e.Fun).(*types.Signature); ok && f.Results().Len() == 1 {
			t = f.Results().At(0).Type()
		}
	}
	if t != nil && t != types.Typ[types.Invalid] {
		r.info.Types[e] = types.TypeAndValue{Type: t}
		return t
	}
	return nil
}
