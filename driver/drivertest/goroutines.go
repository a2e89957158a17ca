package drivertest

import (
	"runtime"
	"testing"
	"time"
)

// goroutines checks that nothing of the client is left after Close.
func (s *suite) goroutines(t *testing.T) {
	c := newCluster(t)
	cfg := s.config(t, c, nil)
	use := func() {
		h := open(t, s.d, cfg)
		recs := numbered(100, 100)
		h.mustSend(recs, 10)
		h.flush()
		if err := h.session.Producer.Close(); err != nil {
			t.Fatal(err)
		}
	}
	use() // starts what the process keeps for ever, such as the runtime's own helpers
	before := settledGoroutines(0)
	for range 3 {
		use()
	}
	if after := settledGoroutines(before); after > before {
		buf := make([]byte, 1<<20)
		t.Errorf("%d goroutines before, %d after three sessions:\n%s", before, after, buf[:runtime.Stack(buf, true)])
	}
}

// settledGoroutines waits until at most want goroutines are left, or their number hasn't fallen for a while.
func settledGoroutines(want int) int {
	least, since := runtime.NumGoroutine(), 0
	for least > want && since < 50 {
		time.Sleep(10 * time.Millisecond)
		if n := runtime.NumGoroutine(); n < least {
			least, since = n, 0
		} else {
			since++
		}
	}
	return least
}
