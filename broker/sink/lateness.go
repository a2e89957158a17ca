package sink

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// lateness counts how late answers left, in buckets of 3 %: exact enough for a line about it, and no memory grows.
type lateness struct {
	buckets [64 << lateBits]atomic.Uint64
	max     atomic.Int64
}

// lateBits is how many binary digits after the first one tell buckets apart.
const lateBits = 5

// add counts one answer; any goroutine.
func (l *lateness) add(ns int64) {
	ns = max(ns, 0)
	l.buckets[lateBucket(uint64(ns))].Add(1)
	for {
		most := l.max.Load()
		if ns <= most || l.max.CompareAndSwap(most, ns) {
			return
		}
	}
}

// lateBucket: values below 2^lateBits have a bucket each, then every power of two has 2^lateBits of them.
func lateBucket(ns uint64) int {
	shift := max(bits.Len64(ns)-lateBits-1, 0)
	return shift<<lateBits + int(ns>>shift)
}

// lateMiddle is the middle of a bucket.
func lateMiddle(bucket int) time.Duration {
	shift := max(bucket>>lateBits-1, 0)
	low := int64(bucket-shift<<lateBits) << shift
	return time.Duration(low + (int64(1)<<shift-1)/2)
}

// errors sums up what was counted.
func (l *lateness) errors() TimingErrors {
	var counts [len(l.buckets)]uint64
	n := uint64(0)
	for i := range l.buckets {
		counts[i] = l.buckets[i].Load()
		n += counts[i]
	}
	most := time.Duration(l.max.Load())
	at := func(q float64) time.Duration {
		rank, sum := uint64(math.Ceil(q*float64(n))), uint64(0)
		for i, c := range counts {
			if sum += c; sum >= rank && c > 0 {
				return min(lateMiddle(i), most)
			}
		}
		return 0
	}
	return TimingErrors{int(n), at(.5), at(.9), at(.99), at(.999), most}
}
