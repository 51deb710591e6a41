package web

import (
	"encoding/json"
	"net/http"
)

// problem is an RFC 9457 problem document. Without a type, the title is the
// status's own.
type problem struct {
	Title    string `json:"title"`
	Status   int    `json:"status"`
	Detail   string `json:"detail"`   // what to do about it
	Instance string `json:"instance"` // the request's id, to find it in the logs
}

func writeProblem(w http.ResponseWriter, r *http.Request, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(problem{
		Title:    http.StatusText(status),
		Status:   status,
		Detail:   detail,
		Instance: requestID(r),
	})
}

func writeJSON(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(value)
}
