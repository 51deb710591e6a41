package assembly

import (
	"encoding/json"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
)

// NestedStack is the type of a stack that is a resource of another one.
const NestedStack = "AWS::CloudFormation::Stack"

// withNested puts beside each nested stack the resources of its template, when
// the template is a file of the assembly in dir: under ids with that of the stack
// before them, and with what the two templates give each other in place of
// parameters and outputs. What cannot be read stays as it is. Above are the files
// that are being read, because a template may, by mistake, nest itself.
func (t *Template) withNested(dir string, built assets, above []string) {
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if r.Type != NestedStack {
			continue
		}
		name := r.templateFile(built)
		file := filepath.Join(dir, name)
		if !filepath.IsLocal(name) || slices.Contains(above, file) {
			continue
		}
		var inner Template
		if err := readJSON(file, &inner); err != nil { // an asset of another kind, or gone
			continue
		}
		inner.withNested(dir, built, append(slices.Clone(above), file))
		t.nest(id, inner)
	}
}

// uploaded matches the name under which the CDK uploads a template.
var uploaded = regexp.MustCompile(`([0-9a-f]{64})\.json`)

// templateFile returns the file in the assembly that a nested stack is made of,
// or "". The CDK CLI has it noted in the metadata, unless told not to; the list
// of assets has it by the name of its upload.
func (r Resource) templateFile(built assets) string {
	if name, ok := r.Metadata["aws:asset:path"].(string); ok {
		return name
	}
	address, err := json.Marshal(r.Properties["TemplateURL"])
	found := uploaded.FindSubmatch(address)
	if err != nil || found == nil {
		return ""
	}
	return built.Files[string(found[1])].Source.Path
}

// nest adds what stands in the template of the nested stack id.
func (t *Template) nest(id string, inner Template) {
	stack := t.Resources[id]
	given, _ := stack.Properties["Parameters"].(map[string]any)
	bind := func(value any) any {
		return bound(renamed(value, id, inner), func(function string, argument any) (any, bool) {
			name, _ := argument.(string)
			if _, known := inner.Parameters[name]; function != "Ref" || !known {
				return nil, false
			}
			if value, ok := given[name]; ok {
				return value, true
			}
			return map[string]any{"Ref": id + "." + name}, true
		})
	}
	outputs := map[string]any{}
	for name, output := range inner.Outputs {
		outputs["Outputs."+name] = bind(output.Value)
	}
	t.replace(func(function string, argument any) (any, bool) {
		path, _ := argument.([]any)
		if function != "Fn::GetAtt" || len(path) != 2 || path[0] != id {
			return nil, false
		}
		name, _ := path[1].(string)
		value, ok := outputs[name]
		return value, ok
	})

	var within []string
	for _, other := range slices.Sorted(maps.Keys(inner.Resources)) {
		r := inner.Resources[other]
		r.Properties, _ = bind(r.Properties).(map[string]any)
		r.DependsOn = append(slices.Clone(stack.DependsOn), r.DependsOn...)
		for i := len(stack.DependsOn); i < len(r.DependsOn); i++ {
			r.DependsOn[i] = id + "." + r.DependsOn[i]
		}
		if r.Condition == "" {
			r.Condition = stack.Condition
		}
		t.Resources[id+"."+other] = r
		within = append(within, id+"."+other)
	}
	for other, r := range t.Resources {
		if slices.Contains(r.DependsOn, id) {
			r.DependsOn = append(slices.Clone(r.DependsOn), within...)
			t.Resources[other] = r
		}
	}
	for name, parameter := range inner.Parameters {
		if _, ok := given[name]; !ok {
			t.Parameters[id+"."+name] = parameter
		}
	}
	t.Transforms = append(t.Transforms, inner.Transforms...)
	stack.Read = true
	t.Resources[id] = stack
}

// replace replaces the functions in the template for which f has something else.
func (t *Template) replace(f func(function string, argument any) (any, bool)) {
	for id, r := range t.Resources {
		r.Properties, _ = bound(r.Properties, f).(map[string]any)
		t.Resources[id] = r
	}
	for name, output := range t.Outputs {
		output.Value = bound(output.Value, f)
		t.Outputs[name] = output
	}
}

// bound returns a copy of value in which f has replaced functions.
func bound(value any, f func(function string, argument any) (any, bool)) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = bound(element, f)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, element := range v {
			if found, ok := f(key, element); ok && len(v) == 1 {
				return found
			}
			out[key] = bound(element, f)
		}
		return out
	}
	return value
}
