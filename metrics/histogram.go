package metrics

import (
	"math"
	"math/bits"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The range and precision of every latency histogram: 1 ns to 1 h at three significant digits.
const (
	LowestTrackable   = int64(1)
	HighestTrackable  = int64(3_600_000_000_000)
	SignificantDigits = 3
)

// HdrHistogram's bucket numbering for that range: 2048 sub-buckets, 32 doublings (HdrHistogram.java, countsArrayIndex).
const (
	subBits    = 11 // 2^11 = 2048 sub-buckets ≥ 2·10³
	halfCount  = 1 << (subBits - 1)
	subMask    = 1<<subBits - 1
	bucketsLen = (64 - subBits - 22 + 2) * halfCount // up to 2^42 ns > 1 h
)

// bucketIndex is the bucket of v, 0 ≤ v ≤ HighestTrackable.
func bucketIndex(v int64) int {
	shift := 64 - subBits - bits.LeadingZeros64(uint64(v)|subMask)
	return (shift+1)<<(subBits-1) + int(v>>shift) - halfCount
}

// bucketMid is the middle of a bucket: what is reported for values in it. The error is at most half a bucket,
// 0.05 % of the value; HdrHistogram's own percentiles report the upper end.
func bucketMid(index int) int64 {
	shift := index>>(subBits-1) - 1
	sub := index&(halfCount-1) + halfCount
	if shift < 0 {
		return int64(index)
	}
	return int64(sub)<<shift + (int64(1)<<shift)>>1
}

// Histogram is a compact, finished histogram: only the buckets that hold something, in HdrHistogram's bucket numbering.
// An hour of one-second intervals fits in memory where dense HdrHistograms (270 kB each) would not.
// The zero value is empty; a nil *Histogram reads as empty.
type Histogram struct {
	index    []uint16 // ascending
	count    []uint64 // of the bucket index[i]
	total    uint64
	clipped  uint64
	sum      float64
	min, max int64 // exact
}

// Total is the number of values.
func (h *Histogram) Total() uint64 {
	if h == nil {
		return 0
	}
	return h.total
}

// Clipped is the number of values above HighestTrackable; they are counted at it.
func (h *Histogram) Clipped() uint64 {
	if h == nil {
		return 0
	}
	return h.clipped
}

// Min is the smallest value, exact; 0 when empty.
func (h *Histogram) Min() int64 {
	if h.Total() == 0 {
		return 0
	}
	return h.min
}

// Max is the largest value, exact (clipped at HighestTrackable); 0 when empty.
func (h *Histogram) Max() int64 {
	if h.Total() == 0 {
		return 0
	}
	return h.max
}

// Mean is the exact mean in nanoseconds; 0 when empty.
func (h *Histogram) Mean() float64 {
	if h.Total() == 0 {
		return 0
	}
	return h.sum / float64(h.total)
}

// Quantile is the smallest recorded value v such that at least q of all values are ≤ v, at its bucket's middle,
// never outside [Min, Max]. 0 ≤ q ≤ 1; 0 when empty.
func (h *Histogram) Quantile(q float64) int64 {
	if h.Total() == 0 {
		return 0
	}
	rank := max(1, uint64(math.Ceil(q*float64(h.total))))
	var seen uint64
	for i, n := range h.count {
		if seen += n; seen >= rank {
			return min(max(bucketMid(int(h.index[i])), h.min), h.max)
		}
	}
	return h.max
}

// HDR returns a new HdrHistogram of the same content (dense, 270 kB; the caller's own).
func (h *Histogram) HDR() *hdrhistogram.Histogram {
	out := hdrhistogram.New(LowestTrackable, HighestTrackable, SignificantDigits)
	if h == nil {
		return out
	}
	for i, n := range h.count {
		// The only error is a value out of range, which bucketMid can't give.
		_ = out.RecordValues(min(bucketMid(int(h.index[i])), HighestTrackable), int64(n))
	}
	return out
}

// Sum adds histograms up; nil ones are skipped. The parts stay as they are.
func Sum(parts ...*Histogram) *Histogram {
	var t tally
	for _, p := range parts {
		if p.Total() == 0 {
			continue
		}
		for i, n := range p.count {
			t.counts[p.index[i]] += n
		}
		t.clipped += p.clipped
		t.sum += p.sum
		if t.total == 0 || p.min < t.min {
			t.min = p.min
		}
		t.max = max(t.max, p.max)
		t.total += p.total
	}
	return t.compact()
}

// Above is the number of values in buckets that lie wholly above v.
func (h *Histogram) Above(v int64) uint64 {
	if h.Total() == 0 {
		return 0
	}
	edge, n := bucketIndex(min(max(v, 0), HighestTrackable)), uint64(0)
	for i, c := range h.count {
		if int(h.index[i]) > edge {
			n += c
		}
	}
	return n
}

// Without returns what is left of h when the values of part, all of which it holds, are taken out. Min and Max are then
// those of the buckets that remain.
func (h *Histogram) Without(part *Histogram) *Histogram {
	if part.Total() == 0 {
		return h
	}
	out := &Histogram{total: h.total - part.total, clipped: h.clipped - part.clipped, sum: h.sum - part.sum}
	j := 0
	for i, n := range h.count {
		for j < len(part.index) && part.index[j] < h.index[i] {
			j++
		}
		if j < len(part.index) && part.index[j] == h.index[i] {
			n -= part.count[j]
		}
		if n > 0 {
			out.index, out.count = append(out.index, h.index[i]), append(out.count, n)
		}
	}
	if len(out.index) > 0 {
		out.min = max(h.min, bucketMid(int(out.index[0])))
		out.max = min(h.max, bucketMid(int(out.index[len(out.index)-1])))
	}
	return out
}
