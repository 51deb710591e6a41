// Package watch tells when a file that decides about the templates is saved.
package watch

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// settle is how long nothing may happen before a change counts as complete: an
// editor writes a file in several steps, and formats it after that.
const settle = 50 * time.Millisecond

// A Save is one change, of one file or of several.
type Save struct {
	Files []string // from the root, sorted
	At    time.Time
}

// Saves returns what is saved below root until ctx ends. It fails when the system
// cannot watch, for example because too many programs do.
func Saves(ctx context.Context, root string) (<-chan Save, error) {
	watcher, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	if err := add(watcher, root); err != nil {
		watcher.Close()
		return nil, err
	}
	saves := make(chan Save)
	go func() {
		defer close(saves)
		defer watcher.Close()
		var save Save
		var quiet <-chan time.Time
		for {
			select {
			case <-ctx.Done():
				return
			case event, ok := <-watcher.Events:
				if !ok {
					return
				}
				if info, err := os.Stat(event.Name); err == nil && info.IsDir() && event.Has(fsnotify.Create) {
					_ = add(watcher, event.Name) // gone again, or not ours to read
				}
				if !decides(event) {
					continue
				}
				if name, err := filepath.Rel(root, event.Name); err == nil && !slices.Contains(save.Files, name) {
					save.Files = append(save.Files, name)
				}
				save.At = time.Now()
				quiet = time.After(settle)
			case <-watcher.Errors: // too many events at once: what is missed comes with the next save
			case <-quiet:
				slices.Sort(save.Files)
				select {
				case saves <- save:
				case <-ctx.Done():
					return
				}
				save, quiet = Save{}, nil
			}
		}
	}()
	return saves, nil
}

// add watches dir and what is below it, but for what others write.
func add(watcher *fsnotify.Watcher, dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		switch name := entry.Name(); {
		case path != dir && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "bin" || name == "cdk.out" || name == "testdata" || name == "docs"):
			return filepath.SkipDir
		}
		if err := watcher.Add(path); err != nil {
			return fmt.Errorf("watch %s: %w", path, err)
		}
		return nil
	})
}

// decides reports whether an event changes what is synthesized: tests do not,
// and neither do permissions.
func decides(event fsnotify.Event) bool {
	if event.Op == fsnotify.Chmod {
		return false
	}
	switch name := filepath.Base(event.Name); name {
	case "cdk.json", "cdk.context.json", "go.mod", "go.sum", "package.json", "Dockerfile":
		return true
	default:
		return strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") && !strings.HasPrefix(name, ".")
	}
}
