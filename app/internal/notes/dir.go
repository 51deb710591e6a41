package notes

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a [Store] in a directory, one file a note. The directory is made when
// it is first written to.
type Dir string

// Ready writes a file and removes it: a directory that can be read may still
// take no note, as on a read-only root.
func (d Dir) Ready(ctx context.Context) error {
	name, err := d.temporary("")
	if err != nil {
		return err
	}
	return errors.Join(os.Remove(name), ctx.Err())
}

func (d Dir) List(ctx context.Context) ([]Note, error) {
	entries, err := os.ReadDir(string(d))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	var list []Note
	for _, entry := range entries { // sorted by name
		info, err := entry.Info()
		if err != nil || !ValidKey(entry.Name()) || !info.Mode().IsRegular() {
			continue // deleted since, a temporary file, or not ours
		}
		list = append(list, Note{Key: entry.Name(), Bytes: info.Size(), Modified: info.ModTime().UTC()})
	}
	return list, ctx.Err()
}

func (d Dir) Get(ctx context.Context, key string) (string, error) {
	data, err := os.ReadFile(filepath.Join(string(d), key))
	if errors.Is(err, fs.ErrNotExist) {
		return "", ErrNotFound
	}
	if err != nil {
		return "", err
	}
	return string(data), ctx.Err()
}

func (d Dir) Put(ctx context.Context, key, text string) (bool, error) {
	existing, err := d.List(ctx)
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
func (d Dir) write(key, text string) error {
	name, err := d.temporary(text)
	if err != nil {
		return err
	}
	if err := os.Rename(name, filepath.Join(string(d), key)); err != nil {
		os.Remove(name)
		return err
	}
	return nil
}

// temporary writes text to a new file beside the notes and returns its name,
// which is no valid key. When it fails, there is no file.
func (d Dir) temporary(text string) (name string, err error) {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return "", err
	}
	file, err := os.CreateTemp(string(d), ".new-*")
	if err != nil {
		return "", err
	}
	_, err = file.WriteString(text)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		os.Remove(file.Name())
		return "", err
	}
	return file.Name(), nil
}

func (d Dir) Delete(_ context.Context, key string) error {
	err := os.Remove(filepath.Join(string(d), key))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
