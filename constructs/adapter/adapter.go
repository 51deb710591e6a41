// Package adapter makes an image that Lambda can run of one that listens on a
// port: the AWS Lambda Web Adapter starts beside the app, and hands it each event
// as a request.
package adapter

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsecrassets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"

	"refdeploy/constructs/image"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
	"refdeploy/internal/versions"
)

// line is what the adapter's documentation asks to add to a Dockerfile (AWS Lambda
// Web Adapter 1.0.0, read 2026-11-27). Lambda starts what it finds there.
const line = "COPY --from=public.ecr.aws/awsguru/aws-lambda-adapter:" + versions.WebAdapter + " /lambda-adapter /opt/extensions/lambda-adapter"

// Props configures [New].
type Props struct {
	// Directory is what to build, as [image.Props] has it. Required.
	Directory string

	// Architecture is what the image is built for. Required.
	Architecture settings.Architecture
}

// New defines the image of a directory with the adapter in it. The directory stays
// as it is: what is built is a copy, of what its .dockerignore leaves, with one
// line more in the Dockerfile. Its error says what of the directory cannot be read.
func New(scope constructs.Construct, id string, props *Props) (awsecrassets.DockerImageAsset, error) {
	staged, err := os.MkdirTemp("", "refdeploy-lambda-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(staged) // the CDK copies it to cdk.out at once
	if err := Stage(project.Resolve(props.Directory), staged); err != nil {
		return nil, err
	}
	return awsecrassets.NewDockerImageAsset(scope, jsii.String(id), &awsecrassets.DockerImageAssetProps{
		Directory: jsii.String(staged),
		Platform:  image.Platform(props.Architecture),
	}), nil
}

// Stage copies a directory, as far as its .dockerignore lets, with the adapter's
// line at the end of its Dockerfile.
func Stage(dir, into string) error {
	dir, err := filepath.EvalSymlinks(dir) // a walk does not follow a link that it begins with
	if err != nil {
		return err
	}
	ignored, err := ignores(dir)
	if err != nil {
		return err
	}
	if err := copyTree(dir, into, ignored); err != nil {
		return err
	}
	dockerfile, err := os.ReadFile(filepath.Join(dir, "Dockerfile"))
	if err != nil {
		return err
	}
	adapted, err := Adapt(dockerfile)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Join(dir, "Dockerfile"), err)
	}
	target := filepath.Join(into, "Dockerfile")
	if err := os.RemoveAll(target); err != nil { // it may be a link
		return err
	}
	return os.WriteFile(target, adapted, 0o644)
}

// Adapt returns a Dockerfile with the adapter's line at its end, where the last
// stage is: what a build makes. It reads the Dockerfile as BuildKit does, before
// and after, so that the line is an instruction of its own and changes no other.
func Adapt(dockerfile []byte) ([]byte, error) {
	before, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(string(dockerfile), " \t\r\n")
	// An instruction may end in the sign that would go on with ours.
	text = strings.TrimRight(strings.TrimSuffix(text, string(before.EscapeToken)), " \t\r\n")
	adapted := []byte(text + "\n" + line + "\n")
	after, err := parser.Parse(bytes.NewReader(adapted))
	if err != nil {
		return nil, err
	}
	last := after.AST.Children[len(after.AST.Children)-1]
	if len(after.AST.Children) != len(before.AST.Children)+1 || last.Original != line {
		return nil, errors.New("its last instruction has no end: it goes on into what would follow")
	}
	return adapted, nil
}

// ignores returns what a build leaves out. A .dockerignore beside the Dockerfile
// with its name goes before the other, as for Docker.
func ignores(dir string) (*patternmatcher.PatternMatcher, error) {
	for _, name := range []string{"Dockerfile.dockerignore", ".dockerignore"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		patterns, err := ignorefile.ReadAll(bytes.NewReader(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		matcher, err := patternmatcher.New(patterns)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
		return matcher, nil
	}
	return patternmatcher.New(nil)
}

// copyTree copies files, links and directories with their permissions.
func copyTree(from, to string, ignored *patternmatcher.PatternMatcher) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil || relative == "." {
			return err
		}
		leave, err := ignored.MatchesOrParentMatches(filepath.ToSlash(relative))
		if err != nil {
			return err
		}
		// A pattern with an exclamation mark may bring back what is below. The CDK
		// leaves its own output out.
		if leave && !entry.IsDir() || entry.IsDir() && (leave && !ignored.Exclusions() || entry.Name() == "cdk.out") {
			if entry.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		target := filepath.Join(to, relative)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir():
			return os.MkdirAll(target, info.Mode().Perm()|0o700)
		case entry.Type()&fs.ModeSymlink != 0:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			return os.Symlink(link, target)
		case entry.Type().IsRegular():
			return copyFile(path, target, info.Mode().Perm())
		}
		return nil // no build has sockets or pipes
	})
}

func copyFile(from, to string, mode fs.FileMode) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode|0o200) // to be removed again
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	_, err = io.Copy(target, source)
	return err
}
