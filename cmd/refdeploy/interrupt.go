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
// A pipe that nobody reads any more, as behind `| head`, ends the program while
// it writes to standard output: by then there is nothing to take back.
func interrupts() (context.Context, func(failure error)) {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := make(chan os.Signal, 1)
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		if !signal.Ignored(s) { // as nohup has it
			signal.Notify(stop, s)
		}
	}
	go func() {
		s := <-stop
		signal.Reset()
		cancel(interrupted{s})
		time.Sleep(grace)
		end(s)
	}()
	return ctx, func(failure error) {
		var why interrupted
		if failure != nil && errors.As(context.Cause(ctx), &why) {
			end(why.signal)
		}
	}
}

// end ends the process by a signal.
func end(s os.Signal) {
	if self, err := os.FindProcess(os.Getpid()); err == nil && self.Signal(s) == nil {
		time.Sleep(time.Second) // until it arrives
	}
	os.Exit(1)
}
