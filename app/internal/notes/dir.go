package notes

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"refdeploy/app/contract"
)

const (
	// temporary begins the names of files that are being written. No key does.
	temporary = ".new-"

	// abandoned is the age at which such a file is what a crash has left.
	abandoned = time.Minute

	sweepEvery = time.Minute
)

// Dir is a [Store] in a directory, one file a note. The directory is made when
// it is first written to.
type Dir struct {
	Path string
	TTL  TTL

	// changing keeps an expired note's removal from taking the one that replaces
	// it.
	changing sync.Mutex
}

// Sweep removes what has expired, and what crashes left, until ctx ends: nobody
// may ask for the notes, and they would stay on the disk.
func (d *Dir) Sweep(ctx context.Context) {
	for ctx.Err() == nil {
		d.List(ctx)
		select {
		case <-time.After(sweepEvery):
		case <-ctx.Done():
		}
	}
}

// Ready writes the largest note there may be and removes it: a directory that
// can be read may still take no note, as on a read-only root or a full disk.
func (d *Dir) Ready(ctx context.Context) error {
	name, err := d.stage(strings.Repeat("x", contract.MaxNoteBytes))
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(name), ctx.Err())
}

func (d *Dir) List(ctx context.Context) ([]Note, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	return d.list(ctx)
}

// list removes what has expired, and what a crash has left.
func (d *Dir) list(ctx context.Context) ([]Note, error) {
	entries, err := os.ReadDir(d.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var list []Note
	for _, entry := range entries { // sorted by name
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // deleted since, or not ours
		}
		name := filepath.Join(d.Path, entry.Name())
		switch {
		case strings.HasPrefix(entry.Name(), temporary) && time.Since(info.ModTime()) > abandoned:
			os.Remove(name)
		case !ValidKey(entry.Name()):
		case d.TTL.expired(info.ModTime()):
			os.Remove(name)
		default:
			list = append(list, Note{Key: entry.Name(), Bytes: info.Size(), Modified: info.ModTime().UTC()})
		}
	}
	return list, ctx.Err()
}

func (d *Dir) Get(ctx context.Context, key string) (string, error) {
	name := filepath.Join(d.Path, key)
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", ErrNotFound
	case err != nil:
		return "", err
	case !info.Mode().IsRegular() || d.TTL.expired(info.ModTime()):
		return "", ErrNotFound
	}
	file, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) { // deleted since
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, contract.MaxNoteBytes))
	return string(data), errors.Join(err, ctx.Err())
}

func (d *Dir) Put(ctx context.Context, key, text string) (bool, error) {
	d.changing.Lock()
	defer d.changing.Unlock()
	existing, err := d.list(ctx)
	if err != nil {
		return false, err
	}
	created, err := admit(existing, key)
	if err != nil {
		return false, err
	}
	return created, d.write(key, text)
}

// write replaces the file at once: a reader, or a crash, meets the old text or
// the new one.
func (d *Dir) write(key, text string) error {
	name, err := d.stage(text)
	if err != nil {
		return err
	}
	if err := os.Rename(name, filepath.Join(d.Path, key)); err != nil {
		os.Remove(name)
		return full(err)
	}
	return nil
}

// stage writes text to a new file beside the notes and returns its name, which
// is no valid key. When it fails, there is no file.
func (d *Dir) stage(text string) (name string, err error) {
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return "", full(err)
	}
	file, err := os.CreateTemp(d.Path, temporary+"*")
	if err != nil {
		return "", full(err)
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(file.Name())
		return "", full(err)
	}
	return file.Name(), nil
}

// full says so when err is a disk or a quota without room.
func full(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return errors.Join(ErrDiskFull, err)
	}
	return err
}

func (d *Dir) Delete(ctx context.Context, key string) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	if _, err := d.Get(ctx, key); err != nil {
		return err
	}
	err := os.Remove(filepath.Join(d.Path, key))
	if errors.Is(err, fs.ErrNotExist) { // another process was faster
		return ErrNotFound
	}
	return err
}
