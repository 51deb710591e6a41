package eject

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// An access is how a function uses one of its variables.
type access struct {
	reads, writes int
	taken         bool // by address, or by a loop: nobody knows who writes
}

// locals writes values in place of variables that have one, and takes away
// variables that nobody reads.
func (p *program) locals() bool {
	changed := false
	p.each(func(u *unit, _ string, tree *dst.File) {
		if !p.edits(u) {
			return
		}
		for _, d := range tree.Decls {
			if f, ok := d.(*dst.FuncDecl); ok && f.Body != nil {
				changed = p.localsOf(f) || changed
			}
		}
	})
	return changed
}

func (p *program) localsOf(f *dst.FuncDecl) bool {
	uses := p.accesses(f)
	changed := false
	values := map[types.Object]dst.Expr{}
	lists(f.Body, func(list []dst.Stmt) []dst.Stmt {
		var out []dst.Stmt
		for i, s := range list {
			switch p.known(f.Body, s, uses, values) {
			case true:
				drop(s, list[i+1:], true)
				changed = true
			default:
				out = append(out, s)
			}
		}
		return out
	})
	if changed {
		p.substitute(f.Body, values)
		return true
	}
	lists(f.Body, func(list []dst.Stmt) []dst.Stmt {
		if changed {
			return list
		}
		for _, step := range []func([]dst.Stmt, map[types.Object]*access) ([]dst.Stmt, bool){p.unread, p.defineLate, p.returnAtOnce} {
			if out, did := step(list, uses); did {
				changed = true
				return out
			}
		}
		return list
	})
	return changed
}

// accesses counts how the variables in a function are used.
func (p *program) accesses(root dst.Node) map[types.Object]*access {
	uses := map[types.Object]*access{}
	of := func(o types.Object) *access {
		if uses[o] == nil {
			uses[o] = &access{}
		}
		return uses[o]
	}
	written := map[*dst.Ident]bool{}
	dst.Inspect(root, func(n dst.Node) bool {
		switch n := n.(type) {
		case *dst.AssignStmt:
			for _, e := range n.Lhs {
				if id, ok := e.(*dst.Ident); ok {
					written[id] = true
					if o := p.object(id); o != nil && !p.defines(id) {
						of(o).writes++
						if n.Tok != token.ASSIGN && n.Tok != token.DEFINE {
							of(o).reads++
						}
					}
				}
			}
		case *dst.IncDecStmt:
			if id, ok := n.X.(*dst.Ident); ok {
				of(p.object(id)).writes++
			}
		case *dst.FuncType:
			if n.Results != nil {
				for _, field := range n.Results.List {
					for _, id := range field.Names {
						if o := p.object(id); o != nil {
							of(o).taken = true // by whoever calls
						}
					}
				}
			}
		case *dst.RangeStmt:
			for _, e := range []dst.Expr{n.Key, n.Value} {
				if id, ok := e.(*dst.Ident); ok && p.object(id) != nil {
					of(p.object(id)).taken = true
				}
			}
		case *dst.UnaryExpr:
			if n.Op == token.AND {
				if id, ok := variableOf(n.X).(*dst.Ident); ok && p.object(id) != nil {
					of(p.object(id)).taken = true
				}
			}
		case *dst.Ident:
			if o, ok := p.object(n).(*types.Var); ok && !written[n] && !p.defines(n) {
				of(o).reads++
			}
		}
		return true
	})
	return uses
}

// variableOf returns the variable that an expression is a part of.
func variableOf(e dst.Expr) dst.Expr {
	for {
		switch x := e.(type) {
		case *dst.SelectorExpr:
			e = x.X
		case *dst.IndexExpr:
			e = x.X
		case *dst.ParenExpr:
			e = x.X
		default:
			return e
		}
	}
}

// defines reports whether an identifier is where its variable is declared.
func (p *program) defines(id *dst.Ident) bool {
	node, ok := p.ast[id].(*ast.Ident)
	return ok && p.info.Defs[node] != nil
}

// known records the value of a variable that is true, false or nil and stays so,
// and reports whether its declaration can go.
func (p *program) known(body dst.Node, s dst.Stmt, uses map[types.Object]*access, values map[types.Object]dst.Expr) bool {
	constant := func(id *dst.Ident) types.Object {
		o := p.object(id)
		if a := uses[o]; o == nil || id.Name == "_" || a != nil && (a.writes > 0 || a.taken) {
			return nil
		}
		return o
	}
	switch s := s.(type) {
	case *dst.AssignStmt:
		if s.Tok != token.DEFINE || len(s.Lhs) != 1 || len(s.Rhs) != 1 {
			return false
		}
		id, ok := s.Lhs[0].(*dst.Ident)
		if !ok {
			return false
		}
		o := constant(id)
		if v, ok := p.truth(s.Rhs[0]); ok && o != nil {
			values[o] = boolean(v)
			return true
		}
	case *dst.DeclStmt:
		decl := s.Decl.(*dst.GenDecl)
		if decl.Tok != token.VAR || len(decl.Specs) != 1 {
			return false
		}
		spec := decl.Specs[0].(*dst.ValueSpec)
		if len(spec.Names) != 1 || len(spec.Values) > 0 || !p.nilable(spec.Type) {
			return false
		}
		if o := constant(spec.Names[0]); o != nil && uses[o] != nil && !p.isReceiver(body, o) {
			values[o] = dst.NewIdent("nil")
			return true
		}
	}
	return false
}

// nilable reports whether the zero value of a type is nil. The types of the CDK
// that are no pointers are interfaces, when a variable of one has no value.
func (p *program) nilable(t dst.Expr) bool {
	switch t := t.(type) {
	case *dst.StarExpr, *dst.MapType, *dst.FuncType, *dst.InterfaceType:
		return true
	case *dst.ArrayType:
		return t.Len == nil
	case *dst.Ident:
		return isNilable(p.object(t))
	case *dst.SelectorExpr:
		if isNilable(p.object(t.Sel)) {
			return true
		}
		if id, ok := t.X.(*dst.Ident); ok {
			pkg, ok := p.object(id).(*types.PkgName)
			return ok && strings.HasPrefix(pkg.Imported().Path(), "github.com/aws/aws-cdk-go/")
		}
	}
	return false
}

// isNilable reports whether the zero value of one of the program's types is nil.
func isNilable(o types.Object) bool {
	name, ok := o.(*types.TypeName)
	if !ok {
		return false
	}
	switch name.Type().Underlying().(type) {
	case *types.Slice, *types.Map, *types.Pointer, *types.Signature:
		return true
	}
	return false
}

// substitute writes the values of variables where they are read.
func (p *program) substitute(root dst.Node, values map[types.Object]dst.Expr) {
	p.replace(root, func(e dst.Expr) (dst.Expr, bool) {
		id, ok := e.(*dst.Ident)
		if !ok || p.object(id) == nil {
			return nil, false
		}
		v, ok := values[p.object(id)]
		return v, ok
	})
}

// replace writes copies of values in place of the expressions that have them. A
// nil in a struct of options is left out, and compared with nil it is an answer.
func (p *program) replace(root dst.Node, value func(dst.Expr) (dst.Expr, bool), changed ...*bool) {
	did := func() {
		for _, c := range changed {
			*c = true
		}
	}
	isNil := func(e dst.Expr) bool {
		v, ok := value(e)
		id, named := v.(*dst.Ident)
		return ok && named && id.Name == "nil"
	}
	dstutil.Apply(root, func(c *dstutil.Cursor) bool {
		switch n := c.Node().(type) {
		case *dst.KeyValueExpr:
			if isNil(n.Value) && c.Index() >= 0 {
				c.Delete()
				did()
				return false
			}
		case *dst.BinaryExpr:
			other, ok := n.Y.(*dst.Ident)
			if isNil(n.X) && ok && other.Name == "nil" {
				c.Replace(within(n, boolean(n.Op == token.EQL)))
				did()
				return false
			}
		}
		if e, ok := c.Node().(dst.Expr); ok {
			if v, ok := value(e); ok {
				c.Replace(within(e, plainly(v)))
				did()
				return false
			}
		}
		return true
	}, nil)
}

// unread takes away what is written to variables that nobody reads.
func (p *program) unread(list []dst.Stmt, uses map[types.Object]*access) ([]dst.Stmt, bool) {
	useless := func(e dst.Expr) bool {
		id, ok := e.(*dst.Ident)
		if !ok {
			return false
		}
		if id.Name == "_" {
			return true
		}
		o, ok := p.object(id).(*types.Var)
		if p.defines(id) && uses[o] != nil && uses[o].writes > 0 {
			return false // those first
		}
		return ok && !o.IsField() && o.Parent() != o.Pkg().Scope() && (uses[o] == nil || uses[o].reads == 0 && !uses[o].taken)
	}
	for i, s := range list {
		switch s := s.(type) {
		case *dst.AssignStmt:
			n, blanks := 0, 0
			for _, e := range s.Lhs {
				if useless(e) {
					n++
				}
				if isNamedIdent(e, "_") {
					blanks++
				}
			}
			switch {
			case n == blanks || s.Tok != token.DEFINE && s.Tok != token.ASSIGN:
			case len(s.Lhs) == len(s.Rhs) && n == len(s.Lhs):
				var kept []dst.Stmt
				for _, e := range s.Rhs {
					if !p.pure(e) {
						kept = append(kept, &dst.ExprStmt{X: e})
					}
				}
				if len(kept) > 0 {
					*kept[0].Decorations() = *s.Decorations()
				} else {
					drop(s, list[i+1:], true)
				}
				return splice(list, i, kept), true
			case len(s.Lhs) == len(s.Rhs):
				for j := len(s.Lhs) - 1; j >= 0; j-- {
					if useless(s.Lhs[j]) && p.pure(s.Rhs[j]) {
						s.Lhs, s.Rhs = append(s.Lhs[:j:j], s.Lhs[j+1:]...), append(s.Rhs[:j:j], s.Rhs[j+1:]...)
						if s.Tok == token.DEFINE {
							p.redefine(s)
						}
						return list, true
					}
				}
			}
		case *dst.DeclStmt:
			decl := s.Decl.(*dst.GenDecl)
			if decl.Tok != token.VAR || len(decl.Specs) != 1 {
				continue
			}
			spec := decl.Specs[0].(*dst.ValueSpec)
			for j, id := range spec.Names {
				if !useless(id) || len(spec.Values) > 0 && !p.pure(spec.Values[j]) {
					continue
				}
				if len(spec.Names) > 1 && len(spec.Values) == 0 {
					spec.Names = append(spec.Names[:j:j], spec.Names[j+1:]...)
					return list, true
				}
				if len(spec.Names) == 1 {
					drop(s, list[i+1:], true)
					return splice(list, i, nil), true
				}
			}
		}
	}
	return list, false
}

func splice(list []dst.Stmt, i int, in []dst.Stmt) []dst.Stmt {
	return append(append(append([]dst.Stmt{}, list[:i]...), in...), list[i+1:]...)
}

// defineLate declares variables where they get their value for good, when
// nothing reads what they had before.
func (p *program) defineLate(list []dst.Stmt, _ map[types.Object]*access) ([]dst.Stmt, bool) {
	for i, s := range list {
		assign, ok := s.(*dst.AssignStmt)
		if !ok || assign.Tok != token.ASSIGN {
			continue
		}
		var objects []types.Object
		for _, e := range assign.Lhs {
			id, ok := e.(*dst.Ident)
			if !ok || p.object(id) == nil {
				objects = nil
				break
			}
			objects = append(objects, p.object(id))
		}
		if objects == nil {
			continue
		}
		var at []int
		for _, o := range objects {
			at = append(at, p.declaredBefore(list[:i], o))
		}
		if !p.movable(list, i, objects, at) {
			continue
		}
		assign.Tok = token.DEFINE
		out := append([]dst.Stmt{}, list...)
		for k, o := range objects {
			if undeclare(p, out[at[k]], o) {
				drop(out[at[k]], out[at[k]+1:], true)
				out[at[k]] = nil
			}
		}
		var left []dst.Stmt
		for _, s := range out {
			if s != nil {
				left = append(left, s)
			}
		}
		return left, true
	}
	return list, false
}

// declaredBefore returns the index of the statement in list that declares o.
func (p *program) declaredBefore(list []dst.Stmt, o types.Object) int {
	for i, s := range list {
		switch s := s.(type) {
		case *dst.AssignStmt:
			for j, e := range s.Lhs {
				if id, ok := e.(*dst.Ident); ok && s.Tok == token.DEFINE && p.defines(id) && p.object(id) == o &&
					len(s.Lhs) == len(s.Rhs) && p.pure(s.Rhs[j]) {
					return i
				}
			}
		case *dst.DeclStmt:
			decl := s.Decl.(*dst.GenDecl)
			if decl.Tok != token.VAR || len(decl.Specs) != 1 {
				continue
			}
			if spec := decl.Specs[0].(*dst.ValueSpec); len(spec.Names) == 1 && len(spec.Values) == 0 && p.object(spec.Names[0]) == o {
				return i
			}
		}
	}
	return -1
}

// movable reports whether the variables are declared in list, and untouched from
// there to the statement at i.
func (p *program) movable(list []dst.Stmt, i int, objects []types.Object, at []int) bool {
	for k, o := range objects {
		if at[k] < 0 {
			return false
		}
		touched := false
		look := func(n dst.Node) bool {
			if id, ok := n.(*dst.Ident); ok && p.object(id) == o {
				touched = true
			}
			return !touched
		}
		for _, s := range list[at[k]+1 : i] {
			dst.Inspect(s, look)
		}
		for _, e := range list[i].(*dst.AssignStmt).Rhs {
			dst.Inspect(e, look)
		}
		if touched {
			return false
		}
	}
	return true
}

// undeclare takes a variable from its declaration, and reports whether nothing
// is left of that.
func undeclare(p *program, s dst.Stmt, o types.Object) bool {
	if assign, ok := s.(*dst.AssignStmt); ok {
		for j, e := range assign.Lhs {
			if p.object(e.(*dst.Ident)) == o {
				assign.Lhs = append(assign.Lhs[:j:j], assign.Lhs[j+1:]...)
				assign.Rhs = append(assign.Rhs[:j:j], assign.Rhs[j+1:]...)
				break
			}
		}
		p.redefine(assign)
		return len(assign.Lhs) == 0
	}
	return true
}

// redefine makes a definition an assignment when none of its variables is new
// any more.
func (p *program) redefine(assign *dst.AssignStmt) {
	for _, e := range assign.Lhs {
		if id, ok := e.(*dst.Ident); ok && p.defines(id) {
			return
		}
	}
	assign.Tok = token.ASSIGN
}

// returnAtOnce returns an expression instead of a variable that was made for it.
func (p *program) returnAtOnce(list []dst.Stmt, _ map[types.Object]*access) ([]dst.Stmt, bool) {
	n := len(list)
	if n < 2 {
		return list, false
	}
	ret, ok := list[n-1].(*dst.ReturnStmt)
	assign, ok2 := list[n-2].(*dst.AssignStmt)
	if !ok || !ok2 || len(ret.Results) != 1 || assign.Tok != token.DEFINE || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return list, false
	}
	id, ok := ret.Results[0].(*dst.Ident)
	if !ok || p.object(id) == nil || p.object(id) != p.object(assign.Lhs[0].(*dst.Ident)) {
		return list, false
	}
	ret.Results[0] = assign.Rhs[0]
	*ret.Decorations() = *assign.Decorations()
	return append(list[:n-2:n-2], ret), true
}
