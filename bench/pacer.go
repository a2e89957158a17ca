package bench

import (
	"runtime"
	"sync/atomic"

	"kbench/metrics"
)

// Go's timers are too coarse to pace by: time.Sleep wakes 0.3–0.6 ms late at the median and would bunch the records.
// So the pacer sleeps in the kernel until shortly before the time and spins for the rest.
const (
	spinNS      = 100_000   // spin for the last 100 µs: wake-ups from the kernel are rarely later
	longestNap  = 5_000_000 // look at the stop flag at least every 5 ms
	longestTurn = 1_000     // of the spinning loop, by itself
)

// pacer waits for due times on the goroutine that sends.
//
// Where it doesn't spin, it yields once before it naps. A nap keeps the sender's P until another thread takes it away, and the
// client's goroutine that Send has just made runnable waits on that P: on one processor, at 100,000/s, the response's median
// was 160 µs instead of 110, and the sender's lateness 13 µs instead of 6. What the client runs meanwhile may make the sender
// late; it was free then, so that is the generator's lateness, as it is in a nap.
//
// Note: a timer slack of 1 ns for all threads, so that the thief's usleep(3) lasts 3 µs and not 50, gained nothing beside the
// yield and nothing without it, and takes CAP_SYS_NICE: another thread's slack can only be set through /proc.
type pacer struct {
	clock *metrics.Clock
	spin  bool // more processors than producers: spinning doesn't take the time from the client
	stop  *atomic.Bool
	end   *atomic.Int64 // no record is due from here on
	cpu   int64         // ns of processor time that waiting took: the pacer's, not the client's
}

// wait returns the time: at or shortly after until, or as soon as stop is set or until turns out to lie beyond the end.
func (p *pacer) wait(until int64) int64 {
	now := p.clock.Now()
	for p.spin && until-now > spinNS && p.waits(until) {
		p.cpu += nap(min(until-now-spinNS, longestNap))
		now = p.clock.Now()
	}
	if p.spin {
		return p.spinUntil(until, now)
	}
	if until > now && p.waits(until) {
		runtime.Gosched()
		now = p.clock.Now()
	}
	for until > now && p.waits(until) {
		p.cpu += nap(min(until-now, longestNap))
		now = p.clock.Now()
	}
	return now
}

// spinUntil spins from now on. The scheduler has a P for every spinning sender besides the client's, see setProcs.
func (p *pacer) spinUntil(until, now int64) int64 {
	for until > now && p.waits(until) {
		before := now
		now = p.clock.Now()
		// One turn takes some 20 ns; after a longer one somebody else had the processor.
		if turn := now - before; turn < longestTurn {
			p.cpu += turn
		}
	}
	return now
}

// waits says whether until is still to be waited for.
func (p *pacer) waits(until int64) bool { return !p.stop.Load() && until < p.end.Load() }
