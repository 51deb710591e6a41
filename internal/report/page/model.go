package page

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"refdeploy/internal/bill"
	"refdeploy/internal/project"
)

//go:embed answer/*.go wasm/*.go
var sources embed.FS

// A module is the model of costs, compiled, and what runs it. Both are of one
// Go: they do not fit those of another.
type module struct {
	Runtime string // JavaScript
	Module  []byte // WebAssembly, compressed with gzip
}

// compiled returns the model. The Go that built this program's checkout builds
// it, once: it is kept under a name that says which sources and which Go it is
// of, so that it cannot be stale.
func compiled(progress io.Writer) (module, error) {
	files, err := sourceFiles()
	if err != nil {
		return module{}, err
	}
	dir, err := cacheDir()
	if err != nil {
		return module{}, err
	}
	path := filepath.Join(dir, prefix+keyOf(files))
	if m, err := readModule(path); err == nil {
		return m, nil
	}
	fmt.Fprintln(progress, "building the page's model, which later pages share …")
	m, err := build(files)
	if err != nil {
		return module{}, err
	}
	if err := keep(m, path); err != nil {
		fmt.Fprintln(progress, err)
	}
	return m, nil
}

const prefix = "page-model-"

// sourceFiles returns what the model is built from, by path in the module.
func sourceFiles() (map[string][]byte, error) {
	files := map[string][]byte{"go.mod": []byte("module refdeploy\n\ngo 1.26\n")}
	for root, source := range map[string]embed.FS{"internal/bill": bill.Source, "internal/report/page": sources} {
		err := fs.WalkDir(source, ".", func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files[root+"/"+path], err = source.ReadFile(path)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return files, nil
}

func keyOf(files map[string][]byte) string {
	hash := sha256.New()
	fmt.Fprintln(hash, runtime.Version())
	paths := make([]string, 0, len(files))
	for path := range files {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		fmt.Fprintf(hash, "%s %d\n%s", path, len(files[path]), files[path])
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}

// cacheDir is bin/ of the checkout, or the user's own cache outside of one.
func cacheDir() (string, error) {
	if root, err := project.Root(); err == nil {
		return filepath.Join(root, "bin"), nil
	}
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("html: nowhere to keep the page's model: %w", err)
	}
	return filepath.Join(dir, "refdeploy"), nil
}

// build compiles the model in a directory of its own.
func build(files map[string][]byte) (module, error) {
	tool, err := exec.LookPath("go")
	if err != nil {
		return module{}, errors.New("html: there is no go on the PATH, which builds the page's model; install Go, or choose another format")
	}
	// Without this, an interrupt ends the program before the directory is removed.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "refdeploy-page")
	if err != nil {
		return module{}, fmt.Errorf("html: %w", err)
	}
	defer os.RemoveAll(dir)
	for path, data := range files {
		path = filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return module{}, fmt.Errorf("html: %w", err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			return module{}, fmt.Errorf("html: %w", err)
		}
	}
	run := func(args ...string) (string, error) {
		cmd := exec.CommandContext(ctx, tool, args...)
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm", "GOWORK=off", "GOFLAGS=")
		output, err := cmd.CombinedOutput()
		if ctx.Err() != nil {
			return "", errors.New("html: interrupted while building the page's model")
		}
		if err != nil {
			return "", fmt.Errorf("html: go %s: %w: %s", args[0], err, strings.TrimSpace(string(output)))
		}
		return strings.TrimSpace(string(output)), nil
	}
	if _, err := run("build", "-trimpath", "-ldflags=-s -w", "-o", "model.wasm", "./internal/report/page/wasm"); err != nil {
		return module{}, err
	}
	root, err := run("env", "GOROOT")
	if err != nil {
		return module{}, err
	}
	wasm, err := os.ReadFile(filepath.Join(dir, "model.wasm"))
	if err != nil {
		return module{}, fmt.Errorf("html: %w", err)
	}
	runtime, err := os.ReadFile(filepath.Join(root, "lib", "wasm", "wasm_exec.js"))
	if err != nil {
		return module{}, fmt.Errorf("html: this Go lacks what runs WebAssembly: %w", err)
	}
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return module{}, err
	}
	if _, err := z.Write(wasm); err != nil {
		return module{}, err
	}
	if err := z.Close(); err != nil {
		return module{}, err
	}
	return module{Runtime: string(runtime), Module: b.Bytes()}, nil
}

func readModule(path string) (module, error) {
	var m module
	file, err := os.Open(path)
	if err != nil {
		return m, err
	}
	defer file.Close()
	return m, gob.NewDecoder(file).Decode(&m)
}

// keep writes the model in place of older ones, whole or not at all.
func keep(m module, path string) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	file, err := os.CreateTemp(dir, ".page-model-*")
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	defer os.Remove(file.Name()) // fails once it is renamed
	err = gob.NewEncoder(file).Encode(m)
	if closeErr := file.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("html: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, prefix+"*"))
	for _, path := range old {
		os.Remove(path)
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return fmt.Errorf("html: %w", err)
	}
	return nil
}
