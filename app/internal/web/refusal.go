package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"time"

	"refdeploy/app/contract"
	"refdeploy/app/internal/notes"
)

// A refusal is why a request was not done. What the caller causes is 4xx: 5xx
// rings the alarms that undo a release.
type refusal struct {
	status int
	retry  int    // seconds after which it may go better, or 0
	detail string // what to do about it
}

var tooLarge = &refusal{status: http.StatusRequestEntityTooLarge, detail: fmt.Sprintf("A note has %d bytes at most.", contract.MaxNoteBytes)}

// statusGone is what the log says of a client that did not wait for the answer.
// It is nginx's; HTTP has none, because nobody receives it.
const statusGone = 499

// header sets what a refusal has beside its status.
func (f *refusal) header(w http.ResponseWriter) {
	if f.retry > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(f.retry))
	}
}

// write answers with a problem document.
func (f *refusal) write(w http.ResponseWriter, r *http.Request) {
	if f.status == statusGone {
		w.WriteHeader(statusGone)
		return
	}
	f.header(w)
	writeProblem(w, r, f.status, f.detail)
}

// gone reports whether the client has hung up.
func gone(r *http.Request) bool { return errors.Is(r.Context().Err(), context.Canceled) }

func checkKey(key string) *refusal {
	if !notes.ValidKey(key) {
		return &refusal{status: http.StatusBadRequest, detail: fmt.Sprintf("A key, the name of a note, has 1 to %d lower-case letters, digits and hyphens.", contract.MaxKeyLength)}
	}
	return nil
}

// badBody is for a body that is too large or could not be read.
func badBody(err error) *refusal {
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return &refusal{status: http.StatusRequestTimeout, detail: "The request's body did not come in time."}
	default:
		return &refusal{status: http.StatusBadRequest, detail: "The request's body could not be read."}
	}
}

// refuse is for an error of the store. Details go to the log, not to strangers.
func (a *App) refuse(r *http.Request, err error) *refusal {
	switch {
	case errors.Is(err, notes.ErrNotFound):
		return &refusal{status: http.StatusNotFound, detail: "There is no such note. GET /notes lists them."}
	case errors.Is(err, notes.ErrFull):
		detail := fmt.Sprintf("There are %d notes, which is the limit. Delete one first", contract.MaxNotes)
		if a.TTL > 0 {
			detail += "; each expires after " + lifetime(a.TTL)
		}
		return &refusal{status: http.StatusConflict, detail: detail + "."}
	case errors.Is(err, errBusy):
		return &refusal{status: http.StatusServiceUnavailable, retry: 1, detail: "Too many requests use the store. Try again in a second."}
	case gone(r):
		return &refusal{status: statusGone}
	}
	a.Log.Error("store", "id", requestID(r), "error", err.Error())
	if errors.Is(err, notes.ErrDiskFull) {
		return &refusal{status: http.StatusServiceUnavailable, retry: 60, detail: "The disk that holds the notes is full. Whoever runs the app has to make room."}
	}
	return &refusal{status: http.StatusServiceUnavailable, retry: 5, detail: "The store does not answer. Try again in a few seconds."}
}

// lifetime is a TTL as one says it: a day, 36 hours, 1m30s.
func lifetime(ttl notes.TTL) string {
	d := time.Duration(ttl)
	for _, unit := range []struct {
		of        time.Duration
		one, many string
	}{{24 * time.Hour, "a day", "days"}, {time.Hour, "an hour", "hours"}, {time.Minute, "a minute", "minutes"}, {time.Second, "a second", "seconds"}} {
		switch {
		case d == unit.of:
			return unit.one
		case d%unit.of == 0:
			return fmt.Sprintf("%d %s", d/unit.of, unit.many)
		}
	}
	return d.String()
}
