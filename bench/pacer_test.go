package bench

import (
	"math"
	"runtime"
	"sync/atomic"
	"testing"

	"kbench/metrics"
)

// TestNapLetsTheClientGoFirst has a goroutine made runnable, as Send does, right before a wait: with one P, it has run by the
// end of the shortest nap, but not where nothing is waited for. One of 61 turns of the scheduler is the sender's in any case.
func TestNapLetsTheClientGoFirst(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var end atomic.Int64
	end.Store(math.MaxInt64)
	p := pacer{clock: metrics.NewClock(), stop: &atomic.Bool{}, end: &end}
	ran := func(ahead int64) (n int) {
		for range 100 {
			var done atomic.Bool
			go done.Store(true)
			p.wait(p.clock.Now() + ahead)
			if done.Load() {
				n++
			}
			for !done.Load() {
				runtime.Gosched()
			}
		}
		return n
	}
	if n := ran(2000); n < 90 {
		t.Errorf("the client went first %d times of 100", n)
	}
	if n := ran(-1); n > 50 {
		t.Errorf("%d times of 100, a sender that is late let the client go first", n)
	}
}
