package sink

import (
	"time"

	"golang.org/x/sys/unix"
)

// clockName is what a clock's times count.
const clockName = ClockMonotonic

// clock tells CLOCK_MONOTONIC in ns. Go's own monotonic time is that clock with another zero, and read without a system
// call; so the zeros are compared once.
type clock struct {
	base time.Time
	zero int64 // CLOCK_MONOTONIC at base
}

// newClock compares the zeros in the narrowest of several tries: a preemption between the readings would stay in them.
func newClock() (clock, error) {
	var c clock
	best := time.Duration(1<<63 - 1)
	for range 100 {
		var ts unix.Timespec
		before := time.Now()
		if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
			return c, err
		}
		if width := time.Since(before); width < best {
			best, c.base, c.zero = width, before.Add(width/2), ts.Nano()
		}
	}
	return c, nil
}

func (c *clock) now() int64 { return c.zero + int64(time.Since(c.base)) }
