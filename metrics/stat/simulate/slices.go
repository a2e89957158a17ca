package simulate

import (
	"math"
	"strconv"

	"kbench/metrics/stat"
)

// Values are kept as HdrHistogram with three digits keeps them: 1,024 buckets a doubling. That is the first 10 bits of a
// float's fraction.
const (
	shift   = 52 - 10
	lowest  = (1023 - 30) << 10 // bucket of 2⁻³⁰ s ≈ 1 ns
	buckets = 40 << 10          // up to 2¹⁰ s
)

// run is a simulated run: which bucket each value fell into, second by second.
type run struct {
	values []uint16
	ends   []int // of each second, in values
	counts []uint32
}

var _ stat.Slices = (*run)(nil)

// add appends a second.
func (r *run) add(second []float64) {
	for _, v := range second {
		b := min(max(int(math.Float64bits(v)>>shift)-lowest, 0), buckets-1)
		r.values = append(r.values, uint16(b))
		r.counts[b]++
	}
	r.ends = append(r.ends, len(r.values))
}

func edge(bucket int) float64 { return math.Float64frombits(uint64(bucket+lowest) << shift) }

// Len is the number of seconds.
func (r *run) Len() int { return len(r.ends) }

// Above counts the values of second i above v.
func (r *run) Above(i int, v float64) float64 {
	start := 0
	if i > 0 {
		start = r.ends[i-1]
	}
	if v < 0 {
		return float64(r.ends[i] - start)
	}
	b := min(max(int(math.Float64bits(v)>>shift)-lowest, 0), buckets-1)
	above, in := 0, 0
	for _, x := range r.values[start:r.ends[i]] {
		if int(x) > b {
			above++
		} else if int(x) == b {
			in++
		}
	}
	low, high := edge(b), edge(b+1)
	return float64(above) + float64(in)*(high-v)/(high-low)
}

// Quantile is the q-quantile of all seconds.
func (r *run) Quantile(q float64) float64 {
	rank := q * float64(len(r.values))
	seen := 0.0
	last := 0
	for b, n := range r.counts {
		if n == 0 {
			continue
		}
		last = b
		if next := seen + float64(n); next >= rank {
			low, high := edge(b), edge(b+1)
			return low + (high-low)*(rank-seen)/float64(n)
		} else {
			seen = next
		}
	}
	return edge(last + 1)
}

func trim(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
