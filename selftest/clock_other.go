//go:build !linux

package selftest

import "time"

// systemClock counts from when it was made: there is nothing to compare it with here.
type systemClock struct{ base time.Time }

func newSystemClock() systemClock { return systemClock{time.Now()} }

// now is the time in ns since the clock was made.
func (c *systemClock) now() int64 { return int64(time.Since(c.base)) }
