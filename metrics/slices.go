package metrics

import (
	"math"
	"sort"

	"kbench/metrics/stat"
)

var _ stat.Slices = (*Slices)(nil)

// Slices is a run cut into equal slices of time, one histogram each, as stat.PercentileInterval takes it. A bucket's values
// are taken to be spread evenly over it.
type Slices struct {
	parts []*Histogram
	all   *Histogram
}

// NewSlices makes Slices of histograms, which are kept; nil: nothing happened in that slice.
func NewSlices(parts []*Histogram) *Slices { return &Slices{parts, Sum(parts...)} }

// Len is the number of slices.
func (s *Slices) Len() int { return len(s.parts) }

// Above is the number of values in slice i that are above v ns.
func (s *Slices) Above(i int, v float64) float64 { return s.parts[i].above(v) }

// Quantile is the q-quantile of all slices together in ns, such that Above there counts 1−q of all values.
func (s *Slices) Quantile(q float64) float64 {
	rank, seen := q*float64(s.all.Total()), 0.0
	for i, count := range s.all.count {
		n := float64(count)
		if seen += n; seen >= rank {
			low, width := bucketRange(int(s.all.index[i]))
			return low + width*math.Min(1, 1-(seen-rank)/n)
		}
	}
	return float64(s.all.Max())
}

// above is the number of values above v, with a share of the bucket that v lies in.
func (h *Histogram) above(v float64) float64 {
	if h.Total() == 0 {
		return 0
	}
	if v < 0 {
		return float64(h.total)
	}
	edge := bucketIndex(int64(math.Min(v, float64(HighestTrackable))))
	first := sort.Search(len(h.index), func(i int) bool { return int(h.index[i]) >= edge })
	sum := 0.0
	for i := first; i < len(h.index); i++ {
		n := float64(h.count[i])
		if int(h.index[i]) == edge {
			low, width := bucketRange(edge)
			n *= math.Max(0, math.Min(1, (low+width-v)/width))
		}
		sum += n
	}
	return sum
}

// bucketRange is where a bucket begins, and how wide it is, in ns.
func bucketRange(index int) (low, width float64) {
	shift := max(0, index>>(subBits-1)-1)
	if index < halfCount {
		return float64(index), 1
	}
	return float64(int64(index&(halfCount-1)+halfCount) << shift), float64(int64(1) << shift)
}
