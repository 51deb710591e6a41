//go:build !unix

package measure

import "os/exec"

// There are no groups of processes, and no SIGTERM.
func inGroup(*exec.Cmd)       {}
func terminate(cmd *exec.Cmd) { _ = cmd.Process.Kill() }
func kill(cmd *exec.Cmd)      { _ = cmd.Process.Kill() }
