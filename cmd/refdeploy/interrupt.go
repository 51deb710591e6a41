package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// grace is how long a run takes at most to clean up.
const grace = 5 * time.Second

// interrupted is why a context ended: the user, or the system, sent a signal.
type interrupted struct{ signal os.Signal }

func (i interrupted) Error() string { return "interrupted: " + i.signal.String() }

// interrupts returns a context that ends with the first signal to stop, so that
// whoever made a file or a process can take it back. The function ends the
// process by that signal, when it is why the run failed, so that a shell's loop
// ends too. A second signal ends at once, and so does a run that does not end.
//
// A pipe that nobody reads any more, as behind `| head`, is such a signal too.
// Caught, it is an error of the write instead of the end in its middle.
func interrupts() (context.Context, func(failure error)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		s := <-stop
		signal.Reset(os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
		cancel(interrupted{s})
		time.Sleep(grace)
		end(s)
	}()
	return ctx, func(failure error) {
		var why interrupted
		switch {
		case failure == nil:
		case errors.As(context.Cause(ctx), &why):
			end(why.signal)
		case errors.Is(failure, syscall.EPIPE):
			end(syscall.SIGPIPE)
		}
	}
}

// end ends the process by a signal.
func end(s os.Signal) {
	signal.Reset(s)
	if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(s) == nil {
		select {}
	}
	os.Exit(1)
}
