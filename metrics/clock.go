package metrics

import (
	"math/bits"
	"time"
)

// Clock tells the time of a run in nanoseconds since NewClock. One Clock serves the whole run, on every goroutine, so
// all its times are comparable. Where the kernel trusts the processor's time-stamp counter, the Clock reads it directly
// (about 10 ns instead of 25–60 for time.Since): a clock read per record then fits into the harness's budget.
type Clock struct {
	base  time.Time
	ticks uint64 // counter at base
	mult  uint64 // nanoseconds per tick, times 2³²; 0: use base
}

// calibration is how long the counter is compared with the monotonic clock; the error left is a few millionths.
const calibration = 10 * time.Millisecond

// NewClock starts a clock at 0. It takes 10 ms where the time-stamp counter has to be calibrated.
func NewClock() *Clock {
	c := &Clock{}
	if !counterUsable() {
		c.base = time.Now()
		return c
	}
	c.base, c.ticks = readBoth()
	time.Sleep(calibration)
	now, ticks := readBoth()
	if ticks > c.ticks {
		// ns per tick is below 2³² for any counter faster than 1 Hz, so the quotient fits.
		elapsed := uint64(now.Sub(c.base))
		c.mult, _ = bits.Div64(elapsed>>32, elapsed<<32, ticks-c.ticks)
	}
	return c
}

// Now is the time since NewClock in nanoseconds. Counters of different processors may differ by some tens of
// nanoseconds, so a difference of two readings can be slightly negative.
func (c *Clock) Now() int64 {
	if c.mult == 0 {
		return int64(time.Since(c.base))
	}
	hi, lo := bits.Mul64(counter()-c.ticks, c.mult)
	return int64(hi<<32 | lo>>32)
}

// Restart makes this moment the clock's 0. Nobody else may use the clock meanwhile.
func (c *Clock) Restart() {
	if c.mult == 0 {
		c.base = time.Now()
		return
	}
	c.base, c.ticks = readBoth()
}

// Wall is the wall-clock time of a reading.
func (c *Clock) Wall(ns int64) time.Time { return c.base.Add(time.Duration(ns)) }

// Source names where the time comes from: "tsc" or "monotonic".
func (c *Clock) Source() string {
	if c.mult == 0 {
		return "monotonic"
	}
	return "tsc"
}

// readBoth reads the two clocks as close together as it can: the narrowest of several tries, so that a preemption
// between the two readings doesn't end up in the calibration.
func readBoth() (now time.Time, ticks uint64) {
	best := ^uint64(0)
	for range 20 {
		before := counter()
		t := time.Now()
		after := counter()
		if width := after - before; width < best {
			best, now, ticks = width, t, before+width/2
		}
	}
	return now, ticks
}
