package eject

import (
	"bytes"
	"embed"
	"go/token"
	"path"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"

	"refdeploy/internal/assembly"
	"refdeploy/internal/settings"
)

//go:embed templates
var templates embed.FS

// render fills in one of the templates.
func render(name string, data any) ([]byte, error) {
	t, err := template.ParseFS(templates, "templates/"+name)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, data)
	return out.Bytes(), err
}

// A suite makes the tests of all deployments those of one.
type suite struct {
	p        *program
	id, file string // the deployment's id, and the file with its claims
	chosen   settings.Settings

	templates []assembly.Template // what the settings come to
	keep      bool                // settings are kept, and claims of every one of them
	own       bool                // the settings are not those that claims are made for
}

// suiteFile is where the tests stand that are not the stack's claims.
const suiteFile = "rules_test.go"

// prepare leaves the claims that are made for the settings, and returns the tests
// to keep.
func (s suite) prepare(stack []byte) ([]string, error) {
	u, err := s.p.read(testsPath)
	if err != nil {
		return nil, err
	}
	if err := s.p.parse(u); err != nil {
		return nil, err
	}
	replaced := []string{"synth", "synthesized", "newApp", "TestGolden", "TestRules", "TestNag", "checkRules", "changed", "mutant", "profiles"}
	for _, src := range u.files {
		if s.own {
			s.retell(src.tree)
		}
		src.tree.Decls = slices.DeleteFunc(slices.Clone(src.tree.Decls), func(d dst.Decl) bool { return declaresAny(d, replaced) })
	}
	claims := u.files[s.file].tree
	var tests []string
	claims.Decls = slices.DeleteFunc(slices.Clone(claims.Decls), func(d dst.Decl) bool {
		f, ok := d.(*dst.FuncDecl)
		if !ok || !strings.HasPrefix(f.Name.Name, "Test") {
			return false
		}
		if !s.claimed(f.Body) {
			return true
		}
		if s.own {
			s.withhold(f.Body)
		}
		tests = append(tests, f.Name.Name)
		return false
	})
	for _, src := range u.files {
		s.kubernetes(src.tree, &tests)
	}
	s.known()
	s.present()
	s.rules()
	u.files["stack_test.go"] = &source{text: stack}
	if err := s.p.parse(u); err != nil {
		return nil, err
	}
	tests = append(tests, "TestGolden", "TestRules", "TestNag")
	return tests, s.p.pick(u, tests...)
}

func declaresAny(d dst.Decl, names []string) bool {
	switch d := d.(type) {
	case *dst.FuncDecl:
		return d.Recv == nil && slices.Contains(names, d.Name.Name)
	case *dst.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*dst.ValueSpec); ok && slices.Contains(names, v.Names[0].Name) {
				return true
			}
		}
	}
	return false
}

// claimed makes the calls of synth in a test those of the one stack, and takes
// away subtests of other settings. It returns false when the whole test is one.
func (s suite) claimed(body *dst.BlockStmt) bool {
	var left []dst.Stmt
	for i, stmt := range body.List {
		if s.mine(stmt) {
			left = append(left, stmt)
			continue
		}
		if !isSubtest(stmt) {
			return false
		}
		drop(stmt, body.List[i+1:], false)
	}
	body.List = left
	dstutil.Apply(body, nil, func(c *dstutil.Cursor) bool {
		if index, ok := c.Node().(*dst.IndexExpr); ok {
			if call, ok := index.X.(*dst.CallExpr); ok && isCallOf(call, "synth") && isText(index.Index, s.id) {
				if !s.keep {
					call.Args = call.Args[:1]
				}
				c.Replace(within(index, call))
			}
		}
		return true
	})
	return true
}

// mine reports whether all that a statement synthesizes is of the chosen settings.
func (s suite) mine(stmt dst.Stmt) bool {
	mine := true
	dst.Inspect(stmt, func(n dst.Node) bool {
		call, ok := n.(*dst.CallExpr)
		switch {
		case !ok:
		case isCallOf(call, "newApp"):
			mine = false
		case isCallOf(call, "synth"):
			mine = mine && s.matches(call.Args[1:])
		}
		return mine
	})
	return mine
}

// matches reports whether keys and values that a test asks for are what the user
// chose.
func (s suite) matches(keyValues []dst.Expr) bool {
	context := map[string]any{}
	for i := 0; i+1 < len(keyValues); i += 2 {
		key, ok := textOf(keyValues[i])
		value, ok2 := textOf(keyValues[i+1])
		if !ok || !ok2 {
			return false
		}
		if key != "stacks" {
			context[key] = value
		}
	}
	if _, ok := context["profile"]; !ok {
		context["profile"] = string(settings.Sandbox)
	}
	if s.keep {
		return true
	}
	asked, err := settings.Parse(context, nil)
	if err != nil || asked.Profile != s.chosen.Profile {
		return false
	}
	if value, ok := context["architecture"]; ok && value != string(s.chosen.Architecture) {
		return false
	}
	return agree(asked, s.chosen)
}

func isSubtest(stmt dst.Stmt) bool {
	e, ok := stmt.(*dst.ExprStmt)
	if !ok {
		return false
	}
	call, ok := e.X.(*dst.CallExpr)
	return ok && callee(call) != nil && callee(call).Name == "Run"
}

func isCallOf(call *dst.CallExpr, name string) bool {
	id, ok := call.Fun.(*dst.Ident)
	return ok && id.Name == name
}

func isText(e dst.Expr, text string) bool {
	is, ok := textOf(e)
	return ok && is == text
}

func textOf(e dst.Expr) (string, bool) {
	lit, ok := e.(*dst.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	return importPath(lit.Value), true
}

// kubernetes makes a test that ranges over deployments on Kubernetes one of this
// one, if it is among them.
func (s suite) kubernetes(tree *dst.File, tests *[]string) {
	var architecture dst.Expr
	for _, d := range tree.Decls {
		if g, ok := d.(*dst.GenDecl); ok && declaresAny(g, []string{"onKubernetes"}) {
			for _, e := range g.Specs[0].(*dst.ValueSpec).Values[0].(*dst.CompositeLit).Elts {
				if kv := e.(*dst.KeyValueExpr); isText(kv.Key, s.id) {
					architecture = plainly(kv.Value)
				}
			}
		}
	}
	if architecture == nil || s.chosen.Profile != settings.Sandbox && !s.keep {
		return
	}
	if isText(architecture, "arm64") && !s.keep {
		architecture, _ = literal(reflect.ValueOf(s.chosen.Architecture.GOARCH()))
	}
	for _, d := range tree.Decls {
		f, ok := d.(*dst.FuncDecl)
		if !ok || f.Name.Name != "TestOnKubernetes" {
			continue
		}
		// The body of its loop's subtest, for the one stack.
		dst.Inspect(f.Body, func(n dst.Node) bool {
			call, ok := n.(*dst.CallExpr)
			if !ok || callee(call) == nil || callee(call).Name != "Run" || len(call.Args) != 2 {
				return true
			}
			list := call.Args[1].(*dst.FuncLit).Body.List
			first, ok := list[0].(*dst.AssignStmt)
			if !ok {
				return true
			}
			first.Rhs[0] = &dst.CallExpr{Fun: dst.NewIdent("synth"), Args: []dst.Expr{dst.NewIdent("t")}}
			f.Body.List = list
			return false
		})
		dstutil.Apply(f.Body, nil, func(c *dstutil.Cursor) bool {
			if id, ok := c.Node().(*dst.Ident); ok && id.Name == "architecture" {
				c.Replace(plainly(architecture))
			}
			return true
		})
		*tests = append(*tests, f.Name.Name)
	}
}

// known writes the answers of helpers that ask what kind of stack they look at.
func (s suite) known() {
	has := func(resource string, property, value string) bool {
		for _, r := range s.templates[0].Resources {
			if r.Type == resource && (property == "" || r.Properties[property] == value) {
				return true
			}
		}
		return false
	}
	_, elsewhere := s.templates[0].Outputs["PublishKeys"]
	answers := map[string]bool{
		"clusterElsewhere": elsewhere,
		"onOwnServers":     elsewhere || has("AWS::ECS::Service", "LaunchType", "EXTERNAL"),
		"takesTagsOnce":    has("AWS::AppRunner::Service", "", "") || has("AWS::ECS::ExpressGatewayService", "", ""),
	}
	for _, src := range s.p.packages[testsPath].files {
		for _, d := range src.tree.Decls {
			if f, ok := d.(*dst.FuncDecl); ok && f.Recv == nil {
				if v, ok := answers[f.Name.Name]; ok {
					f.Body.List = []dst.Stmt{&dst.ReturnStmt{Results: []dst.Expr{boolean(v)}}}
				}
			}
		}
	}
}

// present takes away loops over resources that the stack does not have.
func (s suite) present() {
	types := map[string]bool{}
	for _, t := range s.templates {
		for _, r := range t.Resources {
			types[r.Type] = true
		}
	}
	absentType := func(e dst.Expr) bool {
		call, ok := e.(*dst.CallExpr)
		if !ok || len(call.Args) != 1 || callee(call) == nil || callee(call).Name != "Of" {
			return false
		}
		name, ok := textOf(call.Args[0])
		return ok && !types[name]
	}
	none := map[string]bool{} // functions that find nothing in this stack
	for range 2 {
		for _, src := range s.p.packages[testsPath].files {
			for _, d := range src.tree.Decls {
				f, ok := d.(*dst.FuncDecl)
				if !ok || f.Body == nil {
					continue
				}
				loops, looked := 0, false
				f.Body.List = slices.DeleteFunc(slices.Clone(f.Body.List), func(stmt dst.Stmt) bool {
					loop, ok := stmt.(*dst.RangeStmt)
					if !ok {
						return false
					}
					call, isCall := loop.X.(*dst.CallExpr)
					gone := absentType(loop.X) || isCall && callee(call) != nil && none[callee(call).Name]
					if gone {
						loops++
					}
					return gone
				})
				dst.Inspect(f.Body, func(n dst.Node) bool {
					if call, ok := n.(*dst.CallExpr); ok && callee(call) != nil {
						switch callee(call).Name {
						case "Of", "Only", "Has", "Count":
							looked = true
						}
					}
					return true
				})
				if loops > 0 && !looked && len(f.Type.Params.List) > 0 && f.Type.Results != nil {
					none[f.Name.Name] = true
				}
			}
		}
	}
}

// rules leaves those of the profile that have something to look at.
func (s suite) rules() {
	s.gather()
	bodies := map[string]int{}
	for _, src := range s.p.packages[testsPath].files {
		for _, d := range src.tree.Decls {
			if f, ok := d.(*dst.FuncDecl); ok && f.Recv == nil && f.Body != nil {
				bodies[f.Name.Name] = len(f.Body.List)
			}
		}
	}
	for _, src := range s.p.packages[testsPath].files {
		for _, d := range src.tree.Decls {
			g, ok := d.(*dst.GenDecl)
			if !ok || !declaresAny(g, []string{"rules"}) {
				continue
			}
			table := g.Specs[0].(*dst.ValueSpec).Values[0].(*dst.CompositeLit)
			table.Elts = slices.DeleteFunc(slices.Clone(table.Elts), func(e dst.Expr) bool {
				fields := map[string]string{}
				for _, f := range e.(*dst.CompositeLit).Elts {
					kv := f.(*dst.KeyValueExpr)
					if value, ok := kv.Value.(*dst.Ident); ok {
						fields[kv.Key.(*dst.Ident).Name] = value.Name
					}
				}
				production := s.chosen.Profile == settings.Production
				other := fields["sandboxOnly"] == "true" && production || fields["productionOnly"] == "true" && !production
				return other && !s.keep || fields["check"] == "imageCanBePulled" && !s.builds() || bodies[fields["check"]] == 0
			})
		}
	}
}

// builds reports whether a deploy builds the image. The rule about who may pull it
// speaks of no other: one from a registry may be everybody's.
func (s suite) builds() bool {
	return s.chosen.Image == "" && s.chosen.AppRunnerRepository == ""
}

// gather writes the rules that other files add to the table into it.
func (s suite) gather() {
	var more []dst.Expr
	files := s.p.packages[testsPath].files
	for _, src := range files {
		src.tree.Decls = slices.DeleteFunc(slices.Clone(src.tree.Decls), func(d dst.Decl) bool {
			f, ok := d.(*dst.FuncDecl)
			if !ok || f.Name.Name != "init" || len(f.Body.List) != 1 {
				return false
			}
			assign, ok := f.Body.List[0].(*dst.AssignStmt)
			if !ok || !isNamedIdent(assign.Lhs[0], "rules") {
				return false
			}
			for _, e := range assign.Rhs[0].(*dst.CallExpr).Args[1:] {
				rule := e.(*dst.CompositeLit)
				rule.Type = nil // the table's
				more = append(more, rule)
			}
			return true
		})
	}
	for _, src := range files {
		for _, d := range src.tree.Decls {
			if declaresAny(d, []string{"rules"}) {
				table := d.(*dst.GenDecl).Specs[0].(*dst.ValueSpec).Values[0].(*dst.CompositeLit)
				table.Elts = append(table.Elts, more...)
			}
		}
	}
}

func isNamedIdent(e dst.Expr, name string) bool {
	id, ok := e.(*dst.Ident)
	return ok && id.Name == name
}

// golden is where the template of the tests is kept.
func golden(name string) string { return path.Join("testdata", name+".golden.json") }

// agree reports whether the chosen settings have what a key was given for.
func agree(asked, chosen settings.Settings) bool {
	fresh := settings.Default()
	for _, name := range fieldNames() {
		if field(asked, name) != field(fresh, name) && field(asked, name) != field(chosen, name) {
			return false
		}
	}
	return true
}
