package measure

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// CPU returns the CPU time of a process and of all that it started.
func CPU(pid int) (time.Duration, error) {
	all := children()
	var total time.Duration
	for left := []int{pid}; len(left) > 0; left = left[1:] {
		used, err := clock(left[0])
		if err != nil {
			if left[0] == pid {
				return 0, fmt.Errorf("process %d: no CPU time of it: %w", pid, err)
			}
			continue // it has just ended, and its parent has its time
		}
		total += used
		left = append(left, all[left[0]]...)
	}
	return total, nil
}

// clock reads the CPU time of a process to the nanosecond, and that of its
// children that have ended, which only comes in ticks.
func clock(pid int) (time.Duration, error) {
	var spent unix.Timespec
	// The clock of another process, as clock_getcpuclockid(3) makes its id.
	if err := unix.ClockGettime(int32(^pid<<3|2), &spent); err != nil {
		return 0, err
	}
	fields, err := stat(pid)
	if err != nil {
		return 0, err
	}
	ticks := int64(0)
	for _, field := range fields[13:15] { // cutime, cstime
		n, _ := strconv.ParseInt(field, 10, 64)
		ticks += n
	}
	return time.Duration(spent.Nano()) + time.Duration(ticks)*time.Second/100, nil
}

// children returns the processes by their parent.
func children() map[int][]int {
	all := map[int][]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*")
	for _, path := range paths {
		pid, err := strconv.Atoi(filepath.Base(path))
		if err != nil {
			continue
		}
		if fields, err := stat(pid); err == nil {
			if parent, err := strconv.Atoi(fields[1]); err == nil {
				all[parent] = append(all[parent], pid)
			}
		}
	}
	return all
}

// stat returns what follows the program's name, which may hold anything.
func stat(pid int) ([]string, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	text := string(data)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	if len(fields) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(fields))
	}
	return fields, nil
}
