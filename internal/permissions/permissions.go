// Package permissions reads from a template what the app may do, and what has to
// be allowed to who deploys it.
package permissions

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"refdeploy/internal/assembly"
)

// A Grant is a role that the app takes on, with what that allows.
type Grant struct {
	Role       string      `json:"role"` // logical id
	By         string      `json:"by"`   // how the app gets it
	Statements []Statement `json:"statements"`
	Managed    []string    `json:"managedPolicies"`
}

// A Statement is one of a policy. A resource is the logical id of one of the
// template, or what IAM has.
type Statement struct {
	Effect    string   `json:"effect"`
	Actions   []string `json:"actions"`
	Resources []string `json:"resources"`
}

// App returns the roles that the app of a stack takes on.
func App(t assembly.Template) []Grant {
	by := map[string]string{} // role to how
	for id, r := range t.Resources {
		p := r.Properties
		switch r.Type {
		case "AWS::ECS::TaskDefinition", "AWS::ECS::ExpressGatewayService":
			by[reference(p["TaskRoleArn"])] = "ECS task role"
		case "AWS::EKS::PodIdentityAssociation":
			if p["Namespace"] != "kube-system" {
				by[reference(p["RoleArn"])] = "EKS Pod Identity"
			}
		case "AWS::AppRunner::Service":
			instance, _ := p["InstanceConfiguration"].(map[string]any)
			by[reference(instance["InstanceRoleArn"])] = "App Runner instance role"
		case "AWS::Lambda::Function":
			environment, _ := p["Environment"].(map[string]any)
			variables, _ := environment["Variables"].(map[string]any)
			if variables["NOTES_BUCKET"] != nil { // and not a function of the CDK
				by[reference(p["Role"])] = "Lambda execution role"
			}
		case "AWS::IAM::Role":
			// The controller of load balancers has such a role, too.
			if trusts(p, "sts:AssumeRoleWithWebIdentity") && !strings.Contains(id, "AlbController") {
				by[id] = "IRSA"
			}
		}
	}
	delete(by, "")
	grants := []Grant{}
	for _, role := range slices.Sorted(maps.Keys(by)) {
		grants = append(grants, grant(t, role, by[role]))
	}
	return grants
}

// grant collects the policies of a role: its own, and those that name it.
func grant(t assembly.Template, role, by string) Grant {
	g := Grant{Role: role, By: by, Statements: []Statement{}, Managed: []string{}}
	for _, policy := range list(t.Resources[role].Properties["Policies"]) {
		fields, _ := policy.(map[string]any)
		g.Statements = append(g.Statements, statements(fields["PolicyDocument"])...)
	}
	for _, managed := range list(t.Resources[role].Properties["ManagedPolicyArns"]) {
		g.Managed = append(g.Managed, text(managed))
	}
	for _, id := range slices.Sorted(maps.Keys(t.Resources)) {
		r := t.Resources[id]
		if r.Type != "AWS::IAM::Policy" && r.Type != "AWS::IAM::ManagedPolicy" {
			continue
		}
		for _, of := range list(r.Properties["Roles"]) {
			if reference(of) == role {
				g.Statements = append(g.Statements, statements(r.Properties["PolicyDocument"])...)
			}
		}
	}
	return g
}

func statements(document any) []Statement {
	fields, _ := document.(map[string]any)
	var all []Statement
	for _, entry := range list(fields["Statement"]) {
		s, _ := entry.(map[string]any)
		one := Statement{Effect: text(s["Effect"])}
		for _, a := range list(s["Action"]) {
			one.Actions = append(one.Actions, text(a))
		}
		for _, r := range list(s["Resource"]) {
			one.Resources = append(one.Resources, text(r))
		}
		all = append(all, one)
	}
	return all
}

func trusts(role map[string]any, action string) bool {
	return slices.ContainsFunc(statements(role["AssumeRolePolicyDocument"]), func(s Statement) bool { return slices.Contains(s.Actions, action) })
}

// list returns a list, or one value as a list of it.
func list(value any) []any {
	if value == nil {
		return nil
	}
	if all, ok := value.([]any); ok {
		return all
	}
	return []any{value}
}

// reference returns the logical id that a value refers to, or "".
func reference(value any) string {
	fields, _ := value.(map[string]any)
	if id, ok := fields["Ref"].(string); ok {
		return id
	}
	if pair := list(fields["Fn::GetAtt"]); len(pair) == 2 {
		id, _ := pair[0].(string)
		return id
	}
	return ""
}

// text writes a value as people read it: logical ids in place of references.
func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case map[string]any:
		if id := reference(v); id != "" {
			if strings.HasPrefix(id, "AWS::") {
				return "${" + id + "}"
			}
			return id
		}
		if join := list(v["Fn::Join"]); len(join) == 2 {
			var parts []string
			for _, part := range list(join[1]) {
				parts = append(parts, text(part))
			}
			return strings.Join(parts, text(join[0]))
		}
		if sub, ok := v["Fn::Sub"].(string); ok {
			return sub
		}
	}
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(data)
}
