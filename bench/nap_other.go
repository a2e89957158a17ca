//go:build !linux

package bench

import "time"

// nap sleeps for about ns nanoseconds. What it costs isn't known here.
func nap(ns int64) (cpu int64) {
	time.Sleep(time.Duration(ns))
	return 0
}
