// Package eject takes every deployment home, compiles and tests the projects where
// nothing of this one is beside them, and compares their templates with those
// here: `make test-eject`.
package eject
