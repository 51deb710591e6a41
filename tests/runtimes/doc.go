// Package runtimes holds the tests that build the app's image, and those of apps
// that are not ours, and run them as each deployment's template says, in
// containers on this machine: `make test-runtimes`. What they prove, and what only an account can show, is in
// docs/proof.md.
package runtimes
