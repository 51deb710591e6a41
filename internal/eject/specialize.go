package eject

import (
	"context"
	"fmt"
	"go/types"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/dave/dst"

	"refdeploy/internal/catalog"
	"refdeploy/internal/settings"
)

const (
	stacksPath = reference + "/stacks"
	testsPath  = reference + "/stacks_test"

	bundlesPath = reference + "/cmd/bundles"
	projectPath = reference + "/internal/project"
)

// specialize makes the program one for a deployment and settings. It returns the
// settings that have become constants of the stack file, with their names there.
func (p *program) specialize(ctx context.Context, roots func() map[types.Object]bool, chosen settings.Settings, paths []string, keep, sample bool) (map[string]string, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.each(func(_ *unit, _ string, tree *dst.File) { unmark(tree, !keep) })
	called, sizes := p.called(), p.sizes()
	c := &chooser{p: p, chosen: reflect.ValueOf(chosen), knobs: knobs, wait: true, sample: sample}
	passes := []func() bool{
		func() bool { return p.reach(roots(), called) },
		func() bool { return p.pruneImports(paths...) },
	}
	if keep { // the tests alone know which deployment they look at
		p.only = testsPath
		passes = append(passes, p.fold, p.locals, p.empty, p.answers)
	} else {
		passes = append(passes, c.choose, p.fold, p.locals, p.empty, p.receivers, p.answers, func() bool { return p.nonNil(roots()) }, func() bool { return p.parameters(roots()) }, p.fields,
			func() bool { return p.inline(sizes) })
	}
	// What a pass moves keeps its meaning and what it makes has none, so that the
	// next can go on with what go/types said before. Only reach needs the whole.
	settle := func() error {
		for again := true; again; {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			again = false
			for _, pass := range passes {
				again = pass() || again
			}
			if !again {
				return nil
			}
			if err := p.print(); err != nil {
				return err
			}
			if err := p.check(); err != nil {
				return err
			}
		}
		return nil
	}
	if err := settle(); err != nil || keep {
		return nil, err
	}
	c.knobs, c.wait = c.wanted(), false
	return c.knobs, settle()
}

// wanted returns the knobs that something deployed asks for, and not only a
// condition or a warning.
func (c *chooser) wanted() map[string]string {
	wanted := map[string]string{}
	note := func(e dst.Expr) {
		if name, ok := c.knob(e); ok {
			wanted[e.(*dst.SelectorExpr).Sel.Name] = name
		}
	}
	c.p.each(func(u *unit, _ string, tree *dst.File) {
		if u.path != stacksPath {
			return
		}
		dst.Inspect(tree, func(n dst.Node) bool {
			switch n := n.(type) {
			case *dst.KeyValueExpr:
				note(n.Value)
			case *dst.CallExpr:
				for _, arg := range n.Args {
					note(arg)
				}
			}
			return true
		})
	})
	return wanted
}

// constructor returns the function in a deployment's file that defines its stack.
func (p *program) constructor(d catalog.Deployment) (string, error) {
	u := p.packages[stacksPath]
	src := u.files[path.Base(d.Source)]
	if src == nil {
		return "", fmt.Errorf("%s: no such file", d.Source)
	}
	for _, decl := range src.tree.Decls {
		f, ok := decl.(*dst.FuncDecl)
		if ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, "New") && f.Type.Params.NumFields() == 3 {
			return f.Name.Name, nil
		}
	}
	return "", fmt.Errorf("%s: no function in it defines a stack", d.Source)
}

// lookup returns the roots with these names.
func (p *program) lookup(pkg string, names ...string) map[types.Object]bool {
	roots := map[types.Object]bool{}
	if u := p.packages[pkg]; u != nil && u.types != nil {
		for _, name := range names {
			if o := u.types.Scope().Lookup(name); o != nil {
				roots[o] = true
			}
		}
	}
	return roots
}

// sources returns the text of all files, by path from the root.
func (p *program) sources() map[string][]byte {
	all := map[string][]byte{}
	for _, u := range p.packages {
		for _, name := range slices.Sorted(maps.Keys(u.files)) {
			all[path.Join(u.dir, name)] = u.files[name].text
		}
	}
	return all
}
