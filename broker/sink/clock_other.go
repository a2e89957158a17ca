//go:build !linux

package sink

import "time"

// clockName is what a clock's times count: ns from the clock's making, which mean nothing to other processes.
const clockName = "process"

type clock struct{ base time.Time }

// newClock starts at 1, for 0 means that something didn't happen.
func newClock() (clock, error) { return clock{time.Now().Add(-1)}, nil }

func (c *clock) now() int64 { return int64(time.Since(c.base)) }
