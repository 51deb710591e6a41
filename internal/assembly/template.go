package assembly

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A Template is the part of a CloudFormation template that we read.
type Template struct {
	Description string
	Metadata    map[string]any
	Transforms  []string            // macros that rewrite it on deploy
	Resources   map[string]Resource // by logical id
	Outputs     map[string]Output
	Parameters  map[string]Parameter
}

// Setting returns what a stack of ours was synthesized with, profile or
// architecture, or "" when it does not say.
func (t Template) Setting(name string) string {
	chosen, _ := t.Metadata["refdeploy:settings"].(map[string]any)
	value, _ := chosen[name].(string)
	return value
}

// A Resource is one resource of a template. Properties hold what JSON holds:
// map[string]any, []any, string, float64, bool.
type Resource struct {
	// Type is CloudFormation's, or [Loop] for a loop that makes several, or
	// [Broken] for what is no resource.
	Type                string
	Condition           string // creates it or not, on deploy
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string

	// Read says of a nested stack that its resources stand beside it.
	Read bool
}

// Types of what stands among the resources and is none.
const (
	Loop   = "Fn::ForEach"
	Broken = "not a resource"
)

// A Suppression accepts a finding of cdk-nag.
type Suppression struct{ Rule, Reason string }

// Suppressions returns the suppressions in the resource's metadata.
func (r Resource) Suppressions() []Suppression {
	nag, _ := r.Metadata["cdk_nag"].(map[string]any)
	rules, _ := nag["rules_to_suppress"].([]any)
	var all []Suppression
	for _, rule := range rules {
		fields, _ := rule.(map[string]any)
		id, _ := fields["id"].(string)
		reason, _ := fields["reason"].(string)
		all = append(all, Suppression{Rule: id, Reason: reason})
	}
	return all
}

// An Output is what a stack tells after a deploy.
type Output struct {
	Description string
	Value       any
}

// A Parameter is a value that CloudFormation looks up on deploy, such as an AMI.
type Parameter struct {
	Type    string
	Default string
}

// UnmarshalJSON takes what CloudFormation takes, and what it would refuse as far
// as it can be read: a template of which we understand one resource less is
// still worth comparing.
func (t *Template) UnmarshalJSON(data []byte) error {
	var raw map[string]any
	if err := json.Unmarshal(data, &raw); err != nil {
		return err
	}
	if raw == nil {
		return errors.New("got null; a template is an object")
	}
	*t = Template{
		Description: text(raw["Description"]),
		Metadata:    object(raw["Metadata"]),
		Transforms:  texts(raw["Transform"]),
		Resources:   map[string]Resource{},
		Outputs:     map[string]Output{},
		Parameters:  map[string]Parameter{},
	}
	for id, value := range object(raw["Resources"]) {
		t.Resources[id] = resource(id, value)
	}
	for id, value := range object(raw["Outputs"]) {
		output := object(value)
		t.Outputs[id] = Output{Description: text(output["Description"]), Value: output["Value"]}
	}
	for id, value := range object(raw["Parameters"]) {
		parameter := object(value)
		p := Parameter{Type: text(parameter["Type"])}
		if initial, set := parameter["Default"]; set {
			p.Default = fmt.Sprint(initial) // numbers are as good as strings
		}
		t.Parameters[id] = p
	}
	return nil
}

func resource(id string, value any) Resource {
	fields, ok := value.(map[string]any)
	r := Resource{
		Type:                text(fields["Type"]),
		Condition:           text(fields["Condition"]),
		Properties:          object(fields["Properties"]),
		Metadata:            object(fields["Metadata"]),
		DeletionPolicy:      text(fields["DeletionPolicy"]),
		UpdateReplacePolicy: text(fields["UpdateReplacePolicy"]),
		DependsOn:           texts(fields["DependsOn"]),
	}
	switch {
	case strings.HasPrefix(id, Loop):
		r.Type = Loop
	case !ok || r.Type == "":
		r.Type = Broken
	}
	return r
}

func object(value any) map[string]any {
	fields, _ := value.(map[string]any)
	return fields
}

func text(value any) string {
	s, _ := value.(string)
	return s
}

// texts returns the strings of a list, or a string as a list of one.
func texts(value any) []string {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	var all []string
	for _, item := range list {
		name := text(item)
		if name == "" {
			name = text(object(item)["Name"]) // a Transform with parameters
		}
		if name != "" {
			all = append(all, name)
		}
	}
	return all
}
