// Package mutations breaks the templates one way at a time and records which
// check notices: `make test-mutations`. The table is in docs/contributing.md.
package mutations
