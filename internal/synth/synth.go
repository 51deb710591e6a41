// Package synth runs the CDK app of this project as the CDK CLI would, and
// decides which settings it takes. It does not use the CDK itself: what reads
// templates starts without it.
package synth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"refdeploy/internal/catalog"
	"refdeploy/internal/project"
	"refdeploy/internal/settings"
)

// Parse returns the settings in a context as the CDK CLI hands it over: that of
// cdk.json and -c, and behind it the CLI's own. Of the latter, which ordinary
// commands such as `cdk acknowledge` write, keys that are no settings are nobody's
// mistake.
func Parse(context map[string]any) (settings.Settings, error) {
	ours, err := project.Context()
	if err != nil {
		return settings.Settings{}, err
	}
	theirs, err := project.CLIContext()
	if err != nil {
		return settings.Settings{}, err
	}
	known := map[string]bool{}
	for _, key := range settings.Keys(catalog.IDs()) {
		known[key.Name] = true
	}
	context = maps.Clone(context)
	maps.DeleteFunc(context, func(key string, value any) bool {
		_, mine := ours[key]
		written, their := theirs[key]
		// With another value it was given by -c, where it is a mistake.
		return !known[key] && !mine && their && reflect.DeepEqual(value, written)
	})
	return settings.Parse(context, catalog.IDs())
}

// Settings returns what the project's files and the given keys, which go before
// them, ask for.
func Settings(overrides map[string]string) (settings.Settings, error) {
	context, err := contextWith(overrides)
	if err != nil {
		return settings.Settings{}, err
	}
	return Parse(context)
}

func contextWith(overrides map[string]string) (map[string]any, error) {
	all, err := project.CLIContext()
	if err != nil {
		return nil, err
	}
	ours, err := project.Context()
	if err != nil {
		return nil, err
	}
	maps.Copy(all, ours)
	for key, value := range overrides {
		all[key] = value
	}
	return all, nil
}

// Quick writes a cloud assembly to a new directory and calls read with its path,
// as the CDK CLI would, but without validation and without copying assets: nobody
// deploys it. Whatever happens, and also when ctx ends meanwhile, no process and
// no file is left behind.
func Quick(ctx context.Context, overrides map[string]string, read func(dir string) error) error {
	return quick(ctx, []string{"go", "run", "."}, overrides, read)
}

// Built does as [Quick] with the CDK app that [Build] wrote.
func Built(ctx context.Context, app string, overrides map[string]string, read func(dir string) error) error {
	return quick(ctx, []string{app}, overrides, read)
}

// Build compiles the CDK app to a file. Linking is the longest part of it: the
// linker leaves out what debuggers read, and frees no memory while there is some.
func Build(ctx context.Context, app string) error {
	root, err := project.Root()
	if err != nil {
		return err
	}
	return run(ctx, root, []string{"go", "build", "-ldflags=-s -w", "-o", app, "."}, "GOGC=off", "GOMEMLIMIT=1GiB")
}

func quick(ctx context.Context, app []string, overrides map[string]string, read func(dir string) error) (err error) {
	all, err := contextWith(overrides)
	if err != nil {
		return err
	}
	all["aws:cdk:disable-asset-staging"] = true
	encoded, err := json.Marshal(all)
	if err != nil {
		return err
	}
	root, err := project.Root()
	if err != nil {
		return err
	}
	// Everything temporary goes below one directory, because a process that is
	// killed does not clean up after itself.
	work, err := os.MkdirTemp("", "refdeploy-*")
	if err != nil {
		return fmt.Errorf("TMPDIR: cannot write to the directory for temporary files: %w; create it, or set TMPDIR to one that exists", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	out, temporary := filepath.Join(work, "cdk.out"), filepath.Join(work, "tmp")
	if err := os.Mkdir(temporary, 0o700); err != nil {
		return err
	}

	path := filepath.Join(root, "node_modules", ".bin") + string(filepath.ListSeparator) + os.Getenv("PATH")
	err = run(ctx, root, app, "CDK_VALIDATION=false", "CDK_OUTDIR="+out, "CDK_CONTEXT_JSON="+string(encoded), "PATH="+path, "TMPDIR="+temporary)
	if err != nil {
		return err
	}
	return read(out)
}

// run runs a program in dir. Its error is what the program wrote.
func run(ctx context.Context, dir string, program []string, env ...string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program[0], program[1:]...)
	cmd.Dir = dir
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), env...)
	inGroup(cmd)
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("go: found no program \"go\"; synthesis compiles the CDK app: install Go, or read an assembly with --assembly DIR")
	case err != nil:
		if said := said(stderr.String()); said != "" {
			return errors.New(said)
		}
		return fmt.Errorf("synthesis: %w", err)
	}
	return nil
}

// said is what the app wrote, without what `go run` adds.
func said(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	lines = slices.DeleteFunc(lines, func(line string) bool { return strings.HasPrefix(line, "exit status ") })
	return strings.Join(lines, "\n")
}
