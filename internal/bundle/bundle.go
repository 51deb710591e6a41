// Package bundle writes the files of the app for clusters that are not on AWS.
package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"refdeploy/constructs/kube/manifest"
)

// A File is one file of a bundle: objects as YAML, or text.
type File struct {
	Path    string // below the bundle's directory
	Head    string // comment before the objects
	Objects []any
	Text    string
}

// Content returns what the file holds.
func (f File) Content() ([]byte, error) {
	if f.Objects == nil {
		return []byte(f.Text), nil
	}
	var b bytes.Buffer
	b.WriteString(f.Head)
	for i, object := range f.Objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		if known, ok := object.(manifest.Object); ok {
			object = *manifest.Fields(known)
		}
		document, err := yaml.Marshal(object)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Path, err)
		}
		b.Write(document)
	}
	return b.Bytes(), nil
}

// Writable fails when dir is nothing that [Write] would write to: it has to be
// new, or an empty directory.
func Writable(dir string) error {
	if dir == "" {
		return errors.New("out: got an empty name; allowed: a new directory, or an empty one")
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(dir); err == nil {
			return fmt.Errorf("out: %s is a symbolic link that leads nowhere; allowed: a new directory, or an empty one", dir)
		}
		parent := filepath.Dir(filepath.Clean(dir))
		if info, err := os.Stat(parent); err != nil || !info.IsDir() {
			return fmt.Errorf("out: cannot write %s: %s is not a directory", dir, parent)
		}
		return nil
	case err != nil:
		return fmt.Errorf("out: %w", err)
	case !info.IsDir():
		return fmt.Errorf("out: %s is not a directory; allowed: a new directory, or an empty one", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("out: %s is not empty; remove it, or choose another directory", dir)
	}
	return nil
}

// Write writes files into dir, which appears whole or not at all. It changes
// nothing in a directory that has something in it: that may be edited by hand.
func Write(dir string, files []File) error {
	if err := Writable(dir); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // the link stays
	}
	dir, err := filepath.Abs(dir) // "." has no parent to rename in
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".bundle-")
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	defer os.RemoveAll(unfinished)
	for _, file := range files {
		content, err := file.Content()
		if err != nil {
			return err
		}
		path := filepath.Join(unfinished, file.Path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("out: %w", err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return fmt.Errorf("out: %w", err)
		}
	}
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	// Go's Rename refuses a directory that is there, be it empty; Remove refuses
	// one that is no longer empty.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("out: %w", err)
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return fmt.Errorf("out: %w", err)
	}
	return nil
}

// ReadOutputs returns the outputs of a stack from the file that `cdk deploy
// --outputs-file` writes.
func ReadOutputs(path, stack string) (map[string]string, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w; write it with `npx cdk deploy %s --outputs-file %s`", err, stack, path)
	}
	var byStack map[string]map[string]string
	if err := json.Unmarshal(data, &byStack); err != nil {
		return nil, fmt.Errorf("%s: not what `cdk deploy --outputs-file` writes: %w", path, err)
	}
	outputs, ok := byStack[stack]
	if !ok {
		return nil, fmt.Errorf("%s: no outputs of %s; write them with `npx cdk deploy %s --outputs-file %s`", path, stack, stack, path)
	}
	return outputs, nil
}
