// Package assembly reads a cloud assembly, the directory that `cdk synth`
// writes: one CloudFormation template a stack, and what is to be uploaded.
package assembly

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Stack is one synthesized stack.
type Stack struct {
	// ID is the stack's id in the CDK app.
	ID string

	// Tags are what CloudFormation puts on every resource that takes tags.
	Tags map[string]string

	// TerminationProtection refuses to delete the stack.
	TerminationProtection bool

	Template Template

	// ImagePlatforms are the platforms, such as linux/arm64, of the container
	// images that are built on deploy.
	ImagePlatforms []string

	// Warnings are what synthesis tells the user about the stack.
	Warnings []string

	// DependsOn are the ids of the stacks that are deployed before this one, and
	// destroyed after it.
	DependsOn []string

	// Shares are the ids of the stacks whose resources [Whole] added.
	Shares []string
}

// A Template is the part of a CloudFormation template that we read.
type Template struct {
	Description string
	Metadata    map[string]any
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
	Type                string
	Properties          map[string]any
	Metadata            map[string]any
	DeletionPolicy      string
	UpdateReplacePolicy string
	DependsOn           []string
}

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

// manifest is the part of manifest.json that we read.
type manifest struct {
	Artifacts map[string]struct {
		Type         string
		DisplayName  string
		Dependencies []string // ids of artifacts
		// AdditionalMetadataFile holds messages by construct path.
		AdditionalMetadataFile string
		Properties             struct {
			TemplateFile          string
			TerminationProtection bool
			Tags                  map[string]string
		}
	}
}

// assets is the part of STACK.assets.json that we read.
type assets struct {
	DockerImages map[string]struct {
		Source struct{ Platform string }
	}
}

const stackArtifact = "aws:cloudformation:stack"

// Read returns the stacks of the assembly in dir, sorted by id.
func Read(dir string) ([]Stack, error) {
	var m manifest
	err := readJSON(filepath.Join(dir, "manifest.json"), &m)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s: no cloud assembly (manifest.json) there; write one with `npx cdk synth --quiet`", dir)
		}
		return nil, err
	}
	var stacks []Stack
	for id, artifact := range m.Artifacts {
		if artifact.Type != stackArtifact {
			continue
		}
		if artifact.DisplayName != "" {
			id = artifact.DisplayName
		}
		stack := Stack{
			ID:                    id,
			Tags:                  artifact.Properties.Tags,
			TerminationProtection: artifact.Properties.TerminationProtection,
		}
		for _, other := range artifact.Dependencies {
			if m.Artifacts[other].Type == stackArtifact {
				stack.DependsOn = append(stack.DependsOn, cmp.Or(m.Artifacts[other].DisplayName, other))
			}
		}
		file := filepath.Join(dir, artifact.Properties.TemplateFile)
		if err := readJSON(file, &stack.Template); err != nil {
			return nil, err
		}
		var a assets
		if err := readJSON(strings.TrimSuffix(file, ".template.json")+".assets.json", &a); err != nil {
			return nil, err
		}
		for _, image := range a.DockerImages {
			stack.ImagePlatforms = append(stack.ImagePlatforms, image.Source.Platform)
		}
		if stack.Warnings, err = warnings(dir, artifact.AdditionalMetadataFile); err != nil {
			return nil, err
		}
		stacks = append(stacks, stack)
	}
	slices.SortFunc(stacks, func(a, b Stack) int { return strings.Compare(a.ID, b.ID) })
	return stacks, nil
}

// warnings returns the warnings among the messages in file, sorted.
func warnings(dir, file string) ([]string, error) {
	if file == "" {
		return nil, nil
	}
	var messages map[string][]struct {
		Type string
		Data any
	}
	if err := readJSON(filepath.Join(dir, file), &messages); err != nil {
		return nil, err
	}
	var found []string
	for _, entries := range messages {
		for _, entry := range entries {
			if entry.Type == "aws:cdk:warning" {
				found = append(found, fmt.Sprint(entry.Data))
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
