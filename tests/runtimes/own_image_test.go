//go:build runtimes && linux

package runtimes_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"refdeploy/internal/project"
	"refdeploy/tests/apps"
)

// An unpacked is what umoci unpacked of one. Its containers share the files, unless
// they may write.
type unpacked struct {
	once sync.Once
	dir  string
	err  error
}

var images = map[string]*unpacked{"python": {}, "node": {}, "static": {}}

// ownImage builds the image of an app with its own Dockerfile, once. It says why
// that cannot be done here, or "".
func ownImage(t *testing.T, app string) (dir, why string) {
	t.Helper()
	if missing != "" {
		return "", missing
	}
	image := images[app]
	image.once.Do(func() { image.dir, image.err = buildOwn(apps.Named(app).Settings["app"]) })
	if errors.As(image.err, &lack{}) {
		return "", fmt.Sprintf("the image of the %s app cannot be built here: %v", app, image.err)
	}
	require.NoError(t, image.err)
	return image.dir, ""
}

// buildOwn builds what is in a directory of this project as `cdk deploy` does, but
// on images that stand in for those of a registry.
func buildOwn(dir string) (bundle string, err error) {
	file := project.Path(dir, "Dockerfile")
	wanted, err := baseImages(file)
	if err != nil {
		return "", err
	}
	own := filepath.Join(work, filepath.Base(dir))
	if err := os.Mkdir(own, 0o755); err != nil {
		return "", err
	}
	buildah := builder(own)
	build := []string{"bud", "--isolation", "chroot", "--tag", "app", "--file", file}
	for i, name := range wanted {
		b, err := newBase(name, filepath.Join(own, fmt.Sprint("base-", i)), dir)
		if err != nil {
			return "", err
		}
		if err := b.commit(own); err != nil {
			return "", err
		}
		build = append(build, "--build-context", fmt.Sprintf("%s=container-image://localhost/%s", name, filepath.Base(b.root)))
	}
	if _, err := buildah(append(build, project.Path(dir))...); err != nil {
		return "", err
	}
	layout := filepath.Join(own, "image")
	if _, err := buildah("push", "--disable-compression", "app", "oci:"+layout+":app"); err != nil {
		return "", err
	}
	bundle = filepath.Join(own, "bundle")
	if output, err := exec.Command("umoci", "unpack", "--image", layout+":app", bundle).CombinedOutput(); err != nil {
		return "", fmt.Errorf("umoci unpack: %w\n%s", err, output)
	}
	return bundle, nil
}

// baseImages are the images that a Dockerfile begins with, as BuildKit reads it.
func baseImages(file string) (wanted []string, err error) {
	dockerfile, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer dockerfile.Close()
	parsed, err := parser.Parse(dockerfile)
	if err != nil {
		return nil, err
	}
	var stages []string
	for _, line := range parsed.AST.Children {
		if !strings.EqualFold(line.Value, "FROM") {
			continue
		}
		name := line.Next.Value
		if !slices.Contains(stages, name) && !slices.Contains(wanted, name) {
			wanted = append(wanted, name)
		}
		if as := line.Next.Next; as != nil && as.Next != nil {
			stages = append(stages, as.Next.Value)
		}
	}
	return wanted, nil
}

func TestWhatIsMissingForABaseImageIsNamed(t *testing.T) {
	only := t.TempDir()
	ldd, err := exec.LookPath("ldd")
	if err != nil {
		t.Skip(err)
	}
	require.NoError(t, os.Symlink(ldd, filepath.Join(only, "ldd")))
	for image, program := range map[string]string{"python:3": "python3", "node:24": "npm", "nginxinc/nginx-unprivileged:1": "nginx"} {
		t.Setenv("PATH", only)
		_, err := newBase(image, t.TempDir(), "some/app")
		assert.ErrorAs(t, err, &lack{}, image)
		assert.ErrorContains(t, err, program)
		t.Setenv("PATH", "")
		_, err = newBase(image, t.TempDir(), "some/app")
		assert.ErrorAs(t, err, &lack{}, image)
		assert.ErrorContains(t, err, "ldd")
	}
}

func TestABaseImageThatNothingStandsInForIsAnError(t *testing.T) {
	_, err := newBase("ruby:3", t.TempDir(), "some/app")
	assert.ErrorContains(t, err, "no base image stands in for ruby:3; teach tests/runtimes")
	file := filepath.Join(t.TempDir(), "Dockerfile")
	require.NoError(t, os.WriteFile(file, []byte("FROM a:1 AS deps\nFROM deps AS more\nFROM b:2\nFROM a:1\n"), 0o600))
	wanted, err := baseImages(file)
	require.NoError(t, err)
	assert.Equal(t, []string{"a:1", "b:2"}, wanted)
}
