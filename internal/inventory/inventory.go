// Package inventory counts what a synthesized stack consists of: resources,
// permissions, and what the internet reaches.
package inventory

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"refdeploy/internal/assembly"
)

// An Inventory is what a template tells by itself.
type Inventory struct {
	Total    int
	ByType   map[string]int
	IAM      IAM
	Exposure []Exposure
	Storage  []Fact // encryption of what stores data
	Logs     []Fact // how long each log group keeps

	// NotUnderstood names what of the template decides something of the above
	// and is known on deploy only, or is not in the template.
	NotUnderstood []string
}

// IAM counts permissions. A managed policy of AWS is one, and its statements are
// not in the template.
type IAM struct {
	Roles           int
	ManagedPolicies int
	Statements      int

	// WildcardActions and WildcardResources are the statements that allow an
	// action, or a resource, with a * in it.
	WildcardActions   int
	WildcardResources int
}

// An Exposure is a port that the internet reaches, or a range of them.
type Exposure struct {
	Port     int
	ToPort   int // the last of the range; the same for one port
	CIDR     string
	Resource string // logical id
}

// A Fact is something a resource says of itself.
type Fact struct {
	Resource string // logical id
	Type     string
	Says     string
}

// Of returns the inventory of a template. Where a condition decides between two
// values, both count: what may be open is open.
func Of(template assembly.Template) Inventory {
	inv := Inventory{Total: len(template.Resources), ByType: map[string]int{}}
	r := reader{template: template, Inventory: &inv}
	for _, name := range template.Transforms {
		r.unclear("%s rewrites the template on deploy", name)
	}
	for _, id := range slices.Sorted(maps.Keys(template.Resources)) {
		resource := template.Resources[id]
		inv.ByType[resource.Type]++
		r.shape(id, resource)
		r.permissions(resource)
		r.exposure(id, resource)
		r.storage(id, resource)
	}
	slices.SortFunc(inv.Exposure, func(a, b Exposure) int {
		return cmp.Or(cmp.Compare(a.Port, b.Port), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.CIDR, b.CIDR), cmp.Compare(a.ToPort, b.ToPort))
	})
	inv.Exposure = slices.Compact(inv.Exposure)
	slices.Sort(inv.NotUnderstood)
	inv.NotUnderstood = slices.Compact(inv.NotUnderstood)
	return inv
}

// A reader is an inventory in the making.
type reader struct {
	*Inventory
	template assembly.Template
}

// unclear names something that the template alone does not tell.
func (r *reader) unclear(format string, args ...any) {
	r.NotUnderstood = append(r.NotUnderstood, fmt.Sprintf(format, args...))
}

// shape names resources that are more, or other, than they look.
func (r *reader) shape(id string, resource assembly.Resource) {
	switch {
	case resource.Type == assembly.Loop:
		r.unclear("%s makes resources on deploy", id)
	case resource.Type == assembly.Broken:
		r.unclear("%s is not a resource", id)
	case resource.Type == assembly.NestedStack && !resource.Read:
		r.unclear("%s is a nested stack, whose resources are in another template", id)
	case resource.Condition != "":
		r.unclear("%s exists only if %s; it is counted", id, resource.Condition)
	}
	if transforms(resource.Properties) {
		r.unclear("Fn::Transform rewrites %s on deploy", id)
	}
}

// transforms reports whether a macro stands somewhere in value.
func transforms(value any) bool {
	switch v := value.(type) {
	case []any:
		return slices.ContainsFunc(v, transforms)
	case map[string]any:
		if _, ok := v["Fn::Transform"]; ok {
			return true
		}
		for _, inner := range v {
			if transforms(inner) {
				return true
			}
		}
	}
	return false
}

func (inv *reader) permissions(r assembly.Resource) {
	switch r.Type {
	case "AWS::IAM::Role":
		inv.IAM.Roles++
		inv.IAM.ManagedPolicies += len(Either(r.Properties["ManagedPolicyArns"]))
		for _, policy := range Either(r.Properties["Policies"]) {
			inv.statements(Object(policy)["PolicyDocument"])
		}
	case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy":
		inv.statements(r.Properties["PolicyDocument"])
	}
}

func (inv *reader) statements(document any) {
	for _, s := range Either(Object(document)["Statement"]) {
		statement := Object(s)
		if statement["Effect"] == "Deny" {
			continue
		}
		inv.IAM.Statements++
		// To allow all but a list is wider than any pattern.
		if statement["NotAction"] != nil || slices.ContainsFunc(Either(statement["Action"]), hasWildcard) {
			inv.IAM.WildcardActions++
		}
		if statement["NotResource"] != nil || slices.ContainsFunc(Either(statement["Resource"]), hasWildcard) {
			inv.IAM.WildcardResources++
		}
	}
}

// hasWildcard reports whether a string, or a string inside of Fn::Join or
// Fn::Sub, contains a *.
func hasWildcard(value any) bool {
	switch v := value.(type) {
	case string:
		return strings.Contains(v, "*")
	case []any:
		return slices.ContainsFunc(v, hasWildcard)
	case map[string]any:
		return hasWildcard(v["Fn::Join"]) || hasWildcard(v["Fn::Sub"])
	}
	return false
}

// List returns value as a list: a list as it is, nothing as an empty one, and
// anything else as a list of one, as IAM reads policies.
func List(value any) []any {
	switch v := value.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{value}
}

// Either returns what a list may hold on deploy: its items, and of each
// condition in it both values. Nothing, and AWS::NoValue, are left out.
func Either(value any) []any {
	var all []any
	for _, item := range List(value) {
		branches, ok := Object(item)["Fn::If"].([]any)
		switch {
		case ok && len(branches) == 3:
			all = append(all, Either(branches[1])...)
			all = append(all, Either(branches[2])...)
		case item != nil && Object(item)["Ref"] != "AWS::NoValue":
			all = append(all, item)
		}
	}
	return all
}

// Object returns value as an object, or an empty one.
func Object(value any) map[string]any {
	object, _ := value.(map[string]any)
	return object
}

// Number returns value as a number, also when it is written as a string, or 0.
func Number(value any) float64 {
	switch v := value.(type) {
	case float64:
		return v
	case string:
		n, _ := strconv.ParseFloat(v, 64)
		return n
	}
	return 0
}

// Target returns the logical id that a Ref or a Fn::GetAtt points to, or "".
func Target(value any) string {
	object := Object(value)
	if id, ok := object["Ref"].(string); ok {
		return id
	}
	switch path := object["Fn::GetAtt"].(type) {
	case []any:
		if len(path) > 0 {
			id, _ := path[0].(string)
			return id
		}
	case string: // as YAML's short form gives it
		id, _, _ := strings.Cut(path, ".")
		return id
	}
	return ""
}
