package eject

import (
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"

	"refdeploy/internal/settings"
)

// withhold takes claims away that do not hold for settings which are not those
// that the claims are made for: another architecture, or an app of the user's.
// What cannot be told from the text of a claim stays.
func (s suite) withhold(body *dst.BlockStmt) {
	dst.Inspect(body, func(n dst.Node) bool {
		list, ok := n.(*dst.CompositeLit)
		if !ok {
			return true
		}
		if array, ok := list.Type.(*dst.ArrayType); !ok || !isNamedIdent(array.Elt, "claim") {
			return true
		}
		list.Elts = slices.DeleteFunc(slices.Clone(list.Elts), func(e dst.Expr) bool {
			claim, ok := e.(*dst.CompositeLit)
			return ok && !s.holds(claim)
		})
		return false
	})
}

// holds reports whether some resource is as a claim says, or nobody can tell.
func (s suite) holds(claim *dst.CompositeLit) bool {
	fields := []string{"name", "resource", "props"}
	parts := map[string]dst.Expr{}
	for i, e := range claim.Elts {
		if kv, ok := e.(*dst.KeyValueExpr); ok {
			parts[kv.Key.(*dst.Ident).Name] = kv.Value
		} else if i < len(fields) {
			parts[fields[i]] = e
		}
	}
	resource, ok := textOf(parts["resource"])
	if !ok {
		return true
	}
	for _, r := range s.templates[0].Resources {
		if r.Type == resource && matches(parts["props"], any(r.Properties)) {
			return true
		}
	}
	return false
}

// matches reports whether a value has at least what a literal says, as the CDK's
// assertions compare: objects may have more, lists may not. What is no literal
// matches.
func matches(want dst.Expr, got any) bool {
	switch want := want.(type) {
	case *dst.BasicLit:
		if text, ok := textOf(want); ok {
			return got == any(text)
		}
		number, err := strconv.ParseFloat(want.Value, 64)
		return err != nil || got == any(number)
	case *dst.Ident:
		switch want.Name {
		case "true", "false":
			return got == any(want.Name == "true")
		case "nothing":
			return got == nil
		}
	case *dst.CompositeLit:
		if _, list := want.Type.(*dst.ArrayType); list {
			elements, ok := got.([]any)
			if !ok || len(elements) != len(want.Elts) {
				return false
			}
			for i, e := range want.Elts {
				if !matches(e, elements[i]) {
					return false
				}
			}
			return true
		}
		object, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for _, e := range want.Elts {
			kv, ok := e.(*dst.KeyValueExpr)
			if !ok {
				return true
			}
			if key, ok := textOf(kv.Key); ok && !matches(kv.Value, object[key]) {
				return false
			}
		}
	}
	return true
}

// retell writes the port and the health path of the user's app in place of the
// sample app's, in what tests say of them.
func (s suite) retell(root dst.Node) {
	sample := settings.Default()
	port, path := strconv.Itoa(sample.Port), sample.HealthPath
	dst.Inspect(root, func(n dst.Node) bool {
		lit, ok := n.(*dst.BasicLit)
		if !ok {
			return true
		}
		switch {
		case lit.Kind == token.INT && lit.Value == port:
			lit.Value = strconv.Itoa(s.chosen.Port)
		case lit.Kind == token.FLOAT && lit.Value == port+".0":
			lit.Value = strconv.Itoa(s.chosen.Port) + ".0"
		case lit.Kind == token.STRING:
			if text, err := strconv.Unquote(lit.Value); err == nil {
				told := strings.ReplaceAll(strings.ReplaceAll(text, port, strconv.Itoa(s.chosen.Port)), path, s.chosen.HealthPath)
				if told != text {
					lit.Value = quoted(lit.Value, told)
				}
			}
		}
		return true
	})
}
