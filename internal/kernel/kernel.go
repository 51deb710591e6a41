// Package kernel runs what uses the CDK, which jsii runs in a Node.js process of
// its own. jsii starts it by itself, with the `node` on the PATH: npx and the
// Makefile put the one there that package.json pins.
package kernel

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/aws/jsii-runtime-go"
)

// Run calls f, stops the Node.js process and removes its temporary files. When
// the user interrupts, it does that at once and ends as interrupted programs do.
func Run(f func() error) error {
	if err := findNode(); err != nil {
		return err
	}
	signals := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup has it
			signal.Notify(signals, s)
		}
	}
	var interrupted atomic.Bool
	done, finished := make(chan error, 1), make(chan struct{})
	go func() {
		defer close(finished)
		defer func() {
			// A call that is cut off panics. Nobody has to know.
			if interrupted.Load() {
				recover()
			}
		}()
		done <- f()
	}()
	select {
	case err := <-done:
		stderr := os.Stderr
		stop()
		os.Stderr = stderr
		return err
	case s := <-signals:
		interrupted.Store(true)
		stopUntil(finished)
		end(s)
		return nil
	}
}

// stopUntil stops the process until f is finished: jsii starts another one for a
// call that comes after.
func stopUntil(finished <-chan struct{}) {
	for range 100 {
		stop()
		select {
		case <-finished:
			stop()
			return
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// end ends the process by the signal, so that a shell's loop ends too.
func end(s os.Signal) {
	signal.Reset()
	if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(s) == nil {
		time.Sleep(time.Second) // until it arrives
	}
	os.Exit(1)
}

// stop stops the process and removes its temporary files, with stderr out of
// the way: jsii 1.140.0 waits for the process twice, and when the second wait
// finds it gone already, says so there although nothing is wrong.
func stop() {
	if null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
		os.Stderr = null
	}
	jsii.Close()
}

// findNode fails when jsii would not find its Node.js, of which it tells in a
// stack trace.
func findNode() error {
	if os.Getenv("JSII_RUNTIME") != "" {
		return nil
	}
	program := os.Getenv("JSII_NODE")
	if program == "" {
		program = "node"
	}
	if _, err := exec.LookPath(program); err != nil {
		return fmt.Errorf("node: found no program %q; the CDK needs Node.js: run `npm ci` and start through npx or make, or put Node.js 22 or 24 on the PATH", program)
	}
	return nil
}
