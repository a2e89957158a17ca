//go:build !linux

package doctor

import "time"

// setSlack has no meaning here.
func setSlack() int64 { return -1 }

// nap sleeps as exactly as Go's timers do.
func nap(d time.Duration) { time.Sleep(d) }
