// Package logs writes log lines without making anybody wait for their reader.
package logs

import (
	"fmt"
	"io"
	"sync"
	"time"
)

// capacity is how many bytes of lines wait for the reader at most: some 5,000
// lines.
const capacity = 1 << 20

// A Queue takes lines and writes them in the order they came. When the reader
// falls behind it drops the newest, and says how many as soon as it can: a log
// driver that blocks would else stop every request, and the shutdown.
type Queue struct {
	out  io.Writer
	wake chan struct{} // holds one when there is something to do
	done chan struct{} // closed when everything is written after Close

	mu      sync.Mutex
	lines   []byte
	dropped int
	closed  bool
}

// NewQueue returns a queue in front of out.
func NewQueue(out io.Writer) *Queue {
	q := &Queue{out: out, wake: make(chan struct{}, 1), done: make(chan struct{})}
	go q.run()
	return q
}

// Write takes a line. It never blocks and never fails.
func (q *Queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	if q.closed || len(q.lines)+len(line) > capacity {
		q.dropped++
	} else {
		q.lines = append(q.lines, line...)
	}
	q.mu.Unlock()
	q.nudge()
	return len(line), nil
}

// Close waits until the lines are written, or for as long as patience.
func (q *Queue) Close(patience time.Duration) {
	q.mu.Lock()
	q.closed = true
	q.mu.Unlock()
	q.nudge()
	select {
	case <-q.done:
	case <-time.After(patience):
	}
}

func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // it is awake
	}
}

// run writes until the queue is closed and empty. The two buffers change
// places, so that lines cost no garbage.
func (q *Queue) run() {
	defer close(q.done)
	var spare []byte
	for range q.wake {
		q.mu.Lock()
		batch, dropped, closed := q.lines, q.dropped, q.closed
		q.lines, q.dropped = spare[:0], 0
		q.mu.Unlock()
		q.out.Write(batch) // an error has nobody to go to
		if dropped > 0 {
			fmt.Fprintf(q.out, `{"time":%q,"level":"WARN","msg":"log lines dropped, their reader is too slow","lines":%d}`+"\n", time.Now().UTC().Format(time.RFC3339Nano), dropped)
		}
		if closed {
			return
		}
		spare = batch
	}
}
