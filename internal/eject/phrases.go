package eject

import (
	"strings"

	"github.com/dave/dst"
)

// phrases are what comments say of several deployments, or of settings, with what
// they say in a project of one.
var phrases = [][2]string{
	{" A nil *Props deploys the sandbox.", ""},
	{"plainStack defines a stack with what all of them share: tags to find its bill and its leftovers by, and in production a refusal to be deleted.",
		"plainStack defines the stack, with tags to find its bill and its leftovers by, and says whether it may be deleted."},
	{"newStack defines the stack of a deployment, with a warning in production when nobody would hear of its alarms.",
		"newStack defines the stack, with a warning when nobody would hear of its alarms."},
	{"the container image that a deployment runs: the sample app built from source, or one that the user named.", "the container image that the deployment runs."},
	{"the VPC of a deployment that needs one, or of several that share one.", "the VPC of the deployment."},
	{"the smallest Fargate size, unless more is asked for.", "a Fargate task."},
	{", whatever the architecture setting.", "."},
	{"A rule is what every deployment promises, whatever it runs on.", "A rule is a promise about the whole stack, beside the claims about single resources."},
	{"a Url output says where the app is, or on your own servers commands say what to run there", "the outputs say where the app is, or what to run where"},
}

// rephrase rewrites comments in which one of the phrases stands, wrapped again.
func rephrase(tree *dst.File) {
	dst.Inspect(tree, func(node dst.Node) bool {
		if node == nil {
			return false
		}
		if _, ok := node.(*dst.Package); ok {
			return true
		}
		decs := node.Decorations()
		decs.Start = rephrased(decs.Start)
		if file, ok := node.(*dst.File); ok {
			file.Decs.Start = rephrased(file.Decs.Start)
		}
		if lit, ok := node.(*dst.BasicLit); ok {
			if text, ok := textOf(lit); ok {
				for _, p := range phrases {
					if text == p[0] {
						lit.Value = quoted(lit.Value, p[1])
					}
				}
			}
		}
		return true
	})
}

func rephrased(lines dst.Decorations) dst.Decorations {
	var out dst.Decorations
	for i := 0; i < len(lines); {
		end := i
		for end < len(lines) && strings.HasPrefix(lines[end], "// ") {
			end++
		}
		if end == i {
			out = append(out, lines[i])
			i++
			continue
		}
		text := joined(lines[i:end])
		was := text
		for _, p := range phrases {
			text = strings.ReplaceAll(text, p[0], p[1])
		}
		switch {
		case text == was:
			out = append(out, lines[i:end]...)
		case strings.TrimSpace(text) != "":
			out = append(out, wrapped(text)...)
		}
		i = end
	}
	return out
}

// joined is a paragraph of a comment as one line.
func joined(lines dst.Decorations) string {
	var words []string
	for _, line := range lines {
		words = append(words, strings.Fields(strings.TrimPrefix(line, "//"))...)
	}
	return strings.Join(words, " ")
}

// wrapped writes a line as a comment of lines that are not too long.
func wrapped(text string) dst.Decorations {
	var lines dst.Decorations
	line := "//"
	for _, word := range strings.Fields(text) {
		if len(line)+1+len(word) > 80 && line != "//" {
			lines = append(lines, line)
			line = "//"
		}
		line += " " + word
	}
	return append(lines, line)
}
