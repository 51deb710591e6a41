package eject

import (
	"go/token"
	"go/types"
	"slices"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// A function is one of the program's, with everything that calls it.
type function struct {
	unit   *unit
	file   *dst.File
	decl   *dst.FuncDecl
	object types.Object
	calls  []*dst.CallExpr
	value  bool // somebody uses it without calling it
}

// functions returns the program's functions and methods.
func (p *program) functions() map[types.Object]*function {
	all := map[types.Object]*function{}
	p.each(func(u *unit, _ string, tree *dst.File) {
		for _, d := range tree.Decls {
			if f, ok := d.(*dst.FuncDecl); ok {
				if o := p.object(f.Name); o != nil {
					all[o] = &function{unit: u, file: tree, decl: f, object: o, value: f.Recv != nil && p.unclear[f.Name.Name]}
				}
			}
		}
	})
	p.each(func(u *unit, _ string, tree *dst.File) {
		called := map[*dst.Ident]bool{}
		dst.Inspect(tree, func(n dst.Node) bool {
			switch n := n.(type) {
			case *dst.CallExpr:
				if id := callee(n); id != nil {
					if f := all[p.object(id)]; f != nil {
						f.calls = append(f.calls, n)
						called[id] = true
					}
				}
			case *dst.Ident:
				if f := all[p.object(n)]; f != nil && !called[n] && n != f.decl.Name {
					f.value = true
				}
			}
			return true
		})
	})
	return all
}

// callee returns the name of what is called.
func callee(call *dst.CallExpr) *dst.Ident {
	switch f := call.Fun.(type) {
	case *dst.Ident:
		return f
	case *dst.SelectorExpr:
		return f.Sel
	}
	return nil
}

// parameters takes away parameters that nothing uses, and those that are the
// same in every call.
func (p *program) parameters(roots map[types.Object]bool) bool {
	changed := false
	for _, f := range p.sortedFunctions() {
		if !specialized(f.unit.path) || roots[f.object] || f.value || f.decl.Body == nil || len(f.calls) == 0 {
			continue
		}
		for i := f.parameters() - 1; i >= 0; i-- {
			if p.takeParameter(f, i) {
				changed = true
			}
		}
	}
	return changed
}

func (p *program) sortedFunctions() []*function {
	all := p.functions()
	var list []*function
	p.each(func(_ *unit, _ string, tree *dst.File) {
		for _, d := range tree.Decls {
			if f, ok := d.(*dst.FuncDecl); ok && all[p.object(f.Name)] != nil {
				list = append(list, all[p.object(f.Name)])
			}
		}
	})
	return list
}

// parameters counts the named parameters, or returns 0 when calls cannot be
// matched with them one by one.
func (f *function) parameters() int {
	n := 0
	for _, field := range f.decl.Type.Params.List {
		if _, variadic := field.Type.(*dst.Ellipsis); variadic {
			break
		}
		n += len(field.Names)
	}
	for _, call := range f.calls {
		if len(call.Args) < n {
			return 0 // f(g())
		}
	}
	return n
}

// parameter returns the field and the name of parameter i.
func (f *function) parameter(i int) (*dst.Field, int) {
	for _, field := range f.decl.Type.Params.List {
		if i < len(field.Names) {
			return field, i
		}
		i -= len(field.Names)
	}
	return nil, 0
}

// takeParameter takes away parameter i when it can.
func (p *program) takeParameter(f *function, i int) bool {
	field, k := f.parameter(i)
	name := field.Names[k]
	o := p.object(name)
	a := p.accesses(f.decl.Body)[o]
	if a == nil {
		for _, call := range f.calls {
			if !p.pure(call.Args[i]) {
				return false
			}
		}
	} else {
		if a.writes > 0 || a.taken {
			return false
		}
		v, ok := p.same(f, i, field.Type)
		if !ok {
			return false
		}
		p.substitute(f.decl.Body, map[types.Object]dst.Expr{o: v})
	}
	field.Names = append(field.Names[:k:k], field.Names[k+1:]...)
	if len(field.Names) == 0 {
		var left []*dst.Field
		for _, other := range f.decl.Type.Params.List {
			if other != field {
				left = append(left, other)
			}
		}
		f.decl.Type.Params.List = left
	}
	for _, call := range f.calls {
		call.Args = append(call.Args[:i:i], call.Args[i+1:]...)
	}
	return true
}

// same returns the value that parameter i has in every call, when the parameter
// was a switch: true or false, nothing, or something of the settings.
func (p *program) same(f *function, i int, t dst.Expr) (dst.Expr, bool) {
	var value dst.Expr
	for _, call := range f.calls {
		e := call.Args[i]
		if !p.isSwitch(e, p.typeOf(t).Type) || value != nil && !p.equal(value, e) {
			return nil, false
		}
		value = e
	}
	if c := p.choice(value); c != nil && c.Pkg() != f.object.Pkg() {
		return nil, false // another package's, which this one may not import
	}
	return p.local(value), true
}

// local writes a value as its own package does.
func (p *program) local(e dst.Expr) dst.Expr {
	if c := p.choice(e); c != nil {
		return dst.NewIdent(c.Name())
	}
	return plainly(e)
}

// plainly returns a copy of a literal without comments and spaces.
func plainly(e dst.Expr) dst.Expr {
	e = dst.Clone(e).(dst.Expr)
	*e.Decorations() = dst.NodeDecs{}
	return e
}

// isSwitch reports whether a value, for a variable of type t, decides what code
// does rather than what is deployed.
func (p *program) isSwitch(e dst.Expr, t types.Type) bool {
	if _, known := p.truth(e); known {
		return true
	}
	if id, ok := e.(*dst.Ident); ok && id.Name == "nil" {
		return true
	}
	if p.choice(e) != nil {
		return true
	}
	lit, ok := e.(*dst.BasicLit)
	if !ok {
		return false
	}
	return lit.Value == `""` || lit.Value == "0" || isOf(t, settingsPath)
}

// choice returns the constant that an expression names, if that is one of those
// that a type of the program's has for values.
func (p *program) choice(e dst.Expr) *types.Const {
	id, ok := e.(*dst.Ident)
	if s, selector := e.(*dst.SelectorExpr); selector {
		id, ok = s.Sel, true
	}
	if !ok {
		return nil
	}
	c, ok := p.object(id).(*types.Const)
	if !ok {
		return nil
	}
	named, ok := c.Type().(*types.Named)
	if !ok || named.Obj().Pkg() == nil || p.packages[named.Obj().Pkg().Path()] == nil || named.Obj().Pkg().Path() == settingsPath {
		return nil
	}
	return c
}

func isOf(t types.Type, pkg string) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg
}

// equal reports whether two literals, or names of constants, are the same.
func (p *program) equal(a, b dst.Expr) bool {
	if x, y := p.choice(a), p.choice(b); x != nil || y != nil {
		return x == y
	}
	switch a := a.(type) {
	case *dst.Ident:
		b, ok := b.(*dst.Ident)
		return ok && a.Name == b.Name
	case *dst.BasicLit:
		b, ok := b.(*dst.BasicLit)
		return ok && a.Value == b.Value
	}
	return false
}

// nonNil folds the question whether a parameter or a receiver is nil, where every
// call gives the same answer.
func (p *program) nonNil(roots map[types.Object]bool) bool {
	all := p.sortedFunctions()
	sure := map[types.Object]bool{}
	given := func(e dst.Expr) bool {
		if address, ok := e.(*dst.UnaryExpr); ok {
			_, ok := address.X.(*dst.CompositeLit)
			return ok
		}
		id, ok := e.(*dst.Ident)
		return ok && sure[p.object(id)]
	}
	// A function knows what its callers know, so that takes as many turns as calls
	// are deep.
	for again := true; again; {
		again = false
		for _, f := range all {
			if roots[f.object] || f.value || f.decl.Body == nil || len(f.calls) == 0 {
				continue
			}
			learn := func(name *dst.Ident, t dst.Expr, argument func(*dst.CallExpr) dst.Expr) {
				o := p.object(name)
				if _, pointer := t.(*dst.StarExpr); !pointer || o == nil || sure[o] {
					return
				}
				for _, call := range f.calls {
					if e := argument(call); e == nil || !given(e) {
						return
					}
				}
				sure[o], again = true, true
			}
			for i := range f.parameters() {
				field, k := f.parameter(i)
				learn(field.Names[k], field.Type, func(call *dst.CallExpr) dst.Expr { return call.Args[i] })
			}
			if recv := f.decl.Recv; recv != nil && len(recv.List) == 1 && len(recv.List[0].Names) == 1 {
				learn(recv.List[0].Names[0], recv.List[0].Type, func(call *dst.CallExpr) dst.Expr {
					if s, ok := call.Fun.(*dst.SelectorExpr); ok {
						return s.X
					}
					return nil
				})
			}
		}
	}
	changed := false
	for _, f := range all {
		if f.decl.Body == nil {
			continue
		}
		uses := p.accesses(f.decl.Body)
		dstutil.Apply(f.decl.Body, nil, func(c *dstutil.Cursor) bool {
			e, ok := c.Node().(*dst.BinaryExpr)
			if !ok {
				return true
			}
			x, ok := e.X.(*dst.Ident)
			y, ok2 := e.Y.(*dst.Ident)
			if ok && ok2 && y.Name == "nil" && sure[p.object(x)] && uses[p.object(x)].writes == 0 {
				c.Replace(within(e, boolean(e.Op.String() == "!=")))
				changed = true
			}
			return true
		})
	}
	return changed
}

// empty takes away calls of functions that do nothing any more.
func (p *program) empty() bool {
	changed := false
	idle := map[types.Object]bool{}
	for o, f := range p.functions() {
		if f.decl.Body != nil && !isApp(f.unit.path) && (len(f.decl.Body.List) == 0 || len(f.decl.Body.List) == 1 && bare(f.decl.Body.List[0])) {
			idle[o] = true
		}
	}
	p.each(func(u *unit, _ string, tree *dst.File) {
		if !p.edits(u) {
			return
		}
		lists(tree, func(list []dst.Stmt) []dst.Stmt {
			var out []dst.Stmt
			for i, s := range list {
				e, ok := s.(*dst.ExprStmt)
				if ok {
					call, isCall := e.X.(*dst.CallExpr)
					if !isCall && p.pure(e.X) || isCall && callee(call) != nil && idle[p.object(callee(call))] {
						drop(s, list[i+1:], false)
						changed = true
						continue
					}
				}
				out = append(out, s)
			}
			return out
		})
		if u.path == testsPath {
			changed = p.idleRules(tree, idle) || changed
		}
	})
	return changed
}

// idleRules takes rules from their table that have nothing to look at any more.
func (p *program) idleRules(tree *dst.File, idle map[types.Object]bool) bool {
	changed := false
	for _, d := range tree.Decls {
		if !declaresAny(d, []string{"rules"}) {
			continue
		}
		table, ok := d.(*dst.GenDecl).Specs[0].(*dst.ValueSpec).Values[0].(*dst.CompositeLit)
		if !ok {
			continue
		}
		was := len(table.Elts)
		table.Elts = slices.DeleteFunc(slices.Clone(table.Elts), func(e dst.Expr) bool {
			rule, ok := e.(*dst.CompositeLit)
			return ok && slices.ContainsFunc(rule.Elts, func(e dst.Expr) bool {
				kv, ok := e.(*dst.KeyValueExpr)
				if !ok {
					return false
				}
				check, ok := kv.Value.(*dst.Ident)
				return ok && p.object(check) != nil && idle[p.object(check)]
			})
		})
		changed = changed || len(table.Elts) != was
	}
	return changed
}

// answers writes the answer in place of a call of a function that always gives
// the same: true or false, nothing, or a literal.
func (p *program) answers() bool {
	answer := map[types.Object]dst.Expr{}
	for o, f := range p.functions() {
		if v, ok := p.always(f); ok {
			answer[o] = v
		}
	}
	changed := false
	idle := func(e dst.Expr) bool {
		call, ok := e.(*dst.CallExpr)
		return ok && p.pure(call) && callee(call) != nil && p.idle[p.object(callee(call))]
	}
	given := func(e dst.Expr) (dst.Expr, bool) {
		call, ok := e.(*dst.CallExpr)
		if !ok || callee(call) == nil || p.object(callee(call)) == nil {
			return nil, false
		}
		v, ok := answer[p.object(callee(call))]
		if !ok || slices.ContainsFunc(call.Args, func(e dst.Expr) bool { return !p.pure(e) }) {
			return nil, false
		}
		if s, ok := call.Fun.(*dst.SelectorExpr); ok && !p.pure(s.X) {
			return nil, false
		}
		return v, true
	}
	p.each(func(u *unit, _ string, tree *dst.File) {
		if !p.edits(u) {
			return
		}
		lists(tree, func(list []dst.Stmt) []dst.Stmt {
			var out []dst.Stmt
			for i, s := range list {
				if e, ok := s.(*dst.ExprStmt); ok {
					if _, ok := given(e.X); ok || idle(e.X) {
						drop(s, list[i+1:], false)
						changed = true
						continue
					}
				}
				out = append(out, s)
			}
			return out
		})
		// A variable cannot be nil without a type: what knows the function knows it.
		p.replace(tree, func(e dst.Expr) (dst.Expr, bool) {
			v, ok := given(e)
			return v, ok && !p.defining[e]
		}, &changed)
	})
	return changed
}

// always returns what a function returns whatever happens.
func (p *program) always(f *function) (dst.Expr, bool) {
	if f.decl.Body == nil || len(f.decl.Body.List) != 1 || isApp(f.unit.path) || f.unit.path == settingsPath || !specialized(f.unit.path) {
		return nil, false
	}
	ret, ok := f.decl.Body.List[0].(*dst.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return nil, false
	}
	if v, known := p.truth(ret.Results[0]); known {
		return boolean(v), true
	}
	if isNilIdent(ret.Results[0]) || isLiteral(ret.Results[0]) && ret.Results[0].(*dst.BasicLit).Value == `""` {
		return ret.Results[0], true
	}
	return nil, false
}

// harmless reports whether a function does nothing but to return something simple.
func (p *program) harmless(f *function) bool {
	if f.decl.Body == nil || len(f.decl.Body.List) != 1 || !specialized(f.unit.path) {
		return false
	}
	ret, ok := f.decl.Body.List[0].(*dst.ReturnStmt)
	if !ok || len(ret.Results) != 1 {
		return false
	}
	composite, ok := ret.Results[0].(*dst.CompositeLit)
	return ok && len(composite.Elts) == 0
}

// nothing returns the variables that are nil, because the function that makes them
// makes nothing.
func (p *program) nothing() map[types.Object]bool {
	makers := map[types.Object]bool{}
	for o, f := range p.functions() {
		if v, ok := p.always(f); ok && isNilIdent(v) {
			makers[o] = true
		}
	}
	all := map[types.Object]bool{}
	p.each(func(_ *unit, _ string, tree *dst.File) {
		for _, d := range tree.Decls {
			f, ok := d.(*dst.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			uses := p.accesses(f)
			dst.Inspect(f.Body, func(n dst.Node) bool {
				assign, ok := n.(*dst.AssignStmt)
				if !ok || assign.Tok != token.DEFINE || len(assign.Lhs) != len(assign.Rhs) {
					return true
				}
				for i, e := range assign.Rhs {
					call, ok := e.(*dst.CallExpr)
					id, ok2 := assign.Lhs[i].(*dst.Ident)
					if !ok || !ok2 || callee(call) == nil || !makers[p.object(callee(call))] || p.object(id) == nil {
						continue
					}
					if a := uses[p.object(id)]; a == nil || a.writes == 0 && !a.taken {
						all[p.object(id)] = true
					}
				}
				return true
			})
		}
	})
	// And what is handed on to a function that never gets anything else.
	for again := len(all) > 0; again; {
		again = false
		for _, f := range p.functions() {
			if f.value || f.decl.Body == nil || len(f.calls) == 0 {
				continue
			}
			for i := range f.parameters() {
				field, k := f.parameter(i)
				o := p.object(field.Names[k])
				if o == nil || all[o] || slices.ContainsFunc(f.calls, func(call *dst.CallExpr) bool {
					id, ok := call.Args[i].(*dst.Ident)
					return !ok || p.object(id) == nil || !all[p.object(id)]
				}) {
					continue
				}
				if a := p.accesses(f.decl.Body)[o]; a != nil && a.writes == 0 && !a.taken {
					all[o], again = true, true
				}
			}
		}
	}
	return all
}

// receivers writes nil in methods that are only ever called for nothing, and in
// functions that only ever get nothing.
func (p *program) receivers() bool {
	nothing := p.nothing()
	if len(nothing) == 0 {
		return false
	}
	changed := false
	isNothing := func(e dst.Expr) bool {
		id, ok := e.(*dst.Ident)
		return ok && p.object(id) != nil && nothing[p.object(id)]
	}
	for _, f := range p.sortedFunctions() {
		if f.value || f.decl.Body == nil || len(f.calls) == 0 || !specialized(f.unit.path) {
			continue
		}
		names := map[*dst.Ident]func(*dst.CallExpr) dst.Expr{}
		if recv := f.decl.Recv; recv != nil && len(recv.List[0].Names) == 1 {
			names[recv.List[0].Names[0]] = func(call *dst.CallExpr) dst.Expr {
				if s, ok := call.Fun.(*dst.SelectorExpr); ok {
					return s.X
				}
				return nil
			}
		}
		for i := range f.parameters() {
			field, k := f.parameter(i)
			names[field.Names[k]] = func(call *dst.CallExpr) dst.Expr { return call.Args[i] }
		}
		for name, argument := range names {
			if p.isReceiver(f.decl.Body, p.object(name)) {
				continue // of a method, which has no nil to be called for
			}
			a := p.accesses(f.decl.Body)[p.object(name)]
			if a == nil || a.writes > 0 || a.taken {
				continue
			}
			if slices.ContainsFunc(f.calls, func(call *dst.CallExpr) bool { e := argument(call); return e == nil || !isNothing(e) }) {
				continue
			}
			p.substitute(f.decl.Body, map[types.Object]dst.Expr{p.object(name): dst.NewIdent("nil")})
			changed = true
		}
	}
	return changed
}

// isReceiver reports whether something is asked of a variable: a method, a field or
// an element.
func (p *program) isReceiver(body dst.Node, o types.Object) bool {
	found := false
	dst.Inspect(body, func(n dst.Node) bool {
		var x dst.Expr
		switch n := n.(type) {
		case *dst.SelectorExpr:
			x = n.X
		case *dst.IndexExpr:
			x = n.X
		case *dst.SliceExpr:
			x = n.X
		}
		if id, ok := x.(*dst.Ident); ok && p.object(id) == o {
			found = true
		}
		return !found
	})
	return found
}

// bare reports whether a statement returns nothing.
func bare(s dst.Stmt) bool {
	ret, ok := s.(*dst.ReturnStmt)
	return ok && len(ret.Results) == 0
}

// inline writes what a function returns in place of its only call, when all else
// that the function did is gone.
func (p *program) inline(was map[string]int) bool {
	for _, f := range p.sortedFunctions() {
		body := f.decl.Body
		if body == nil || f.value || len(f.calls) != 1 || len(body.List) != 1 || was[f.key()] < 2 {
			continue
		}
		ret, ok := body.List[0].(*dst.ReturnStmt)
		if !ok || len(ret.Results) != 1 || f.parameters() != len(f.calls[0].Args) || p.unitOf(f.calls[0]) != f.unit {
			continue
		}
		uses := p.accesses(body)
		values := map[types.Object]dst.Expr{}
		if recv := f.decl.Recv; recv != nil {
			s, selector := f.calls[0].Fun.(*dst.SelectorExpr)
			_, named := s.X.(*dst.Ident)
			if !selector || !named || len(recv.List[0].Names) != 1 {
				continue
			}
			values[p.object(recv.List[0].Names[0])] = plainly(s.X)
		}
		for i, arg := range f.calls[0].Args {
			field, k := f.parameter(i)
			o := p.object(field.Names[k])
			if a := uses[o]; a != nil && (a.writes > 0 || a.taken || a.reads > 1 && !p.pure(arg)) {
				ok = false
			}
			values[o] = plainly(arg)
		}
		if !ok {
			continue
		}
		call := f.calls[0]
		p.substitute(body, values)
		result := plainly(ret.Results[0])
		p.each(func(_ *unit, _ string, tree *dst.File) {
			dstutil.Apply(tree, nil, func(c *dstutil.Cursor) bool {
				if c.Node() == dst.Node(call) {
					c.Replace(within(call, result))
					return false
				}
				return true
			})
		})
		// The call moved into another file may need that file's imports.
		p.shareImports(f.unit)
		body.List = nil
		f.decl.Type.Results = nil
		return true
	}
	return false
}

func (f *function) key() string { return f.unit.path + "." + f.decl.Name.Name }

// sizes returns the number of statements of every function.
func (p *program) sizes() map[string]int {
	sizes := map[string]int{}
	for _, f := range p.functions() {
		if f.decl.Body != nil {
			sizes[f.key()] = len(f.decl.Body.List)
		}
	}
	return sizes
}

// unitOf returns the package that a node stands in.
func (p *program) unitOf(node dst.Node) *unit {
	var found *unit
	p.each(func(u *unit, _ string, tree *dst.File) {
		dst.Inspect(tree, func(n dst.Node) bool {
			if n == node {
				found = u
			}
			return found == nil
		})
	})
	return found
}
