// Package project locates the files that the program runs beside: cdk.json, the
// app's source and the pinned npm packages. Synthesis reads them from the
// project's root whatever directory it was started in, because the paths of
// assets end up in the templates.
package project

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
)

// Root returns the nearest directory, from the working directory upwards, that
// holds a cdk.json.
func Root() (string, error) {
	start, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := start; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "cdk.json")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no cdk.json in %s or above it; run this inside a checkout of refdeploy", start)
		}
	}
}

// Path joins elements to [Root]. It panics outside a checkout, where nothing
// can be synthesized.
func Path(elements ...string) string {
	root, err := Root()
	if err != nil {
		panic(err)
	}
	return filepath.Join(append([]string{root}, elements...)...)
}

// Resolve returns dir itself when it is absolute, and else what it is from
// [Root], where the CDK CLI runs.
func Resolve(dir string) string {
	if filepath.IsAbs(dir) {
		return filepath.Clean(dir)
	}
	return Path(dir)
}

// Context returns the context of cdk.json: the feature flags and the settings
// kept there. The CDK CLI passes them to the app it starts; whoever synthesizes
// without the CLI has to pass them too, or gets another template.
func Context() (map[string]any, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(root, "cdk.json")
	var manifest struct{ Context map[string]any }
	if err := readJSON(path, &manifest); err != nil {
		return nil, err
	}
	if manifest.Context == nil {
		return nil, fmt.Errorf("%s: got no context; it holds the CDK's feature flags, without which the templates are others: restore it, for example with `git checkout cdk.json`", path)
	}
	return manifest.Context, nil
}

// CLIContext returns the context that belongs to the CDK CLI rather than to
// this project: what the CLI wrote to cdk.context.json, such as acknowledged
// notices, and what the user keeps in ~/.cdk.json for all projects. It goes
// behind [Context].
func CLIContext() (map[string]any, error) {
	root, err := Root()
	if err != nil {
		return nil, err
	}
	all := map[string]any{}
	if home, err := os.UserHomeDir(); err == nil {
		var user struct{ Context map[string]any }
		if err := readJSON(filepath.Join(home, ".cdk.json"), &user); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		maps.Copy(all, user.Context)
	}
	var written map[string]any
	if err := readJSON(filepath.Join(root, "cdk.context.json"), &written); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	maps.Copy(all, written)
	return all, nil
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
