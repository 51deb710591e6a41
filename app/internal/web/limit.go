package web

import (
	"context"
	"errors"
	"runtime"
	"time"

	"refdeploy/app/contract"
)

// errBusy says that no slot became free.
var errBusy = errors.New("too many requests use the store")

// slots bound how many do something at once.
type slots chan struct{}

// workSlots is one for each CPU: more would share them, and the health checks'
// turn would come late.
func workSlots() slots { return make(slots, runtime.GOMAXPROCS(0)) }

// take returns whether there is a free slot now.
func (s slots) take() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) free() { <-s }

// ask lets f use the store, with one of its slots. It returns in time even when
// f ignores its context, as file systems do; the slot stays taken until f is
// back, or a disk that hangs would collect goroutines.
func ask[T any](ctx context.Context, s slots, f func(context.Context) (T, error)) (T, error) {
	var none T
	if !s.take() {
		timeout := time.NewTimer(contract.SlotTimeout)
		defer timeout.Stop()
		select {
		case s <- struct{}{}:
		case <-timeout.C:
			return none, errBusy
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, contract.StoreTimeout)
	defer cancel()
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer s.free()
		value, err := f(ctx)
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
