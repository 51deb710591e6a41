// Package assembly reads a cloud assembly, the directory that `cdk synth`
// writes: one CloudFormation template a stack, and what is to be uploaded.
package assembly

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// A Stack is one synthesized stack.
type Stack struct {
	// ID is the stack's id in the CDK app, with the stage before it, as `cdk ls`
	// shows it: Stage/Stack.
	ID string

	// Tags are what CloudFormation puts on every resource that takes tags.
	Tags map[string]string

	// TerminationProtection refuses to delete the stack.
	TerminationProtection bool

	Template Template

	// ImagePlatforms are the platforms, such as linux/arm64, of the container
	// images that are built on deploy.
	ImagePlatforms []string

	// Annotations are what synthesis tells the user about the stack.
	Annotations []Annotation

	// DependsOn are the ids of the stacks that are deployed before this one, and
	// destroyed after it.
	DependsOn []string

	// Shares says that [Whole] added the resources of a shared stack.
	Shares bool
}

// Ours reports whether the stack is one of this project, and not somebody
// else's with the same name.
func (s Stack) Ours() bool { return s.Template.Setting("profile") != "" }

// Warnings are what the annotations warn of.
func (s Stack) Warnings() []string {
	var all []string
	for _, a := range s.Annotations {
		if a.Level == "warning" {
			all = append(all, a.Says)
		}
	}
	return all
}

// An Annotation is what synthesis tells the user about a part of a stack.
type Annotation struct{ Level, Says string }

// levels are the annotations that the CDK knows, the most urgent first.
var levels = []string{"error", "warning", "info"}

// manifest is the part of manifest.json that we read.
type manifest struct {
	Artifacts map[string]artifact
}

type artifact struct {
	Type         string
	DisplayName  string
	Dependencies []string // ids of artifacts

	// Messages by construct path stand here, or in a file beside it.
	Metadata               map[string][]message
	AdditionalMetadataFile string

	Properties struct {
		TemplateFile          string
		TerminationProtection bool
		Tags                  map[string]string
		DirectoryName         string // of a nested assembly
	}
}

type message struct {
	Type string
	Data any
}

// assets is the part of STACK.assets.json that we read.
type assets struct {
	Files map[string]struct { // by the digest that they are uploaded under
		Source struct{ Path string }
	}
	DockerImages map[string]struct {
		Source struct{ Platform string }
	}
}

const stackArtifact = "aws:cloudformation:stack"

// Read returns the stacks of the assembly in dir, and of those nested in it,
// sorted by id.
func Read(dir string) ([]Stack, error) {
	stacks, err := read(dir)
	if err != nil {
		return nil, err
	}
	if len(stacks) == 0 {
		return nil, fmt.Errorf("%s: the cloud assembly has no stacks", dir)
	}
	slices.SortStableFunc(stacks, func(a, b Stack) int { return strings.Compare(a.ID, b.ID) })
	// Two of one name would be one column. The CDK gives none, other tools may.
	seen := map[string]int{}
	for i := range stacks {
		id := stacks[i].ID
		if seen[id]++; seen[id] > 1 {
			stacks[i].ID = fmt.Sprintf("%s#%d", id, seen[id])
		}
	}
	return stacks, nil
}

// read reads the assembly in dir, and those nested in it.
func read(dir string) ([]Stack, error) {
	path := filepath.Join(dir, "manifest.json")
	var m manifest
	if err := readJSON(path, &m); err != nil {
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
			return nil, fmt.Errorf("%s: no cloud assembly (manifest.json) there; write one with `npx cdk synth --quiet`", dir)
		}
		return nil, err
	}
	if m.Artifacts == nil {
		return nil, fmt.Errorf("%s: not the manifest of a cloud assembly: it has no artifacts; write one with `npx cdk synth --quiet`", path)
	}
	var stacks []Stack
	for _, id := range slices.Sorted(maps.Keys(m.Artifacts)) {
		a := m.Artifacts[id]
		switch a.Type {
		case stackArtifact:
			stack, err := a.stack(id, dir)
			if err != nil {
				return nil, err
			}
			for _, other := range a.Dependencies {
				if m.Artifacts[other].Type == stackArtifact {
					stack.DependsOn = append(stack.DependsOn, cmp.Or(m.Artifacts[other].DisplayName, other))
				}
			}
			stacks = append(stacks, stack)
		case "cdk:cloud-assembly":
			nested := filepath.Join(dir, a.Properties.DirectoryName)
			if within, err := filepath.Rel(dir, nested); err != nil || within == "." || strings.HasPrefix(within, "..") {
				return nil, fmt.Errorf("%s: the nested assembly %s is in %q, which is not below it", path, id, a.Properties.DirectoryName)
			}
			found, err := read(nested)
			if err != nil {
				return nil, err
			}
			stacks = append(stacks, found...)
		}
	}
	return stacks, nil
}

// stack reads what belongs to a stack's artifact in dir.
func (a artifact) stack(id, dir string) (Stack, error) {
	if a.DisplayName != "" {
		id = a.DisplayName
	}
	stack := Stack{ID: id, Tags: a.Properties.Tags, TerminationProtection: a.Properties.TerminationProtection}
	file := filepath.Join(dir, a.Properties.TemplateFile)
	if err := readJSON(file, &stack.Template); err != nil {
		return Stack{}, err
	}
	var built assets
	// Only the CDK's newer synthesizers list assets.
	if err := readJSON(strings.TrimSuffix(file, ".template.json")+".assets.json", &built); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Stack{}, err
	}
	stack.Template.withNested(dir, built, []string{file})
	for _, image := range built.DockerImages {
		stack.ImagePlatforms = append(stack.ImagePlatforms, image.Source.Platform)
	}
	messages := maps.Clone(a.Metadata)
	if a.AdditionalMetadataFile != "" {
		var more map[string][]message
		if err := readJSON(filepath.Join(dir, a.AdditionalMetadataFile), &more); err != nil {
			return Stack{}, err
		}
		if messages == nil {
			messages = map[string][]message{}
		}
		maps.Copy(messages, more)
	}
	stack.Annotations = annotations(messages)
	return stack, nil
}

// annotations returns what is meant for people among the messages: the most
// urgent first, each once.
func annotations(messages map[string][]message) []Annotation {
	var found []Annotation
	for _, entries := range messages {
		for _, entry := range entries {
			level, ok := strings.CutPrefix(entry.Type, "aws:cdk:")
			a := Annotation{Level: level, Says: strings.Join(strings.Fields(fmt.Sprint(entry.Data)), " ")}
			if ok && slices.Contains(levels, level) && !slices.Contains(found, a) {
				found = append(found, a)
			}
		}
	}
	slices.SortFunc(found, func(a, b Annotation) int {
		return cmp.Or(cmp.Compare(slices.Index(levels, a.Level), slices.Index(levels, b.Level)), cmp.Compare(a.Says, b.Says))
	})
	return found
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return fmt.Errorf("%s: the file is empty; write it again with `npx cdk synth --quiet`", path)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}
