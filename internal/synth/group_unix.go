//go:build unix

package synth

import (
	"os/exec"
	"syscall"
)

// inGroup makes the command's processes a group, which is killed as a whole:
// `go run` starts the app, and the app Node.js.
func inGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
