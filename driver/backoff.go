package driver

import (
	"math/rand/v2"
	"time"
)

// Backoff is Kafka's exponential backoff (KIP-580): after the n-th failure, counted from 1,
// min(max, initial·2^(n−1)·rand[0.8,1.2]). It is safe for concurrent use.
func Backoff(initial, max time.Duration) func(failures int) time.Duration {
	return func(failures int) time.Duration {
		d := float64(initial)
		for range failures - 1 {
			if d >= float64(max) {
				break
			}
			d *= 2
		}
		d *= 0.8 + 0.4*rand.Float64()
		return min(max, time.Duration(d))
	}
}
