//go:build runtimes

package runtimes_test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"

	"refdeploy/internal/project"
)

// An instruction of a Dockerfile, such as COPY, and what it says.
type instruction struct{ name, rest string }

// instructions reads a Dockerfile as far as this one goes: comments, lines that
// go on in the next, no here-documents.
func instructions(dockerfile string) (all []instruction) {
	whole := ""
	for line := range strings.Lines(dockerfile) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		whole += strings.TrimSuffix(line, `\`) + " "
		if !strings.HasSuffix(line, `\`) {
			name, rest, _ := strings.Cut(strings.TrimSpace(whole), " ")
			all = append(all, instruction{strings.ToUpper(name), strings.TrimSpace(rest)})
			whole = ""
		}
	}
	return all
}

var fromStage = regexp.MustCompile(`^--from=(\S+)\s+(\S+)\s+\S+$`)

// stage makes what the last stage of the Dockerfile copies from the one before,
// without that stage: its base image comes from a registry, and the tests need
// none. The program is compiled here, with the command of the Dockerfile. It
// returns the stage's name and what it holds.
func stage(dockerfile, dir string) (name string, err error) {
	all := instructions(dockerfile)
	last, compile := 0, ""
	for i, in := range all {
		switch {
		case in.name == "FROM":
			last = i
		case in.name == "RUN" && strings.Contains(in.rest, "go build"):
			compile = in.rest
		}
	}
	for _, in := range all[last:] {
		match := fromStage.FindStringSubmatch(in.rest)
		if in.name != "COPY" || match == nil {
			continue
		}
		if name != "" && name != match[1] {
			return "", fmt.Errorf("app/Dockerfile: the last stage copies from %s and from %s, expected one stage; teach tests/runtimes the other", name, match[1])
		}
		name = match[1]
		source := strings.TrimSuffix(match[2], "/")
		target := filepath.Join(dir, source)
		if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
			return "", err
		}
		switch {
		case strings.Contains(compile, "-o "+source+" "):
			err = compileAs(compile, source, target)
		case strings.HasPrefix(source, "/etc/ssl/certs/"):
			// Whose certificates these are does not matter: the tests speak plain
			// HTTP on loopback. A machine may keep its own elsewhere.
			if err = copyFile(source, target); os.IsNotExist(err) {
				err = os.WriteFile(target, nil, 0o644)
			}
		default:
			err = fmt.Errorf("app/Dockerfile: the last stage copies %s from %s; teach tests/runtimes how to make it", source, name)
		}
		if err != nil {
			return "", err
		}
	}
	if name == "" {
		return "", fmt.Errorf("app/Dockerfile: the last stage copies nothing from the one that compiles")
	}
	return name, nil
}

// mounts are options for the builder, which caches what Go keeps.
var mounts = regexp.MustCompile(`--mount=\S+\s+`)

// compileAs runs the Dockerfile's own command, with another file to write to.
func compileAs(command, source, target string) error {
	command = mounts.ReplaceAllString(command, "")
	command = strings.Replace(command, "-o "+source+" ", "-o '"+target+"' ", 1)
	cmd := exec.Command("sh", "-c", command)
	cmd.Dir = project.Path()
	cmd.Env = append(os.Environ(), "TARGETARCH="+runtime.GOARCH, "GOFLAGS=")
	if output, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("app/Dockerfile: %s: %w\n%s", command, err, output)
	}
	return nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	return target.Close()
}

// buildImage builds the image of app/Dockerfile and returns it as an OCI layout.
func buildImage(work string) (layout string, err error) {
	file := project.Path("app", "Dockerfile")
	dockerfile, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(work, "stage")
	name, err := stage(string(dockerfile), dir)
	if err != nil {
		return "", err
	}
	buildah := builder(work)
	if _, err := buildah("bud", "--isolation", "chroot", "--build-context", name+"="+dir,
		"--build-arg", "TARGETARCH="+runtime.GOARCH, "--tag", "app", "--file", file, project.Path()); err != nil {
		return "", err
	}
	layout = filepath.Join(work, "image")
	_, err = buildah("push", "app", "oci:"+layout+":app")
	return layout, err
}

// builder runs buildah with a store of its own in a directory, and returns what it
// prints.
func builder(dir string) func(args ...string) (string, error) {
	store := []string{"--root", filepath.Join(dir, "storage"), "--runroot", filepath.Join(dir, "runroot"), "--storage-driver", "vfs"}
	return func(args ...string) (string, error) {
		var stdout, stderr strings.Builder
		cmd := exec.Command("buildah", append(store, args...)...)
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			return "", fmt.Errorf("buildah %s: %w\n%s%s", strings.Join(args, " "), err, &stdout, &stderr)
		}
		return stdout.String(), nil
	}
}
