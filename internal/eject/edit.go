package eject

import (
	"fmt"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/dave/dst"
	"github.com/dave/dst/dstutil"
)

// Names are what a project is called.
type names struct {
	stack  string // in CloudFormation
	module string // in Go
	slug   string // in tags, file names and package.json
}

// knobTexts tell what the constants of the stack file do.
var knobTexts = map[string]string{
	"allowCIDR":      "// Who may reach the load balancer, as an IPv4 range.",
	"certificateARN": "// An ACM certificate. With it the load balancer serves HTTPS and redirects HTTP.",
	"alarmEmail":     "// Who is told when an alarm rings, once they have confirmed AWS's question.",
}

// edit makes the program's words those of a project of its own.
func (p *program) edit(stackFile string, knobs [][2]string, n names) {
	p.each(func(u *unit, name string, tree *dst.File) {
		if u.path == stacksPath && name == stackFile {
			declareKnobs(tree, knobs)
		}
		renumber(tree)
		rephrase(tree)
		dst.Inspect(tree, func(node dst.Node) bool {
			if node == nil {
				return false
			}
			if lit, ok := node.(*dst.BasicLit); ok && lit.Kind == token.STRING {
				if text, err := strconv.Unquote(lit.Value); err == nil && strings.Contains(text, reference) {
					if renamed := n.rename(text); renamed != text {
						lit.Value = quoted(lit.Value, renamed)
					}
				}
			}
			comments(node, func(list dst.Decorations) {
				for i, line := range list {
					list[i] = n.rename(line)
				}
			})
			return true
		})
		for _, d := range tree.Decls {
			d.Decorations().Start = pointHome(d.Decorations().Start)
		}
	})
}

// comments calls f with each list of comments at a node.
func comments(node dst.Node, f func(dst.Decorations)) {
	if _, ok := node.(*dst.Package); ok {
		return
	}
	_, _, points := dstutil.Decorations(node)
	for _, point := range points {
		f(point.Decs)
	}
}

// quoted writes a text the way another was written.
func quoted(was, text string) string {
	if strings.HasPrefix(was, "`") && !strings.Contains(text, "`") {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

var (
	modulePath = regexp.MustCompile(`\b` + reference + `/`)
	word       = regexp.MustCompile(`\b` + reference + `\b`)
)

// rename writes the project's name where a text says the reference's.
func (n names) rename(text string) string {
	if strings.HasPrefix(text, reference+"/") || strings.Contains(text, "["+reference+"/") {
		return modulePath.ReplaceAllString(text, n.module+"/")
	}
	return word.ReplaceAllString(text, n.slug)
}

// unmark takes away the mark by which the comparison knows its own stacks, and
// what tells a user of settings which size they came to: it stands in the code.
func unmark(tree *dst.File, sizes bool) {
	lists(tree, func(list []dst.Stmt) []dst.Stmt {
		var out []dst.Stmt
		for i, s := range list {
			if e, ok := s.(*dst.ExprStmt); ok {
				call, ok := e.X.(*dst.CallExpr)
				if ok && (sizes && isCallOf(call, "tellSize") || callee(call) != nil && callee(call).Name == "AddMetadata" && mentions(call.Args[0], reference+":settings")) {
					drop(s, list[i+1:], false)
					continue
				}
			}
			out = append(out, s)
		}
		return out
	})
}

func mentions(e dst.Expr, text string) bool {
	found := false
	dst.Inspect(e, func(n dst.Node) bool {
		if lit, ok := n.(*dst.BasicLit); ok && strings.Contains(lit.Value, text) {
			found = true
		}
		return !found
	})
	return found
}

// renumber counts the paragraphs of a function anew, after some went.
func renumber(tree *dst.File) {
	for _, d := range tree.Decls {
		f, ok := d.(*dst.FuncDecl)
		if !ok {
			continue
		}
		n := 0
		dst.Inspect(f, func(node dst.Node) bool {
			if node == nil {
				return false
			}
			comments(node, func(list dst.Decorations) {
				for i, line := range list {
					if match := heading.FindString(line); match != "" {
						n++
						list[i] = fmt.Sprintf("// %d. ", n) + strings.TrimPrefix(line, match)
					}
				}
			})
			return true
		})
	}
}

// pointHome lets comments that point to the documentation of the reference point
// to the project's README.
func pointHome(doc dst.Decorations) dst.Decorations {
	var out dst.Decorations
	for i := 0; i < len(doc); {
		end := i
		for end < len(doc) && doc[end] != "//" {
			end++
		}
		if paragraph := doc[i:end]; slices.ContainsFunc(paragraph, func(line string) bool { return strings.Contains(line, "docs/") }) {
			out = append(out, "// What it costs, and how to deploy and to operate it, is in README.md.")
		} else {
			out = append(out, paragraph...)
		}
		if end < len(doc) {
			out = append(out, doc[end])
			end++
		}
		i = end
	}
	return out
}

// declareKnobs writes the values that people change before the stack.
func declareKnobs(tree *dst.File, knobs [][2]string) {
	if len(knobs) == 0 {
		return
	}
	g := &dst.GenDecl{Tok: token.CONST, Lparen: true, Rparen: true}
	g.Decs.Start = dst.Decorations{"// What you may want to change."}
	g.Decs.Before, g.Decs.After = dst.EmptyLine, dst.EmptyLine
	for i, knob := range knobs {
		spec := &dst.ValueSpec{
			Names:  []*dst.Ident{dst.NewIdent(knob[0])},
			Values: []dst.Expr{&dst.BasicLit{Kind: token.STRING, Value: strconv.Quote(knob[1])}},
		}
		spec.Decs.Start = dst.Decorations{knobTexts[knob[0]]}
		spec.Decs.Before, spec.Decs.After = dst.NewLine, dst.NewLine
		if i > 0 {
			spec.Decs.Before = dst.EmptyLine
		}
		g.Specs = append(g.Specs, spec)
	}
	at := 0
	for i, d := range tree.Decls {
		if imports, ok := d.(*dst.GenDecl); ok && imports.Tok == token.IMPORT {
			at = i + 1
		}
	}
	tree.Decls = slices.Insert(tree.Decls, at, dst.Decl(g))
}

// document says what a package is, in place of what its doc said.
func (p *program) document(pkg string, file string, lines ...string) {
	for name, src := range p.packages[pkg].files {
		if isPackageDoc(src.tree.Decs.Start) {
			src.tree.Decs.Start = nil
		}
		if name == file {
			src.tree.Decs.Start = append(dst.Decorations{}, lines...)
			src.tree.Decs.Before = dst.None
		}
	}
}

// mergeAll writes each package into one file, the stacks' into two.
func (p *program) mergeAll(stackFile, claimsFile string) {
	for _, u := range p.sorted() {
		own := path.Base(u.dir) + ".go"
		switch u.path {
		case bundlesPath:
		case stacksPath:
			p.merge(u, func(name string) string {
				if name == stackFile {
					return name
				}
				return "stack.go"
			})
		case testsPath:
			p.merge(u, func(name string) string {
				if name == claimsFile {
					return name
				}
				return suiteFile
			})
		default:
			p.merge(u, func(name string) string {
				if strings.HasSuffix(name, "_test.go") {
					return strings.TrimSuffix(own, ".go") + "_test.go"
				}
				return own
			})
		}
	}
}
