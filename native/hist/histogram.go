// Package hist counts values in buckets: what a client measures of its batches and requests, cheap enough to count each.
package hist

import (
	"iter"
	"math/bits"
)

// Histogram counts values ≥ 0 in buckets at most a 16th of their value wide: quantiles are within 3.2 %. The zero value is
// empty. It is a plain array of 5 KB: copying it makes a snapshot. It has no lock of its own.
type Histogram struct {
	Count int64 // of values
	Sum   int64 // of values, exact
	Max   int64 // the largest value; of a difference (Since), the upper end of its bucket

	buckets [histBuckets]int64
}

const (
	histSub     = 16        // buckets for each doubling
	histShifts  = 40        // doublings from 2·histSub on
	histLimit   = 1<<45 - 1 // larger values count as this one: 9.8 hours in ns
	histBuckets = histSub * (histShifts + 2)
)

// Record counts a value; a negative one as 0. It allocates nothing and takes a few ns.
func (h *Histogram) Record(v int64) {
	v = max(0, v)
	h.Count++
	h.Sum += v
	h.Max = max(h.Max, v)
	h.buckets[bucketOf(min(v, histLimit))]++
}

// bucketOf is the index of v's bucket: of 0 to 31 the value itself, of others their five highest bits, in order.
func bucketOf(v int64) int {
	shift := max(0, bits.Len64(uint64(v))-5)
	return shift*histSub + int(v>>shift)
}

// bounds are the lowest and highest value of a bucket.
func bounds(bucket int) (low, high int64) {
	shift := max(0, bucket/histSub-1)
	low = int64(bucket-shift*histSub) << shift
	return low, low + 1<<shift - 1
}

// Mean is the mean of all values, 0 of none.
func (h *Histogram) Mean() float64 {
	if h.Count == 0 {
		return 0
	}
	return float64(h.Sum) / float64(h.Count)
}

// Quantile is a value that a share q (0 to 1) of all values doesn't exceed, the middle of its bucket; 0 without values.
func (h *Histogram) Quantile(q float64) int64 {
	rank := max(1, min(h.Count, int64(q*float64(h.Count)+0.999999)))
	for i, n := range &h.buckets {
		if rank -= n; rank <= 0 && n > 0 {
			low, high := bounds(i)
			return min((low+high)/2, h.Max)
		}
	}
	return 0
}

// Bucket is a range of values and how many were in it.
type Bucket struct {
	Low, High int64 // both included
	Count     int64
}

// Buckets goes through the buckets that hold values, in ascending order.
func (h *Histogram) Buckets() iter.Seq[Bucket] {
	return func(yield func(Bucket) bool) {
		for i, n := range &h.buckets {
			if n == 0 {
				continue
			}
			low, high := bounds(i)
			if !yield(Bucket{low, high, n}) {
				return
			}
		}
	}
}

// Add counts all values of o as well.
func (h *Histogram) Add(o *Histogram) {
	h.Count += o.Count
	h.Sum += o.Sum
	h.Max = max(h.Max, o.Max)
	for i, n := range &o.buckets {
		h.buckets[i] += n
	}
}

// Since is what was counted since an earlier snapshot of the same histogram.
func (h *Histogram) Since(earlier *Histogram) Histogram {
	d := Histogram{Count: h.Count - earlier.Count, Sum: h.Sum - earlier.Sum}
	for i := range d.buckets {
		if d.buckets[i] = h.buckets[i] - earlier.buckets[i]; d.buckets[i] > 0 {
			_, high := bounds(i)
			d.Max = min(high, h.Max)
		}
	}
	return d
}
