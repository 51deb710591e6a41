//go:build runtimes && linux

package runtimes_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"refdeploy/internal/synth"
)

// buildFunction synthesizes the stack Lambda for this machine's architecture and
// writes the zip that a deploy would upload.
func buildFunction(path string) error {
	architecture := map[string]string{"amd64": "x86_64", "arm64": "arm64"}[runtime.GOARCH]
	return synth.Quick(context.Background(), map[string]string{"stacks": "Lambda", "architecture": architecture}, func(dir string) error {
		var template struct {
			Resources map[string]struct {
				Properties struct {
					Handler string
					Code    struct{ S3Key string }
				}
			}
		}
		var assets struct {
			Files map[string]struct {
				Source struct{ Path, Packaging string }
			}
		}
		for name, into := range map[string]any{"Lambda.template.json": &template, "Lambda.assets.json": &assets} {
			data, err := os.ReadFile(filepath.Join(dir, name))
			if err == nil {
				// Other resources have properties of other types under these names.
				err = lenient(data, into)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		for _, resource := range template.Resources {
			if resource.Properties.Handler != "bootstrap" {
				continue
			}
			key := resource.Properties.Code.S3Key
			asset, ok := assets.Files[key[:len(key)-len(filepath.Ext(key))]]
			if !ok || asset.Source.Packaging != "zip" {
				return fmt.Errorf("the function's code is %s, of which Lambda.assets.json has no directory to zip", key)
			}
			source := asset.Source.Path
			if !filepath.IsAbs(source) {
				source = filepath.Join(dir, source)
			}
			return zipped(source, path)
		}
		return fmt.Errorf("the stack Lambda has no function whose handler is bootstrap")
	})
}

func lenient(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	if _, otherType := err.(*json.UnmarshalTypeError); otherType {
		return nil
	}
	return err
}

func zipped(dir, path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	writer := zip.NewWriter(file)
	if err := writer.AddFS(os.DirFS(dir)); err != nil {
		return err
	}
	return writer.Close()
}

// unzip does what Lambda does with what was uploaded.
func unzip(path, dir string) error {
	reader, err := zip.OpenReader(path)
	if err != nil {
		return err
	}
	defer reader.Close()
	return os.CopyFS(dir, reader)
}
