//go:build runtimes && linux

package runtimes_test

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What the tests share, made once.
var (
	work     string // a directory that goes away with the tests
	image    string // the OCI layout of the image
	function string // the zip of the function

	// missing is why no container can run here, or "".
	missing string
)

func TestMain(m *testing.M) {
	code, err := prepare(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func prepare(m *testing.M) (code int, err error) {
	if missing = lacks(); missing != "" {
		fmt.Println("no container is run:", missing)
		return m.Run(), nil
	}
	if work, err = os.MkdirTemp("", "refdeploy-runtimes-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(work)
	syscall.Umask(0o022) // every user reads what is in an image
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupted
		leave()
		os.Exit(1)
	}()
	if image, err = buildImage(work); err != nil {
		return 1, err
	}
	function = filepath.Join(work, "function.zip")
	if err := buildFunction(function); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// leave removes what an interrupted run has made: its containers, and then the
// directory that runc knows them by.
func leave() {
	root := filepath.Join(work, "runc")
	containers, _ := os.ReadDir(root)
	for _, c := range containers {
		_ = exec.Command("runc", "--root", root, "delete", "--force", c.Name()).Run()
	}
	_ = os.RemoveAll(work)
}

// lacks says what this machine has to get before it can run a container.
func lacks() string {
	var absent []string
	for _, tool := range []string{"buildah", "runc", "umoci"} {
		if _, err := exec.LookPath(tool); err != nil {
			absent = append(absent, tool)
		}
	}
	switch {
	case len(absent) > 0:
		return fmt.Sprintf("not installed: %s; on Debian and Ubuntu: apt-get install buildah runc umoci", strings.Join(absent, ", "))
	case os.Geteuid() != 0:
		return "only root may give a container a memory limit and a network of its own; run make test-runtimes as root"
	}
	return ""
}
