//go:build !linux

package bench

import "time"

// nap sleeps for about ns nanoseconds.
func nap(ns int64) { time.Sleep(time.Duration(ns)) }
