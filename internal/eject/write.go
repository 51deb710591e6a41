package eject

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// Checks of what a user gives. Each error says what was given, what is allowed
// and what to do.

// stackName is what CloudFormation takes for the name of a stack (AWS
// CloudFormation API Reference, CreateStack, StackName, read 2026-11-27).
var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,127}$`)

// CheckName fails when a stack cannot have the name.
func CheckName(name string) error {
	switch {
	case !stackName.MatchString(name):
		return fmt.Errorf("name: got %q; allowed: letters, digits and hyphens, a letter first, 128 at most", name)
	case slug(name) == "aws" || slug(name) == reference:
		return fmt.Errorf("name: got %q; it begins the keys of the stack's tags, where AWS and this project have that word for themselves; take another", name)
	}
	return nil
}

// CheckModule fails when a Go module cannot have the path.
func CheckModule(path string) error {
	if err := module.CheckPath(path); err != nil {
		return fmt.Errorf("module: got %q (%w); allowed: a path such as example.com/me/service", path, errors.Unwrap(err))
	}
	if path == reference || strings.HasPrefix(path, reference+"/") {
		return fmt.Errorf("module: got %q, which is this project's; allowed: a path of your own such as example.com/me/service", path)
	}
	return nil
}

// Writable fails when nothing may be written to dir: it holds something, or it
// lies in the checkout at root, where Go, npm and git would take the project for
// a part of that.
func Writable(root, dir string) error {
	if dir == "" {
		return errors.New("dir: got an empty name; allowed: a new directory, or an empty one")
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	if rel, err := filepath.Rel(resolved(root), resolved(abs)); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return fmt.Errorf("dir: %s lies inside this checkout; allowed: a directory outside, such as ../%s", dir, filepath.Base(abs))
	}
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if _, err := os.Lstat(dir); err == nil {
			return fmt.Errorf("dir: %s is a symbolic link that leads nowhere; allowed: a new directory, or an empty one", dir)
		}
		if info, err := os.Stat(filepath.Dir(abs)); err != nil || !info.IsDir() {
			return fmt.Errorf("dir: cannot write %s: %s is not a directory", dir, filepath.Dir(abs))
		}
		return nil
	case err != nil:
		return fmt.Errorf("dir: %w", err)
	case !info.IsDir():
		return fmt.Errorf("dir: %s is not a directory; allowed: a new directory, or an empty one", dir)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	if len(entries) > 0 {
		return fmt.Errorf("dir: %s holds something; nothing is overwritten: remove it, or choose another directory", dir)
	}
	return nil
}

// resolved follows symbolic links as far as the path exists.
func resolved(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	if parent := filepath.Dir(path); parent != path {
		return filepath.Join(resolved(parent), filepath.Base(path))
	}
	return path
}

// Write makes a project and puts it into dir, which appears whole or not at all:
// it is written beside, and what was begun is removed when ctx ends.
func Write(ctx context.Context, root, dir string, o Options) (err error) {
	if err := Writable(root, dir); err != nil {
		return err
	}
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // the link stays
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	files, err := Make(ctx, root, o)
	if err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), ".eject-")
	if err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(unfinished)) }()
	if err := complete(ctx, unfinished, o, files); err != nil {
		return err
	}
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Go's Rename refuses a directory that is there, be it empty; Remove refuses
	// one that is no longer empty.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("dir: %w", err)
	}
	if err := os.Rename(unfinished, dir); err != nil {
		return fmt.Errorf("dir: %w", err)
	}
	return nil
}

// complete writes a project to dir, with the requirements that it has, and adds
// what is made there to its files.
func complete(ctx context.Context, dir string, o Options, files map[string][]byte) (err error) {
	if err := write(dir, files); err != nil {
		return err
	}
	if err := tidy(ctx, dir); err != nil {
		return err
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if files[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	if files[recordFile], err = record(o, files); err != nil {
		return err
	}
	return write(dir, map[string][]byte{recordFile: files[recordFile]})
}

func write(dir string, files map[string][]byte) error {
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return fmt.Errorf("dir: %w", err)
		}
		if err := os.WriteFile(path, text, 0o644); err != nil {
			return fmt.Errorf("dir: %w", err)
		}
	}
	return nil
}

// tidy leaves the requirements that the project's packages have, at the versions
// that go.mod names. It takes the modules from Go's cache.
func tidy(ctx context.Context, dir string) error {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	cmd.Stderr = &stderr
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("go: found no program \"go\"; it says which modules the project needs: install Go")
	case err != nil:
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return fmt.Errorf("go mod tidy: %w: %s", err, lines[len(lines)-1])
	}
	return nil
}

// recordFile holds how a project was made, and what its files were then.
const recordFile = ".eject.json"

// A Record is how a project was made.
type Record struct {
	Version  string            `json:"version"`
	Stack    string            `json:"stack"`
	Module   string            `json:"module"`
	Name     string            `json:"name"`
	Keep     bool              `json:"keepSettings,omitempty"`
	Settings map[string]string `json:"settings,omitempty"`
	Files    map[string]string `json:"files"` // SHA-256 by path
}

func record(o Options, files map[string][]byte) ([]byte, error) {
	r := Record{Version: o.Version, Stack: o.Stack, Module: o.Module, Name: o.Name, Keep: o.Keep, Settings: o.given(), Files: map[string]string{}}
	for name, text := range files {
		if name != recordFile {
			r.Files[name] = digest(text)
		}
	}
	return indented(r)
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// ReadRecord returns how the project in dir was made.
func ReadRecord(dir string) (Record, error) {
	var r Record
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return r, fmt.Errorf("dir: %s holds no project that eject wrote: %w", dir, err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return r, fmt.Errorf("dir: %s: %w", filepath.Join(dir, recordFile), err)
	}
	return r, nil
}

// A Change is a file that this version would write otherwise.
type Change struct {
	Path     string
	Was, Is  string // the project's text, and this version's; "" when there is none
	Edited   bool   // the project's text is not what was written then
	New, Old bool   // only this version has the file, or only the older one had
}

// Changes returns what this version of the reference would write otherwise than
// the one that the project in dir was made with. What only the project's owner
// changed is not among it.
func Changes(ctx context.Context, root, dir string, o Options, r Record) (changes []Change, err error) {
	o.Version = r.Version // which alone would be no change
	files, err := Make(ctx, root, o)
	if err != nil {
		return nil, err
	}
	work, err := os.MkdirTemp("", reference+"-*")
	if err != nil {
		return nil, fmt.Errorf("TMPDIR: cannot write to the directory for temporary files: %w; create it, or set TMPDIR to one that exists", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	if err := complete(ctx, work, o, files); err != nil {
		return nil, err
	}
	delete(files, recordFile)
	all := maps.Clone(r.Files)
	for name := range files {
		all[name] = r.Files[name]
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		is, made := files[name]
		if made && r.Files[name] == digest(is) || !made && r.Files[name] == "" {
			continue // whatever became of it there, this version says nothing new
		}
		was, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if bytes.Equal(was, is) {
			continue // it was taken over already
		}
		there := err == nil
		if !made && !there {
			continue
		}
		changes = append(changes, Change{
			Path: name, Was: string(was), Is: string(is), New: r.Files[name] == "", Old: !made,
			Edited: r.Files[name] != "" && r.Files[name] != digest(was),
		})
	}
	return changes, nil
}
