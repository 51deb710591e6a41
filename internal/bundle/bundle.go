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

// Write writes files into a new directory. When that is there already, or
// something fails, it changes nothing: what is there may be edited by hand.
func Write(dir string, files []File) error {
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		if err == nil {
			err = errors.New("is there already; remove it, or choose another --out")
		}
		return fmt.Errorf("%s: %w", dir, err)
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".bundle-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	for _, file := range files {
		content, err := file.Content()
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(unfinished, file.Path), content, 0o644); err != nil {
			return err
		}
	}
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return err
	}
	return os.Rename(unfinished, dir)
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
