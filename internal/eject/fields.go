package eject

import (
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// A member is a field of one of the program's structs, and what is done with it.
type member struct {
	of            *composite
	list          *dst.FieldList
	field         *dst.Field
	name          *dst.Ident
	object        types.Object
	values        []*dst.KeyValueExpr
	reads, writes int
}

// A composite is one of the program's structs.
type composite struct {
	literals []*dst.CompositeLit
	odd      bool // made in a way that does not name fields
	zeros    int  // times that one is made without a literal
}

// fields takes away fields of structs that nobody reads, and those that are the
// same switch in every value of their struct.
func (p *program) fields() bool {
	changed := false
	for _, m := range p.members() {
		if m.of.odd || m.writes > 0 {
			continue
		}
		if m.reads == 0 {
			pure := true
			for _, kv := range m.values {
				pure = pure && p.pure(kv.Value)
			}
			if pure {
				m.remove()
				changed = true
			}
			continue
		}
		v, ok := p.setting(m)
		if !ok {
			changed = p.neverEmpty(m) || p.neverNil(m) || changed
			continue
		}
		if c := p.choice(v); c != nil && !p.onlyIn(m, c.Pkg()) {
			continue
		}
		v = p.local(v)
		p.each(func(_ *unit, _ string, tree *dst.File) {
			p.replace(tree, func(e dst.Expr) (dst.Expr, bool) {
				selector, ok := e.(*dst.SelectorExpr)
				return v, ok && p.object(selector.Sel) == m.object
			})
		})
		m.remove()
		changed = true
	}
	return changed
}

// setting returns the value that a field has everywhere, if it is a switch.
func (p *program) setting(m member) (dst.Expr, bool) {
	if len(m.of.literals) == 0 {
		return nil, false
	}
	var value dst.Expr
	if len(m.values) < len(m.of.literals) || m.of.zeros > 0 {
		if value = p.zero(m); value == nil {
			return nil, false
		}
	}
	for _, kv := range m.values {
		if !p.isSwitch(kv.Value, m.object.Type()) || value != nil && !p.equal(value, kv.Value) {
			return nil, false
		}
		value = kv.Value
	}
	return value, value != nil
}

// neverEmpty folds the question whether a text is empty, where every value of the
// struct gives one.
func (p *program) neverEmpty(m member) bool {
	if len(m.of.literals) == 0 || len(m.values) < len(m.of.literals) || m.of.zeros > 0 {
		return false
	}
	for _, kv := range m.values {
		if text, ok := textOf(kv.Value); !ok || text == "" {
			return false
		}
	}
	changed := false
	p.each(func(_ *unit, _ string, tree *dst.File) {
		dstutil.Apply(tree, nil, func(c *dstutil.Cursor) bool {
			b, ok := c.Node().(*dst.BinaryExpr)
			if !ok || b.Op != token.EQL && b.Op != token.NEQ || !isText(b.Y, "") {
				return true
			}
			if s, ok := b.X.(*dst.SelectorExpr); ok && p.object(s.Sel) == m.object {
				c.Replace(within(b, boolean(b.Op == token.NEQ)))
				changed = true
			}
			return true
		})
	})
	return changed
}

// constructed returns the variables that hold a construct which was just made.
func (p *program) constructed() map[types.Object]bool {
	constructed := map[types.Object]bool{}
	p.each(func(_ *unit, _ string, tree *dst.File) {
		dst.Inspect(tree, func(n dst.Node) bool {
			if assign, ok := n.(*dst.AssignStmt); ok && assign.Tok == token.DEFINE && len(assign.Lhs) == 1 && len(assign.Rhs) == 1 {
				call, ok := assign.Rhs[0].(*dst.CallExpr)
				if ok && callee(call) != nil && p.object(callee(call)) == nil && strings.HasPrefix(callee(call).Name, "New") {
					constructed[p.object(assign.Lhs[0].(*dst.Ident))] = true
				}
			}
			return true
		})
	})
	return constructed
}

// neverNil folds the question whether a construct is there, where every value of
// the struct has one that was just made.
func (p *program) neverNil(m member) bool {
	if len(m.of.literals) == 0 || len(m.values) < len(m.of.literals) || m.of.zeros > 0 {
		return false
	}
	if slices.ContainsFunc(m.values, func(kv *dst.KeyValueExpr) bool { _, ok := kv.Value.(*dst.Ident); return !ok }) {
		return false
	}
	constructed := p.constructed()
	for _, kv := range m.values {
		if id, ok := kv.Value.(*dst.Ident); !ok || p.object(id) == nil || !constructed[p.object(id)] {
			return false
		}
	}
	changed := false
	p.each(func(_ *unit, _ string, tree *dst.File) {
		dstutil.Apply(tree, nil, func(c *dstutil.Cursor) bool {
			b, ok := c.Node().(*dst.BinaryExpr)
			if !ok || !isNilIdent(b.Y) {
				return true
			}
			if s, ok := b.X.(*dst.SelectorExpr); ok && p.object(s.Sel) == m.object {
				c.Replace(within(b, boolean(b.Op == token.NEQ)))
				changed = true
			}
			return true
		})
	})
	return changed
}

// onlyIn reports whether a field is read in that package alone.
func (p *program) onlyIn(m member, pkg *types.Package) bool {
	only := true
	p.each(func(u *unit, _ string, tree *dst.File) {
		if u.types == pkg {
			return
		}
		dst.Inspect(tree, func(n dst.Node) bool {
			if s, ok := n.(*dst.SelectorExpr); ok && p.object(s.Sel) == m.object {
				only = false
			}
			return only
		})
	})
	return only
}

// zero writes the zero value of a field.
func (p *program) zero(m member) dst.Expr {
	if named, ok := m.object.Type().(*types.Named); ok && named.Obj().Pkg() != nil && p.packages[named.Obj().Pkg().Path()] != nil {
		scope := named.Obj().Pkg().Scope()
		for _, name := range scope.Names() {
			if c, ok := scope.Lookup(name).(*types.Const); ok && c.Type() == types.Type(named) && c.Val().ExactString() == "0" {
				for id := range p.idents(c) {
					return id
				}
			}
		}
	}
	switch t := m.object.Type().Underlying().(type) {
	case *types.Basic:
		switch {
		case t.Kind() == types.Bool:
			return boolean(false)
		case t.Kind() == types.String:
			return &dst.BasicLit{Kind: token.STRING, Value: `""`}
		case t.Kind() == types.Invalid && p.nilable(m.field.Type):
			return dst.NewIdent("nil")
		}
	case *types.Pointer, *types.Slice, *types.Map, *types.Interface:
		return dst.NewIdent("nil")
	}
	return nil
}

// idents returns the places that define an object.
func (p *program) idents(o types.Object) map[*dst.Ident]bool {
	all := map[*dst.Ident]bool{}
	for node := range p.ast {
		if id, ok := node.(*dst.Ident); ok && p.defines(id) && p.object(id) == o {
			all[id] = true
		}
	}
	return all
}

// remove takes the field from the struct and from its literals.
func (m member) remove() {
	for _, lit := range m.of.literals {
		var left []dst.Expr
		for _, e := range lit.Elts {
			kv, _ := e.(*dst.KeyValueExpr)
			mine := false
			for _, v := range m.values {
				mine = mine || v == kv
			}
			if !mine {
				left = append(left, e)
			}
		}
		lit.Elts = left
	}
	m.field.Names = slices.DeleteFunc(slices.Clone(m.field.Names), func(name *dst.Ident) bool { return name == m.name })
	if len(m.field.Names) > 0 {
		return
	}
	var left []*dst.Field
	for _, f := range m.list.List {
		if f != m.field {
			left = append(left, f)
		}
	}
	if len(left) > 0 {
		left[0].Decs.Before = dst.NewLine // no paragraph before it any more
	}
	m.list.List = left
}

// specialized reports whether the structs of a package are made by Go code only,
// and not by decoding, which names no field.
func specialized(path string) bool {
	path = strings.TrimPrefix(path, reference+"/")
	return path == "stacks" || path == "stacks_test" || path == "cmd/bundles" || path == "internal/bundle" || strings.HasPrefix(path, "constructs/") && path != "constructs/cdktest"
}

// members finds the fields, and what is done with them.
func (p *program) members() []member {
	composites := map[types.Object]*composite{} // by the name of the type
	byField := map[types.Object]*member{}
	var order []types.Object
	p.each(func(u *unit, _ string, tree *dst.File) {
		if !specialized(u.path) {
			return
		}
		for _, d := range tree.Decls {
			decl, ok := d.(*dst.GenDecl)
			if !ok || decl.Tok != token.TYPE {
				continue
			}
			for _, spec := range decl.Specs {
				spec := spec.(*dst.TypeSpec)
				t, ok := spec.Type.(*dst.StructType)
				if !ok {
					continue
				}
				c := &composite{}
				composites[p.object(spec.Name)] = c
				for _, f := range t.Fields.List {
					c.odd = c.odd || f.Tag != nil // an encoder reads it
					for _, name := range f.Names {
						if o := p.object(name); o != nil {
							byField[o] = &member{of: c, list: t.Fields, field: f, name: name, object: o}
							if p.unclear[name.Name] {
								byField[o].writes++ // by who knows whom
							}
							order = append(order, o)
						}
					}
				}
			}
		}
	})
	named := func(t types.Type) *composite {
		if pointer, ok := t.(*types.Pointer); ok {
			t = pointer.Elem()
		}
		n, ok := t.(*types.Named)
		if !ok {
			return nil
		}
		return composites[n.Obj()]
	}
	p.each(func(_ *unit, _ string, tree *dst.File) {
		handled := map[*dst.Ident]bool{}
		dst.Inspect(tree, func(n dst.Node) bool {
			switch n := n.(type) {
			case *dst.CompositeLit:
				c := named(p.typeOf(n).Type)
				if c == nil {
					return true
				}
				c.literals = append(c.literals, n)
				for _, e := range n.Elts {
					kv, ok := e.(*dst.KeyValueExpr)
					if !ok {
						c.odd = true
						continue
					}
					if key, ok := kv.Key.(*dst.Ident); ok && byField[p.object(key)] != nil {
						m := byField[p.object(key)]
						m.values = append(m.values, kv)
						handled[key] = true
					}
				}
			case *dst.ValueSpec:
				if len(n.Values) == 0 && n.Type != nil {
					if _, pointer := n.Type.(*dst.StarExpr); !pointer {
						if c := named(p.typeOf(n.Type).Type); c != nil {
							c.zeros++
						}
					}
				}
			case *dst.AssignStmt:
				for _, e := range n.Lhs {
					dst.Inspect(e, func(n dst.Node) bool {
						if s, ok := n.(*dst.SelectorExpr); ok && byField[p.object(s.Sel)] != nil {
							byField[p.object(s.Sel)].writes++
						}
						return true
					})
				}
			case *dst.UnaryExpr:
				if s, ok := n.X.(*dst.SelectorExpr); ok && n.Op == token.AND && byField[p.object(s.Sel)] != nil {
					byField[p.object(s.Sel)].writes++
				}
			case *dst.Ident:
				if m := byField[p.object(n)]; m != nil && !handled[n] && !p.defines(n) {
					m.reads++
				}
			}
			return true
		})
	})
	var all []member
	for _, o := range order {
		all = append(all, *byField[o])
	}
	return all
}
