// Package kubernetes_test applies what the EKS stacks and the bundles hold to a
// real control plane of Kubernetes. It is a module of its own, so that nobody
// who only uses the project downloads Kubernetes.
package kubernetes_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
)

// The tests run in a second process: whatever way it ends, by a panic, a time
// limit or Ctrl-C, the first one is there to stop the servers.
const kubeconfigVariable = "REFDEPLOY_TEST_KUBECONFIG"

func TestMain(m *testing.M) {
	if os.Getenv(kubeconfigVariable) != "" {
		code := m.Run()
		reportUnchecked()
		os.Exit(code)
	}
	code, err := supervise()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func supervise() (code int, err error) {
	programs, err := findPrograms()
	if err != nil {
		return 1, err
	}
	if err := os.Setenv(assetsVariable, programs.dir); err != nil { // envtest reads it
		return 1, err
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// Whoever read the output may be gone. A line to nobody must not be the end
	// of this process, but not of the servers.
	signal.Ignore(syscall.SIGPIPE)

	plane, err := start(programs)
	if err != nil {
		return 1, err
	}
	defer plane.stop()

	self, err := os.Executable()
	if err != nil {
		return 1, err
	}
	tests := exec.Command(self, os.Args[1:]...)
	tests.Stdout, tests.Stderr = os.Stdout, os.Stderr
	tests.Env = append(os.Environ(), kubeconfigVariable+"="+plane.kubeconfig)
	if err := tests.Start(); err != nil {
		return 1, err
	}
	ended := make(chan error, 1)
	go func() { ended <- tests.Wait() }()
	select {
	case <-ended:
	case <-interrupted:
		_ = tests.Process.Kill()
		<-ended
		return 1, fmt.Errorf("interrupted; the servers were stopped")
	}
	if code = tests.ProcessState.ExitCode(); code != 0 {
		plane.keepLogs()
	}
	return code, nil
}
