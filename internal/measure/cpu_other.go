//go:build !linux

package measure

import (
	"errors"
	"time"
)

// CPU fails: another process's time is read on Linux only.
func CPU(int) (time.Duration, error) {
	return 0, errors.New("the CPU time of a process is read on Linux only")
}
