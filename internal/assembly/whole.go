package assembly

import (
	"maps"
	"regexp"
	"slices"
)

// Whole returns the stacks of this project but the one with the id shared, and
// each with what it takes from that one as if it were its own: the resources of a
// network, under ids with the name of its stack before them. Without such a stack,
// and where one takes nothing, all stays as it is. What is read there is true of
// a stack alone; whoever adds several up counts what they share more than once.
func Whole(stacks []Stack, shared string) []Stack {
	i := slices.IndexFunc(stacks, func(s Stack) bool { return s.ID == shared && s.Ours() })
	if i < 0 {
		return stacks
	}
	var whole []Stack
	for j, stack := range stacks {
		if j != i {
			whole = append(whole, stack.with(stacks[i]))
		}
	}
	return whole
}

func (s Stack) with(shared Stack) Stack {
	used := map[string]bool{} // what our resources refer to
	resources := maps.Clone(s.Template.Resources)
	for id, r := range resources {
		r.Properties, _ = replaced(r.Properties, "Fn::GetStackOutput", func(reference map[string]any) any {
			name, _ := reference["OutputName"].(string)
			output, known := shared.Template.Outputs[name]
			if reference["StackName"] != shared.ID || !known {
				return map[string]any{"Fn::GetStackOutput": reference}
			}
			value := renamed(output.Value, shared.ID, shared.Template)
			for _, id := range referred(value) {
				used[id] = true
			}
			return value
		}).(map[string]any)
		resources[id] = r
	}
	if len(used) == 0 {
		return s
	}
	added := withoutIdleNAT(shared.Template, shared.ID, used)
	if slices.Contains(s.DependsOn, shared.ID) { // CloudFormation starts on ours when that one is complete
		before := slices.Sorted(maps.Keys(added))
		for id, r := range resources {
			r.DependsOn = append(slices.Clone(r.DependsOn), before...)
			resources[id] = r
		}
	}
	maps.Copy(resources, added)
	s.Template.Resources, s.Shares = resources, true
	return s
}

// withoutIdleNAT returns the resources of the shared template, under ids with
// from before them, but for NAT gateways, their routes and their addresses,
// that none of the used subnets routes through.
func withoutIdleNAT(shared Template, from string, used map[string]bool) map[string]Resource {
	all := map[string]Resource{}
	for id, r := range shared.Resources {
		r.Properties, _ = renamed(r.Properties, from, shared).(map[string]any)
		r.DependsOn = slices.Clone(r.DependsOn)
		for i, other := range r.DependsOn {
			r.DependsOn[i] = from + "." + other
		}
		all[from+"."+id] = r
	}
	tables := map[string]bool{} // of the used subnets
	for _, r := range all {
		if r.Type == "AWS::EC2::SubnetRouteTableAssociation" && used[only(r.Properties["SubnetId"])] {
			tables[only(r.Properties["RouteTableId"])] = true
		}
	}
	busy, idle := map[string]bool{}, map[string]bool{}
	for id, r := range all {
		gateway := only(r.Properties["NatGatewayId"])
		switch {
		case r.Type != "AWS::EC2::Route" || gateway == "":
		case tables[only(r.Properties["RouteTableId"])]:
			busy[gateway] = true
		default:
			idle[id], idle[gateway] = true, true
		}
	}
	for gateway := range busy {
		delete(idle, gateway)
	}
	for id := range idle {
		if address := only(all[id].Properties["AllocationId"]); address != "" {
			delete(all, address)
		}
		delete(all, id)
	}
	return all
}

// replaced returns a copy of value in which f has replaced each function of that
// name.
func replaced(value any, name string, f func(map[string]any) any) any {
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = replaced(element, name, f)
		}
		return out
	case map[string]any:
		if argument, ok := v[name].(map[string]any); ok && len(v) == 1 {
			return f(argument)
		}
		out := make(map[string]any, len(v))
		for key, element := range v {
			out[key] = replaced(element, name, f)
		}
		return out
	}
	return value
}

// inSub matches a reference in Fn::Sub, with or without an attribute.
var inSub = regexp.MustCompile(`\$\{([A-Za-z0-9]+)(\.[A-Za-z0-9.]+)?\}`)

// renamed returns a copy of value in which references to resources of the
// template have from before their ids.
func renamed(value any, from string, template Template) any {
	name := func(id string) string {
		if _, ok := template.Resources[id]; ok {
			return from + "." + id
		}
		return id // a parameter
	}
	switch v := value.(type) {
	case []any:
		out := make([]any, len(v))
		for i, element := range v {
			out[i] = renamed(element, from, template)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, element := range v {
			text, isText := element.(string)
			path, isPath := element.([]any)
			switch {
			case key == "Ref" && isText:
				out[key] = name(text)
			case key == "Fn::GetAtt" && isPath && len(path) == 2:
				id, _ := path[0].(string)
				out[key] = []any{name(id), path[1]}
			case key == "Fn::Sub" && isText:
				out[key] = inSub.ReplaceAllStringFunc(text, func(found string) string {
					parts := inSub.FindStringSubmatch(found)
					return "${" + name(parts[1]) + parts[2] + "}"
				})
			default:
				out[key] = renamed(element, from, template)
			}
		}
		return out
	}
	return value
}

// referred returns the ids that Ref and Fn::GetAtt name in a value.
func referred(value any) []string {
	var ids []string
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			ids = append(ids, referred(element)...)
		}
	case map[string]any:
		for key, element := range v {
			path, _ := element.([]any)
			switch text, isText := element.(string); {
			case key == "Ref" && isText:
				ids = append(ids, text)
			case key == "Fn::GetAtt" && len(path) == 2:
				id, _ := path[0].(string)
				ids = append(ids, id)
			default:
				ids = append(ids, referred(element)...)
			}
		}
	}
	return ids
}

// only returns the id that a reference names, or "".
func only(reference any) string {
	ids := referred(reference)
	if len(ids) != 1 {
		return ""
	}
	return ids[0]
}
