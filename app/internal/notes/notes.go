// Package notes keeps short notes in S3 or, without a bucket, in a directory.
package notes

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"refdeploy/app/contract"
)

var (
	// ErrNotFound says that there is no note of that key.
	ErrNotFound = errors.New("no such note")

	// ErrFull says that a new note would be one more than [contract.MaxNotes].
	ErrFull = errors.New("the store is full")

	// ErrDiskFull says that the disk, and not the number of notes, is in the way.
	ErrDiskFull = errors.New("the disk is full")
)

var key = regexp.MustCompile(fmt.Sprintf(`^[a-z0-9-]{1,%d}$`, contract.MaxKeyLength))

// ValidKey reports whether s may name a note: 1 to 64 lower-case letters,
// digits and hyphens.
func ValidKey(s string) bool { return key.MatchString(s) }

// A Note is what a list tells of a note.
type Note struct {
	Key      string    `json:"key"`
	Bytes    int64     `json:"bytes"`
	Modified time.Time `json:"modified"`
}

// A Store keeps notes. Its methods take keys that [ValidKey] accepts, and fail
// when ctx ends. A Put that fails leaves the old text, never half of the new.
type Store interface {
	// Ready returns why the store could take no note now, or nil. S3 is asked
	// for a list, because a write would cost money each time: a role that may
	// read and not write passes.
	Ready(ctx context.Context) error

	// List returns the notes, sorted by key.
	List(ctx context.Context) ([]Note, error)

	// Get returns a note's text, or [ErrNotFound].
	Get(ctx context.Context, key string) (string, error)

	// Put writes a note, whole, and reports whether it is a new one.
	// It fails with [ErrFull] when it would be one too many. Writers that race
	// for the last place may all get it: the bound is against filling up, not a
	// count to rely on.
	Put(ctx context.Context, key, text string) (created bool, err error)

	// Delete removes a note, or returns [ErrNotFound].
	Delete(ctx context.Context, key string) error
}

// A TTL is how long a note lives after it was written; 0 is for ever. A note
// that has expired is not there, whoever removes it and whenever: S3's
// lifecycle rules come once a day.
type TTL time.Duration

func (t TTL) expired(modified time.Time) bool {
	return t > 0 && time.Since(modified) >= time.Duration(t)
}

// admit decides whether a note may be written beside those that are there.
func admit(existing []Note, key string) (created bool, err error) {
	if slices.ContainsFunc(existing, func(n Note) bool { return n.Key == key }) {
		return false, nil
	}
	if len(existing) >= contract.MaxNotes {
		return false, ErrFull
	}
	return true, nil
}
