package driver

import (
	"context"
	"sync/atomic"
	"time"
)

// settlePoll is how often Settle looks: it is called at the end of a run, when nothing is timed any more.
const settlePoll = 100 * time.Microsecond

// Settle waits until as many records are acknowledged as were handed over, for clients that can't be asked to: acked counts
// acknowledgements after the harness was told of them. The error is ctx's.
func Settle(ctx context.Context, acked *atomic.Int64, handed int64) error {
	for acked.Load() < handed {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settlePoll):
		}
	}
	return nil
}
