//go:build runtimes && !linux

package runtimes_test

import "testing"

func TestEveryDeploymentRunsTheApp(t *testing.T) {
	t.Skip("the containers are Linux's, so the tests run on Linux only")
}

func TestEveryDeploymentRunsAppsThatAreNotOurs(t *testing.T) {
	t.Skip("the containers are Linux's, so the tests run on Linux only")
}
