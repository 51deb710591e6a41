package eject

import (
	"go/constant"
	"go/token"
	"go/types"
	"regexp"
	"slices"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// fold takes away what can never run, and what decides between things of which
// one is left.
func (p *program) fold() bool {
	changed := false
	p.each(func(u *unit, _ string, tree *dst.File) {
		if !p.edits(u) {
			return
		}
		dstutil.Apply(tree, nil, func(c *dstutil.Cursor) bool {
			if e, ok := c.Node().(dst.Expr); ok && c.Name() != "Type" {
				if simpler, ok := p.simplify(e); ok {
					c.Replace(within(e, simpler))
					changed = true
				}
			}
			return true
		})
		lists(tree, func(list []dst.Stmt) []dst.Stmt {
			out, did := p.foldList(list)
			changed = changed || did
			return out
		})
	})
	return changed
}

// lists calls f with every list of statements, inner ones first.
func lists(root dst.Node, f func([]dst.Stmt) []dst.Stmt) {
	dstutil.Apply(root, nil, func(c *dstutil.Cursor) bool {
		switch n := c.Node().(type) {
		case *dst.BlockStmt:
			n.List = f(n.List)
		case *dst.CaseClause:
			n.Body = f(n.Body)
		case *dst.CommClause:
			n.Body = f(n.Body)
		}
		return true
	})
}

// truth returns the value of a condition that is constant.
func (p *program) truth(e dst.Expr) (value, known bool) {
	switch e := e.(type) {
	case *dst.Ident:
		if e.Name == "true" || e.Name == "false" {
			return e.Name == "true", true
		}
	case *dst.ParenExpr:
		return p.truth(e.X)
	case *dst.UnaryExpr:
		if e.Op == token.NOT {
			v, ok := p.truth(e.X)
			return !v, ok
		}
	}
	if id, ok := e.(*dst.Ident); ok {
		if _, named := p.object(id).(*types.Const); named {
			return false, false // somebody may change it
		}
	}
	if b, ok := e.(*dst.BinaryExpr); ok && isLiteral(b.X) && isLiteral(b.Y) && (b.Op == token.EQL || b.Op == token.NEQ) {
		return equalLiterals(b.X, b.Y) == (b.Op == token.EQL), true
	}
	if b, ok := e.(*dst.BinaryExpr); ok && p.choice(b.X) != nil && p.choice(b.Y) != nil {
		if v := p.typeOf(e).Value; v != nil && v.Kind() == constant.Bool {
			return constant.BoolVal(v), true
		}
	}
	if v := p.typeOf(e).Value; v != nil && v.Kind() == constant.Bool && !p.mentionsConstant(e) {
		return constant.BoolVal(v), true
	}
	return false, false
}

// mentionsConstant reports whether an expression names a constant, which is there
// to be changed.
func (p *program) mentionsConstant(e dst.Expr) bool {
	found := false
	dst.Inspect(e, func(n dst.Node) bool {
		if id, ok := n.(*dst.Ident); ok {
			if c, ok := p.object(id).(*types.Const); ok && c.Pkg() != nil {
				found = true
			}
		}
		return !found
	})
	return found
}

// simplify returns what an expression with a constant part comes to.
func (p *program) simplify(e dst.Expr) (dst.Expr, bool) {
	switch e := e.(type) {
	case *dst.IndexExpr:
		return p.entry(e)
	case *dst.UnaryExpr:
		if v, ok := p.truth(e); ok && e.Op == token.NOT {
			return boolean(v), true
		}
	case *dst.ParenExpr:
		switch e.X.(type) {
		case *dst.BasicLit, *dst.Ident:
			return e.X, true
		}
	case *dst.BinaryExpr:
		x, y, op := e.X, e.Y, e.Op
		if op == token.LAND || op == token.LOR {
			if v, ok := p.truth(x); ok {
				if v == (op == token.LOR) {
					return boolean(v), true
				}
				return y, true
			}
			if v, ok := p.truth(y); ok && p.pure(x) {
				if v == (op == token.LOR) {
					return boolean(v), true
				}
				return x, true
			}
			return nil, false
		}
		if v, ok := p.truth(e); ok {
			return boolean(v), true
		}
		if isLiteral(x) && isLiteral(y) {
			a, b := x.(*dst.BasicLit), y.(*dst.BasicLit)
			if op != token.ADD && op != token.SUB && op != token.MUL || a.Kind != b.Kind {
				return nil, false
			}
			return constantOf(constant.BinaryOp(constant.MakeFromLiteral(a.Value, a.Kind, 0), op, constant.MakeFromLiteral(b.Value, b.Kind, 0)))
		}
	case *dst.CallExpr: // len(nil), string("sandbox"), int32(2)
		if id, ok := e.Fun.(*dst.Ident); ok && id.Name == "len" && len(e.Args) == 1 && isNilIdent(e.Args[0]) {
			return &dst.BasicLit{Kind: token.INT, Value: "0"}, true
		}
		if s, ok := e.Fun.(*dst.SelectorExpr); ok && s.Sel.Name == "Concat" {
			if left := slices.DeleteFunc(slices.Clone(e.Args), isNilIdent); len(left) < len(e.Args) && len(left) > 0 {
				if len(left) == 1 {
					return left[0], true
				}
				e.Args = left
				return e, true
			}
		}
		if id, ok := e.Fun.(*dst.Ident); ok && len(e.Args) == 1 && isLiteral(e.Args[0]) && id.Name == "string" {
			return e.Args[0], true
		}
	case *dst.KeyValueExpr:
		if call, ok := e.Value.(*dst.CallExpr); ok && len(call.Args) == 1 && isLiteral(call.Args[0]) {
			if id, ok := call.Fun.(*dst.Ident); ok && (id.Name == "int32" || id.Name == "int64" || id.Name == "int") && p.isStructKey(e.Key) {
				e.Value = within(call, call.Args[0])
				return e, true
			}
		}
	}
	return nil, false
}

// entry returns the entry of a map that is written out, and asked for one key.
func (p *program) entry(e *dst.IndexExpr) (dst.Expr, bool) {
	table, ok := e.X.(*dst.CompositeLit)
	if !ok || p.choice(e.Index) == nil {
		return nil, false
	}
	for _, element := range table.Elts {
		if kv, ok := element.(*dst.KeyValueExpr); ok && p.choice(kv.Key) == p.choice(e.Index) {
			return plainly(kv.Value), true
		}
	}
	return nil, false
}

// isStructKey reports whether a key names a field of one of the program's structs.
func (p *program) isStructKey(key dst.Expr) bool {
	id, ok := key.(*dst.Ident)
	if !ok {
		return false
	}
	v, ok := p.object(id).(*types.Var)
	return ok && v.IsField()
}

func boolean(v bool) dst.Expr {
	if v {
		return dst.NewIdent("true")
	}
	return dst.NewIdent("false")
}

func isLiteral(e dst.Expr) bool {
	_, ok := e.(*dst.BasicLit)
	return ok
}

func equalLiterals(x, y dst.Expr) bool {
	a, b := x.(*dst.BasicLit), y.(*dst.BasicLit)
	return constant.Compare(constant.MakeFromLiteral(a.Value, a.Kind, 0), token.EQL, constant.MakeFromLiteral(b.Value, b.Kind, 0))
}

func constantOf(v constant.Value) (dst.Expr, bool) {
	if v == nil {
		return nil, false
	}
	switch v.Kind() {
	case constant.Bool:
		return boolean(constant.BoolVal(v)), true
	case constant.Int:
		return &dst.BasicLit{Kind: token.INT, Value: v.ExactString()}, true
	case constant.String:
		return &dst.BasicLit{Kind: token.STRING, Value: v.ExactString()}, true
	}
	return nil, false
}

// getter matches the CDK's static members, which are functions in Go.
var getter = regexp.MustCompile(`^[A-Za-z0-9]+_[A-Z0-9_]+$`)

// pure reports whether evaluating an expression does nothing else.
func (p *program) pure(e dst.Expr) bool {
	pure := true
	dst.Inspect(e, func(n dst.Node) bool {
		switch n := n.(type) {
		case *dst.FuncLit:
			return false
		case *dst.UnaryExpr:
			pure = pure && n.Op != token.ARROW
		case *dst.CallExpr:
			pure = pure && p.pureCall(n)
		}
		return pure
	})
	return pure
}

func (p *program) pureCall(call *dst.CallExpr) bool {
	switch f := call.Fun.(type) {
	case *dst.Ident: // a conversion, or a builtin
		if p.idle[p.object(f)] {
			return true
		}
		switch o := p.object(f).(type) {
		case *types.TypeName:
			return true
		case *types.Builtin:
			return o.Name() == "len" || o.Name() == "new" || o.Name() == "make" || o.Name() == "append"
		}
	case *dst.SelectorExpr:
		if p.object(f.Sel) != nil && p.idle[p.object(f.Sel)] {
			return true
		}
		pkg, ok := f.X.(*dst.Ident)
		if !ok {
			return false
		}
		if _, ok := p.object(pkg).(*types.PkgName); !ok {
			return f.Sel.Name == "withDefaults" || f.Sel.Name == "Of"
		}
		if _, ok := p.object(f.Sel).(*types.TypeName); ok {
			return true
		}
		return pkg.Name == "jsii" && f.Sel.Name != "Close" || getter.MatchString(f.Sel.Name)
	}
	return false
}

// foldList takes away the statements of a list that never run, and the
// conditions around those that always do.
func (p *program) foldList(list []dst.Stmt) ([]dst.Stmt, bool) {
	var out []dst.Stmt
	changed := false
	for i, s := range list {
		taken, ok := p.branch(s)
		if !ok {
			out = append(out, s)
		} else {
			changed = true
			if declares(taken) && clash(taken, list[:i], list[i+1:]) {
				block := &dst.BlockStmt{List: taken}
				block.Decs.NodeDecs = *s.Decorations()
				out = append(out, block)
			} else {
				if len(taken) > 0 {
					hand(s, taken)
				} else {
					drop(s, list[i+1:], false)
				}
				out = append(out, taken...)
			}
		}
		if n := len(out); n > 0 && ends(out[n-1]) && i < len(list)-1 {
			return out, true // the rest is never reached
		}
	}
	return out, changed
}

// ends reports whether nothing after a statement runs.
func ends(s dst.Stmt) bool {
	_, ok := s.(*dst.ReturnStmt)
	return ok
}

// branch returns what is left of a statement whose condition is known.
func (p *program) branch(s dst.Stmt) ([]dst.Stmt, bool) {
	switch s := s.(type) {
	case *dst.IfStmt:
		v, known := p.truth(s.Cond)
		if !known {
			return nil, false
		}
		if s.Init != nil {
			if assign, ok := s.Init.(*dst.AssignStmt); !v && s.Else == nil && ok && !slices.ContainsFunc(assign.Rhs, func(e dst.Expr) bool { return !p.pure(e) }) {
				return nil, true
			}
			return nil, false
		}
		if v {
			return s.Body.List, true
		}
		switch e := s.Else.(type) {
		case *dst.BlockStmt:
			return e.List, true
		case nil:
			return nil, true
		default:
			return []dst.Stmt{e}, true
		}
	case *dst.SwitchStmt:
		if s.Tag != nil || s.Init != nil {
			return nil, false
		}
		return p.cases(s)
	case *dst.RangeStmt:
		if isNilIdent(s.X) {
			return nil, true
		}
	case *dst.EmptyStmt:
		return nil, true
	}
	return nil, false
}

func isNilIdent(e dst.Expr) bool {
	id, ok := e.(*dst.Ident)
	return ok && id.Name == "nil"
}

// cases folds a switch without a tag.
func (p *program) cases(s *dst.SwitchStmt) ([]dst.Stmt, bool) {
	var left []dst.Stmt
	changed := false
	for _, c := range s.Body.List {
		clause := c.(*dst.CaseClause)
		if len(clause.List) != 1 {
			left = append(left, clause)
			continue
		}
		v, known := p.truth(clause.List[0])
		switch {
		case !known:
			left = append(left, clause)
			continue
		case !v:
			changed = true
			continue
		}
		if len(left) == 0 {
			return clause.Body, true
		}
		clause.List = nil
		s.Body.List = append(left, clause)
		return []dst.Stmt{s}, true
	}
	if !changed {
		return nil, false
	}
	if len(left) == 0 {
		return nil, true
	}
	if first := left[0].(*dst.CaseClause); len(left) == 1 && len(first.List) == 0 {
		return first.Body, true
	}
	s.Body.List = left
	return []dst.Stmt{s}, true
}

// hand gives the comments before a statement to what takes its place.
func hand(s dst.Stmt, taken []dst.Stmt) {
	from, first, last := s.Decorations(), taken[0].Decorations(), taken[len(taken)-1].Decorations()
	if from == first {
		return
	}
	first.Start = append(append(dst.Decorations{}, from.Start...), first.Start...)
	first.Before = from.Before
	last.After = from.After
}

// heading matches the comment that begins a numbered paragraph of a stack.
var heading = regexp.MustCompile(`^// (\d+)\. `)

// drop prepares for the removal of a statement: what follows keeps its distance,
// and with keep also the heading of the paragraph that the statement began.
func drop(s dst.Stmt, rest []dst.Stmt, keep bool) {
	if len(rest) == 0 {
		return
	}
	from, next := s.Decorations(), rest[0].Decorations()
	paragraph := next.Before != dst.EmptyLine
	if paragraph {
		next.Before = from.Before
	}
	if keep && paragraph && len(from.Start) > 0 {
		next.Start = append(append(dst.Decorations{}, from.Start...), next.Start...)
	}
}

// declares reports whether statements declare names.
func declares(list []dst.Stmt) bool { return len(declared(list)) > 0 }

// declared returns the names that statements declare in their own scope.
func declared(list []dst.Stmt) map[string]bool {
	names := map[string]bool{}
	for _, s := range list {
		switch s := s.(type) {
		case *dst.AssignStmt:
			if s.Tok == token.DEFINE {
				for _, e := range s.Lhs {
					if id, ok := e.(*dst.Ident); ok && id.Name != "_" {
						names[id.Name] = true
					}
				}
			}
		case *dst.DeclStmt:
			for _, spec := range s.Decl.(*dst.GenDecl).Specs {
				if v, ok := spec.(*dst.ValueSpec); ok {
					for _, id := range v.Names {
						names[id.Name] = true
					}
				}
			}
		}
	}
	return names
}

// clash reports whether names that taken declares mean something in the lists
// around it.
func clash(taken []dst.Stmt, around ...[]dst.Stmt) bool {
	names := declared(taken)
	found := false
	for _, list := range around {
		for _, s := range list {
			dst.Inspect(s, func(n dst.Node) bool {
				if id, ok := n.(*dst.Ident); ok && names[id.Name] {
					found = true
				}
				return !found
			})
		}
	}
	return found
}
