package eject

import (
	"fmt"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"

	"refdeploy/internal/settings"
)

// Packages whose values stand in the code itself once it is made for one
// deployment.
var (
	settingsPath = reference + "/internal/settings"
	versionsPath = reference + "/internal/versions"
	contractPath = reference + "/app/contract"
)

// A chooser writes what the user chose in place of what asks for it.
type chooser struct {
	p      *program
	chosen reflect.Value

	// knobs are the settings that stay named, with the names of their constants. With
	// wait they are left alone, until it is known what asks for them.
	knobs map[string]string
	wait  bool

	sample bool // the sample app is there, and its constants with it
}

// knobs are settings that people change in the life of a service, with the names
// of the constants that they become in the stack file.
var knobs = map[string]string{
	"AllowCIDR":      "allowCIDR",
	"CertificateARN": "certificateARN",
	"AlarmEmail":     "alarmEmail",
}

// choose replaces every expression that the settings decide by its value.
func (c *chooser) choose() bool {
	changed := false
	c.p.each(func(u *unit, _ string, tree *dst.File) {
		if u.path == settingsPath || u.path == versionsPath || isApp(u.path) {
			return
		}
		dstutil.Apply(tree, func(cur *dstutil.Cursor) bool {
			if assign, ok := cur.Node().(*dst.AssignStmt); ok && c.several(assign) {
				changed = true
			}
			if cur.Name() == "Lhs" || cur.Name() == "Sel" {
				return false
			}
			e, ok := cur.Node().(dst.Expr)
			if !ok {
				return true
			}
			if c.absentStack(e) {
				cur.Replace(within(e, boolean(false)))
				changed = true
				return false
			}
			if name, ok := c.knob(e); ok {
				if !c.wait {
					cur.Replace(within(e, dst.NewIdent(name)))
					changed = true
				}
				return false
			}
			v, ok := c.evaluate(e)
			if !ok {
				return true
			}
			if v.Type() == c.chosen.Type() {
				return true // all of them at once stand for nothing
			}
			l, ok := literal(v)
			if !ok {
				return true
			}
			cur.Replace(within(e, l))
			changed = true
			return false
		}, nil)
	})
	return changed
}

// several replaces a call that the settings decide, and that returns more than one
// value, by these.
func (c *chooser) several(assign *dst.AssignStmt) bool {
	if len(assign.Lhs) < 2 || len(assign.Rhs) != 1 {
		return false
	}
	call, ok := assign.Rhs[0].(*dst.CallExpr)
	if !ok || len(call.Args) > 0 {
		return false
	}
	method, ok := call.Fun.(*dst.SelectorExpr)
	if !ok {
		return false
	}
	v, ok := c.evaluate(method.X)
	if !ok {
		return false
	}
	m := v.MethodByName(method.Sel.Name)
	if !m.IsValid() || m.Type().NumIn() > 0 || m.Type().NumOut() != len(assign.Lhs) {
		return false
	}
	var values []dst.Expr
	for _, result := range m.Call(nil) {
		l, ok := literal(result)
		if !ok {
			return false
		}
		values = append(values, l)
	}
	assign.Rhs = values
	return true
}

// absentStack reports whether an expression asks for one of the stacks that no
// project of one deployment has: the shared network's, or the budget's.
func (c *chooser) absentStack(e dst.Expr) bool {
	b, ok := e.(*dst.BinaryExpr)
	if !ok || b.Op != token.EQL {
		return false
	}
	name, ok := b.Y.(*dst.SelectorExpr)
	if !ok {
		return false
	}
	o, ok := c.p.object(name.Sel).(*types.Const)
	return ok && o.Pkg().Path() == settingsPath && (o.Name() == "NetworkID" || o.Name() == "BudgetID" && c.chosen.FieldByName("BudgetUSD").IsZero())
}

// within gives e the comments and spaces of old.
func within(old, e dst.Expr) dst.Expr {
	*e.Decorations() = *old.Decorations()
	return e
}

// knob reports whether e asks for a setting that stays named, and the name.
func (c *chooser) knob(e dst.Expr) (string, bool) {
	selector, ok := e.(*dst.SelectorExpr)
	if !ok {
		return "", false
	}
	name, ok := c.knobs[selector.Sel.Name]
	if !ok {
		return "", false
	}
	v, ok := c.evaluate(selector.X)
	return name, ok && v.Type() == c.chosen.Type()
}

// evaluate returns the value of an expression that the settings decide.
func (c *chooser) evaluate(e dst.Expr) (reflect.Value, bool) {
	none := reflect.Value{}
	switch e := e.(type) {
	case *dst.ParenExpr:
		return c.evaluate(e.X)
	case *dst.CallExpr:
		method, ok := e.Fun.(*dst.SelectorExpr)
		if !ok || len(e.Args) > 0 {
			return none, false
		}
		v, ok := c.evaluate(method.X)
		if lit, isLit := method.X.(*dst.BasicLit); isLit {
			v, ok = c.typed(lit, method.Sel.Name)
		}
		if !ok {
			return none, false
		}
		if m := v.MethodByName(method.Sel.Name); m.IsValid() && m.Type().NumIn() == 0 && m.Type().NumOut() == 1 {
			return m.Call(nil)[0], true
		}
		return none, false
	case *dst.SelectorExpr:
		if constant, ok := c.p.object(e.Sel).(*types.Const); ok {
			return c.constant(constant)
		}
		if v, ok := c.evaluate(e.X); ok && v.Kind() == reflect.Struct {
			if f := v.FieldByName(e.Sel.Name); f.IsValid() {
				return f, true
			}
			return none, false
		}
		if isNamed(c.p.typeOf(e).Type, settingsPath, "Settings") {
			return c.chosen, true
		}
	case *dst.Ident:
		if v, ok := c.p.object(e).(*types.Var); ok && isNamed(v.Type(), settingsPath, "Settings") && !v.IsField() {
			return c.chosen, true
		}
	}
	return none, false
}

// typed returns a literal as a value of the setting's type that has the method.
func (c *chooser) typed(lit *dst.BasicLit, method string) (reflect.Value, bool) {
	text, err := strconv.Unquote(lit.Value)
	if err != nil {
		return reflect.Value{}, false
	}
	for i := range c.chosen.NumField() {
		t := c.chosen.Field(i).Type()
		if _, ok := t.MethodByName(method); ok && t.Kind() == reflect.String {
			return reflect.ValueOf(text).Convert(t), true
		}
	}
	return reflect.Value{}, false
}

// constant returns the value of a constant that one of the packages of values
// defines.
func (c *chooser) constant(constant *types.Const) (reflect.Value, bool) {
	if pkg := constant.Pkg(); pkg == nil || pkg.Path() != settingsPath && pkg.Path() != versionsPath && (pkg.Path() != contractPath || c.sample) {
		return reflect.Value{}, false
	}
	v := reflect.ValueOf(basic(constant.Val()))
	if named, ok := constant.Type().(*types.Named); ok {
		for i := range c.chosen.NumField() {
			if t := c.chosen.Field(i).Type(); t.Name() == named.Obj().Name() && v.CanConvert(t) {
				return v.Convert(t), true
			}
		}
	}
	return v, v.IsValid()
}

func basic(v constant.Value) any {
	switch v.Kind() {
	case constant.Bool:
		return constant.BoolVal(v)
	case constant.String:
		return constant.StringVal(v)
	case constant.Int:
		n, _ := constant.Int64Val(v)
		return n
	case constant.Float:
		f, _ := constant.Float64Val(v)
		return f
	}
	return nil
}

func isNamed(t types.Type, pkg, name string) bool {
	named, ok := t.(*types.Named)
	return ok && named.Obj().Name() == name && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == pkg
}

// literal writes a value as Go.
func literal(v reflect.Value) (dst.Expr, bool) {
	switch v.Kind() {
	case reflect.Bool:
		return dst.NewIdent(strconv.FormatBool(v.Bool())), true
	case reflect.String:
		return &dst.BasicLit{Kind: token.STRING, Value: strconv.Quote(v.String())}, true
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return &dst.BasicLit{Kind: token.INT, Value: strconv.FormatInt(v.Int(), 10)}, true
	case reflect.Float32, reflect.Float64:
		return &dst.BasicLit{Kind: token.FLOAT, Value: strconv.FormatFloat(v.Float(), 'g', -1, 64)}, true
	case reflect.Slice:
		if v.IsNil() {
			return dst.NewIdent("nil"), true
		}
		list := &dst.CompositeLit{Type: &dst.ArrayType{Elt: typeName(v.Type().Elem())}}
		for i := range v.Len() {
			element, ok := literal(v.Index(i))
			if !ok {
				return nil, false
			}
			if composite, ok := element.(*dst.CompositeLit); ok {
				composite.Type = nil // the slice says it
			}
			list.Elts = append(list.Elts, element)
		}
		return list, true
	case reflect.Struct:
		composite := &dst.CompositeLit{Type: typeName(v.Type())}
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			element, ok := literal(v.Field(i))
			if !ok || !v.Type().Field(i).IsExported() {
				return nil, false
			}
			composite.Elts = append(composite.Elts, &dst.KeyValueExpr{Key: dst.NewIdent(v.Type().Field(i).Name), Value: element})
		}
		return composite, true
	case reflect.Map:
		if v.IsNil() {
			return dst.NewIdent("nil"), true
		}
		if v.Type().Elem().Kind() != reflect.String || v.Type().Key().Kind() != reflect.String {
			return nil, false
		}
		m := &dst.CompositeLit{Type: &dst.MapType{Key: dst.NewIdent("string"), Value: dst.NewIdent("string")}}
		values := v.Interface().(map[string]string)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			m.Elts = append(m.Elts, &dst.KeyValueExpr{
				Key:   &dst.BasicLit{Kind: token.STRING, Value: strconv.Quote(key)},
				Value: &dst.BasicLit{Kind: token.STRING, Value: strconv.Quote(values[key])},
			})
		}
		return m, true
	}
	return nil, false
}

// field returns the value of one of the settings as text, as a user writes it.
func field(chosen settings.Settings, name string) string {
	return strings.TrimSpace(fmt.Sprint(reflect.ValueOf(chosen).FieldByName(name)))
}

// typeName names a type as other packages do.
func typeName(t reflect.Type) dst.Expr {
	if t.PkgPath() == "" {
		return dst.NewIdent(t.Name())
	}
	return &dst.SelectorExpr{X: dst.NewIdent(packageName(t.PkgPath())), Sel: dst.NewIdent(t.Name())}
}

// fieldNames returns the names of all settings.
func fieldNames() []string {
	var names []string
	t := reflect.TypeFor[settings.Settings]()
	for i := range t.NumField() {
		names = append(names, t.Field(i).Name)
	}
	return names
}

// keyOf returns the key of a setting: allowCidr for AllowCIDR.
func keyOf(name string) string {
	for _, key := range settings.Keys(nil) {
		if strings.EqualFold(key.Name, name) {
			return key.Name
		}
	}
	return name
}
