// Package assemblytest changes templates into ones that nobody expects, for
// tests of what reads other people's.
package assemblytest

import (
	"encoding/json"
	"math/rand/v2"
	"slices"

	"refdeploy/internal/assembly"
)

// odd are values that may stand where another is expected: intrinsic functions,
// other types, empty ones, and functions with the wrong arguments.
var odd = []string{
	`null`, `true`, `0`, `-1`, `1e300`, `0.5`, `""`, `"text"`, `"*"`, `[]`, `{}`, `[null]`, `[[]]`, `[{}]`, `{"":null}`,
	`{"Ref":"AWS::NoValue"}`, `{"Ref":"Missing"}`, `{"Ref":7}`, `{"Ref":null}`,
	`{"Fn::GetAtt":[]}`, `{"Fn::GetAtt":["A"]}`, `{"Fn::GetAtt":"A.Arn"}`, `{"Fn::GetAtt":[7]}`,
	`{"Fn::If":[]}`, `{"Fn::If":["C","a"]}`, `{"Fn::If":["C",{"Fn::If":["D",[1],{}]},{"Ref":"AWS::NoValue"}]}`, `{"Fn::If":"C"}`,
	`{"Fn::Join":[]}`, `{"Fn::Join":["",7]}`, `{"Fn::Join":["",["a",{"Ref":"B"},null]]}`, `{"Fn::Join":"x"}`,
	`{"Fn::Sub":"${A}"}`, `{"Fn::Sub":["${A}",{"A":{}}]}`, `{"Fn::Transform":{"Name":"T"}}`, `{"Fn::Select":[0,{"Fn::Split":[",","a"]}]}`,
	`{"Fn::ForEach::X":["i",[],{}]}`, `{"Fn::ImportValue":{}}`,
}

// Mutate returns the template with one value, anywhere in it, replaced by an odd
// one.
func Mutate(random *rand.Rand, template []byte) assembly.Template {
	var tree any
	if err := json.Unmarshal(template, &tree); err != nil {
		panic(err)
	}
	var value any
	if err := json.Unmarshal([]byte(odd[random.IntN(len(odd))]), &value); err != nil {
		panic(err)
	}
	root := tree.(map[string]any)
	replace(random, root["Resources"], value)
	data, err := json.Marshal(root)
	if err != nil {
		panic(err)
	}
	var changed assembly.Template
	if err := json.Unmarshal(data, &changed); err != nil {
		panic(err)
	}
	return changed
}

// replace goes down from node at random and puts value where it stops.
func replace(random *rand.Rand, node, value any) {
	for {
		var next any
		var set func(any)
		switch n := node.(type) {
		case map[string]any:
			if len(n) == 0 {
				return
			}
			keys := make([]string, 0, len(n))
			for key := range n {
				keys = append(keys, key)
			}
			slices.Sort(keys)
			key := keys[random.IntN(len(keys))]
			next, set = n[key], func(v any) { n[key] = v }
		case []any:
			if len(n) == 0 {
				return
			}
			i := random.IntN(len(n))
			next, set = n[i], func(v any) { n[i] = v }
		default:
			return
		}
		_, isObject := next.(map[string]any)
		_, isList := next.([]any)
		if !isObject && !isList || random.IntN(4) == 0 {
			set(value)
			return
		}
		node = next
	}
}
