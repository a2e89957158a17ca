package sarama

import (
	"context"
	"time"

	"github.com/IBM/sarama"

	"kbench/driver"
)

// waiter bounds the wait for sarama's Input by max.block.ms. One timer serves a whole burst: a record is given up only if
// it waited for all of the timer's time, that is, between one and two times max.block.ms.
type waiter struct {
	maxBlock time.Duration
	blocked  error
	// The timer's own channel isn't used: a select on one reads the clock.
	timer    *time.Timer
	expired  chan struct{} // gets one value each time the timer fires
	armed    bool          // the timer runs, or its value hasn't been taken yet
	progress bool          // a record went through since the timer was started
}

func newWaiter(maxBlock time.Duration) *waiter {
	w := &waiter{
		maxBlock: maxBlock,
		blocked:  &driver.BlockedError{MaxBlockMS: maxBlock.Milliseconds(), For: "sarama's Input"},
		expired:  make(chan struct{}, 1),
	}
	w.timer = time.AfterFunc(time.Hour, func() { w.expired <- struct{}{} })
	w.timer.Stop()
	return w
}

// send waits until sarama takes m, ctx ends or max.block.ms is over.
func (w *waiter) send(ctx context.Context, input chan<- *sarama.ProducerMessage, m *sarama.ProducerMessage) error {
	for {
		if !w.armed {
			w.armed, w.progress = true, false
			w.timer.Reset(w.maxBlock)
		}
		select {
		case input <- m:
			w.progress = true
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-w.expired:
			w.armed = false
			if !w.progress {
				return w.blocked
			}
		}
	}
}

// disarm stops the timer; if it has fired, its value is on the way and is taken, so that it can't end a later wait.
func (w *waiter) disarm() {
	if w.armed && !w.timer.Stop() {
		<-w.expired
	}
	w.armed = false
}
