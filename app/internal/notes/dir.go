package notes

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a [Store] in a directory, one file a note. The directory is made with
// the first note.
type Dir string

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
// the new one. The temporary name is no valid key.
func (d Dir) write(key, text string) error {
	if err := os.MkdirAll(string(d), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(string(d), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(file.Name()) // fails once it is renamed
	if _, err := file.WriteString(text); err != nil {
		file.Close()
		return err
	}
	if err := file.Sync(); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	return os.Rename(file.Name(), filepath.Join(string(d), key))
}

func (d Dir) Delete(_ context.Context, key string) error {
	err := os.Remove(filepath.Join(string(d), key))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}
