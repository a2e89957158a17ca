package metrics

import (
	"math/bits"
	"time"
)

// Clock tells the time of a run in nanoseconds since NewClock or Restart. One Clock serves the whole run, on every goroutine, so
// all its times are comparable. Where the kernel trusts the processor's time-stamp counter, the Clock reads it directly
// (about 10 ns instead of 25–60 for time.Since): a clock read per record then fits into the harness's budget.
type Clock struct {
	base  time.Time
	ticks uint64 // counter at base
	mult  uint64 // nanoseconds per tick, times 2³²; 0: use base

	made      time.Time // NewClock's first reading of both clocks
	madeTicks uint64
}

// The counter is compared with the monotonic clock over these times. Reading both takes some 50 ns, and half of that is
// what a comparison is off by: a few millionths after NewClock's, less than one after Restart's.
const (
	firstCalibration = 10 * time.Millisecond
	calibration      = 100 * time.Millisecond
)

// NewClock starts a clock at 0. It takes 10 ms where the time-stamp counter has to be calibrated.
func NewClock() *Clock {
	c := &Clock{}
	if !counterUsable() {
		c.base = time.Now()
		return c
	}
	c.base, c.ticks = readBoth()
	c.made, c.madeTicks = c.base, c.ticks
	time.Sleep(firstCalibration)
	c.calibrate()
	return c
}

// calibrate finds the counter's rate over the time since NewClock, and returns the readings.
func (c *Clock) calibrate() (now time.Time, ticks uint64) {
	now, ticks = readBoth()
	if ticks > c.madeTicks {
		// ns per tick is below 2³² for any counter faster than 1 Hz, so the quotient fits.
		elapsed := uint64(now.Sub(c.made))
		c.mult, _ = bits.Div64(elapsed>>32, elapsed<<32, ticks-c.madeTicks)
	}
	return now, ticks
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

// Restart makes this moment the clock's 0, and calibrates the counter anew over the time since NewClock: it waits until
// that is 100 ms, so that due times and rates are right to a millionth. Nobody else may use the clock meanwhile.
func (c *Clock) Restart() {
	if c.mult == 0 {
		c.base = time.Now()
		return
	}
	time.Sleep(calibration - time.Since(c.made))
	c.base, c.ticks = c.calibrate()
}

// Monotonic reads the clock and the system's CLOCK_MONOTONIC together, both in ns, to within some 100 ns. 0 and 0 where
// the system has no such clock.
func (c *Clock) Monotonic() (run, monotonic int64) {
	best := int64(-1)
	for range readings {
		before := c.Now()
		at := systemMonotonic()
		after := c.Now()
		if width := after - before; at > 0 && (best < 0 || width < best) {
			best, run, monotonic = width, before+width/2, at
		}
	}
	return run, monotonic
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

// readings is how often two clocks are read for the narrowest pair.
const readings = 20

// readBoth reads the two clocks as close together as it can: the narrowest of several tries, so that a preemption
// between the two readings doesn't end up in the calibration.
func readBoth() (now time.Time, ticks uint64) {
	best := ^uint64(0)
	for range readings {
		before := counter()
		t := time.Now()
		after := counter()
		if width := after - before; width < best {
			best, now, ticks = width, t, before+width/2
		}
	}
	return now, ticks
}
