package kubernetes_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Types of resources that a cluster's manifests and charts are in.
const (
	manifestType = "Custom::AWSCDK-EKS-KubernetesResource"
	chartType    = "Custom::AWSCDK-EKS-HelmChart"
	clusterType  = "AWS::EKS::Cluster"
)

// A template is what CloudFormation is given.
type template struct {
	Resources map[string]resource
}

type resource struct {
	Type       string
	Properties map[string]any
	DependsOn  any
}

func readTemplate(path string) (*template, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	t := &template{}
	if err := json.Unmarshal(text, t); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// order returns the resources in an order that CloudFormation may create them
// in. Of those that are free to be created, it takes the one whose name comes
// last, which is not the order that they were written in.
func (t *template) order() ([]string, error) {
	waiting := map[string]map[string]bool{}
	for name, resource := range t.Resources {
		waiting[name] = map[string]bool{}
		for other := range references(map[string]any{"p": resource.Properties, "DependsOn": resource.DependsOn}) {
			if _, ok := t.Resources[other]; ok {
				waiting[name][other] = true
			}
		}
	}
	var order []string
	for len(waiting) > 0 {
		var free []string
		for name, others := range waiting {
			if len(others) == 0 {
				free = append(free, name)
			}
		}
		if len(free) == 0 {
			return nil, fmt.Errorf("resources wait for each other: %v", slices.Sorted(maps.Keys(waiting)))
		}
		next := slices.Max(free)
		order = append(order, next)
		delete(waiting, next)
		for _, others := range waiting {
			delete(others, next)
		}
	}
	return order, nil
}

var substituted = regexp.MustCompile(`\$\{([A-Za-z0-9:]+)(\.[A-Za-z0-9.]+)?\}`)

// references returns the names that a value depends on.
func references(value any) map[string]bool {
	found := map[string]bool{}
	switch value := value.(type) {
	case []any:
		for _, item := range value {
			maps.Copy(found, references(item))
		}
	case map[string]any:
		for key, item := range value {
			switch text, isText := item.(string); {
			case isText && (key == "Ref" || key == "DependsOn"):
				found[text] = true
			case isText && key == "Fn::Sub":
				for _, match := range substituted.FindAllStringSubmatch(text, -1) {
					found[match[1]] = true
				}
			case key == "DependsOn" || key == "Fn::GetAtt":
				names, _ := item.([]any)
				for _, name := range names {
					found[fmt.Sprint(name)] = true
				}
			default:
				maps.Copy(found, references(item))
			}
		}
	}
	return found
}

// manifests returns the Kubernetes objects of a resource, with values that AWS
// could have given in place of its functions.
func (t *template) manifests(name string) ([]unstructured.Unstructured, error) {
	text, err := t.fill(t.Resources[name].Properties["Manifest"])
	if err != nil {
		return nil, fmt.Errorf("resource %s: %w", name, err)
	}
	var objects []unstructured.Unstructured
	if err := json.Unmarshal([]byte(text), &objects); err != nil {
		return nil, fmt.Errorf("resource %s: %w", name, err)
	}
	return objects, nil
}

// fill returns the text that CloudFormation would make of a value.
func (t *template) fill(value any) (string, error) {
	if text, ok := value.(string); ok {
		return text, nil
	}
	function, _ := value.(map[string]any)
	for name, argument := range function {
		switch name {
		case "Ref":
			return t.returned(fmt.Sprint(argument), "")
		case "Fn::GetAtt":
			if parts, ok := argument.([]any); ok && len(parts) == 2 {
				return t.returned(fmt.Sprint(parts[0]), fmt.Sprint(parts[1]))
			}
		case "Fn::Sub":
			var failed error
			text := substituted.ReplaceAllStringFunc(fmt.Sprint(argument), func(match string) string {
				parts := substituted.FindStringSubmatch(match)
				text, err := t.returned(parts[1], strings.TrimPrefix(parts[2], "."))
				failed = cmp.Or(failed, err)
				return text
			})
			return text, failed
		case "Fn::Join":
			if parts, ok := argument.([]any); ok && len(parts) == 2 {
				items, _ := parts[1].([]any)
				var texts []string
				for _, item := range items {
					text, err := t.fill(item)
					if err != nil {
						return "", err
					}
					texts = append(texts, text)
				}
				return strings.Join(texts, fmt.Sprint(parts[0])), nil
			}
		}
	}
	return "", fmt.Errorf("no value is known for %v", value)
}

const account = "111111111111"

// What AWS returns for a name, or an attribute of it.
var given = map[string]string{
	"AWS::AccountId": account,
	"AWS::Region":    "us-east-1",
	"AWS::Partition": "aws",
	"AWS::URLSuffix": "amazonaws.com",

	"AWS::EC2::VPC":                            "vpc-0123456789abcdef0",
	"AWS::EKS::Cluster":                        "Cluster-0123456789ab",
	"AWS::ElasticLoadBalancingV2::TargetGroup": "arn:aws:elasticloadbalancing:us-east-1:" + account + ":targetgroup/Targets/0123456789abcdef",
	"AWS::IAM::Role Arn":                       "arn:aws:iam::" + account + ":role/Role-0123456789ab",
	"AWS::Logs::LogGroup":                      "AppLogs-0123456789ab",
	"AWS::S3::Bucket":                          "notes-0123456789ab",
}

func (t *template) returned(name, attribute string) (string, error) {
	key := name
	if resource, ok := t.Resources[name]; ok {
		key = resource.Type
	}
	if attribute != "" {
		key += " " + attribute
	}
	text, ok := given[key]
	if !ok {
		return "", fmt.Errorf("no value is known for %q (%s)", strings.TrimSuffix(name+"."+attribute, "."), key)
	}
	return text, nil
}
