package web

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"time"
)

const (
	// storeSlots is how many requests use the store at once. Each costs some
	// 100 kB while it waits for S3.
	storeSlots = 64

	// slotTimeout is how long a request waits for one of them. It takes a burst
	// that the store can serve; a request that waits costs little.
	slotTimeout = time.Second

	// storeTimeout bounds a request's use of the store. With slotTimeout it is
	// shorter than what load balancers and Lambda wait for the app.
	storeTimeout = 4 * time.Second

	// readyTimeout is shorter than the timeout of a readiness probe.
	readyTimeout = 2 * time.Second
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
		timeout := time.NewTimer(slotTimeout)
		defer timeout.Stop()
		select {
		case s <- struct{}{}:
		case <-timeout.C:
			return none, errBusy
		case <-ctx.Done():
			return none, ctx.Err()
		}
	}
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
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

// statusGone is what the log says of a client that did not wait for the answer.
// It is nginx's; HTTP has none, because nobody receives it.
const statusGone = 499

// gone notes that the client has hung up, if it has.
func gone(w http.ResponseWriter, r *http.Request) bool {
	if !errors.Is(r.Context().Err(), context.Canceled) {
		return false
	}
	w.WriteHeader(statusGone)
	return true
}
