package stat

import "math"

// Slices is a run cut into equal slices of time, each with the values (latencies, 0 or more) that fell into it.
type Slices interface {
	// Len is the number of slices.
	Len() int
	// Above is the number of values in slice i that are above v; a negative v counts all. Where values are kept in
	// buckets, the one that v falls into counts in proportion, so that Above falls continuously.
	Above(i int, v float64) float64
	// Quantile is the q-quantile of all slices together, interpolated within a bucket in the same way.
	Quantile(q float64) float64
}

// PercentileInterval is the interval that the steady-state q-quantile lies in with the given level of confidence.
// Not supported means that this run can't say; then needs is the estimated number of slices that could, 0 when supported.
func PercentileInterval(s Slices, q, level float64) (iv Interval, supported bool, needs float64) {
	n := s.Len()
	v := s.Quantile(q)
	x := make([]float64, n)
	total := 0.0
	for i := range x {
		count := s.Above(i, -1)
		x[i] = s.Above(i, v) - (1-q)*count
		total += count
	}
	if n < 12 || total == 0 {
		return Interval{}, false, 12
	}
	m0 := (1 - q) * total
	square := 0.0
	for _, d := range x {
		square += d * d
	}
	variance := square * float64(n) / float64(n-1) * correlationTime(x)
	if k := m0 * m0 / variance; k < 15 {
		return Interval{}, false, math.Ceil(float64(n) * 15 / k)
	}
	t := StudentQuantile(0.5+level/2, float64(n-1)) * math.Sqrt(variance)
	return Interval{s.Quantile(1 - (m0+t)/total), s.Quantile(1 - (m0-t)/total)}, true, 0
}
