package main

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// standardOutput is the name that stands for it.
const standardOutput = "-"

// mostLinks is how many symbolic links lead to a file at most, as for Linux.
const mostLinks = 40

// writable fails when path is nothing that [write] would write to, so that
// nobody waits for a synthesis in vain.
func writable(path string) error {
	if path == standardOutput {
		return nil
	}
	_, _, err := target(path)
	return err
}

// write calls f with the file at path, or with stdout. The file appears whole or
// not at all. One that exists keeps its mode.
func write(stdout io.Writer, path string, f func(io.Writer) error) error {
	if path == standardOutput {
		return f(stdout)
	}
	path, mode, err := target(path)
	if err != nil {
		return err
	}
	var content bytes.Buffer
	if err := f(&content); err != nil {
		return err
	}
	temporary := filepath.Join(filepath.Dir(path), ".refdeploy-"+rand.Text())
	err = os.WriteFile(temporary, content.Bytes(), 0o666) // less what the user's umask takes
	if err == nil && mode != 0 {
		err = os.Chmod(temporary, mode)
	}
	if err == nil {
		err = os.Rename(temporary, path)
	}
	if err != nil {
		os.Remove(temporary)
		return fmt.Errorf("out: %w", err)
	}
	return nil
}

// target returns the file that path leads to, and the mode that it has, or 0
// while it does not exist. It fails when that is no file that may be replaced: a
// rename would put a file in the place of a device, and of a symbolic link.
func target(path string) (string, fs.FileMode, error) {
	given := path
	if path == "" {
		return "", 0, fmt.Errorf("out: got an empty name; allowed: a file, or %s for standard output", standardOutput)
	}
	// What is behind /dev/stdout has no name that one could follow.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return "", 0, fmt.Errorf("out: %s is %s; allowed: a file, or %s for standard output", given, kind(info.Mode()), standardOutput)
	}
	for range mostLinks {
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
				return "", 0, fmt.Errorf("out: cannot write %s: %s is not a directory", given, filepath.Dir(path))
			}
			return path, 0, nil
		case err != nil:
			return "", 0, fmt.Errorf("out: %w", err)
		case info.Mode()&fs.ModeSymlink == 0:
			return path, info.Mode().Perm(), replaceable(path)
		}
		link, err := os.Readlink(path)
		if err != nil {
			return "", 0, fmt.Errorf("out: %w", err)
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", 0, fmt.Errorf("out: %s leads through more than %d symbolic links", given, mostLinks)
}

// replaceable fails when the user may not write to the file. A rename would not
// ask: it needs the directory's permission only.
func replaceable(path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("out: %w", err)
	}
	return file.Close()
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a directory"
	case mode&fs.ModeDevice != 0:
		return "a device"
	case mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	}
	return "not a file"
}
