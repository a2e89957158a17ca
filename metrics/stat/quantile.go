// Package stat holds the statistics behind results: pure functions on samples and series.
package stat

import (
	"math"
	"slices"
)

// Quantile is the q-quantile (0 ≤ q ≤ 1) of a sample, by linear interpolation between order statistics:
// with h = (n−1)·q it is x[⌊h⌋] + (h−⌊h⌋)·(x[⌊h⌋+1]−x[⌊h⌋]), type 7 of Hyndman and Fan (1996), the default of R and NumPy.
// It is meant for a handful of runs; percentiles of records come from histograms. The sample is not changed.
// NaN for an empty sample, a NaN in it, or q outside 0–1.
func Quantile(sample []float64, q float64) float64 {
	if len(sample) == 0 || !(q >= 0 && q <= 1) || slices.ContainsFunc(sample, math.IsNaN) {
		return math.NaN()
	}
	x := slices.Sorted(slices.Values(sample))
	h := float64(len(x)-1) * q
	low := int(math.Floor(h))
	if low+1 >= len(x) || x[low] == x[low+1] { // equal: so that two infinities don't make a NaN
		return x[low]
	}
	return x[low] + (h-math.Floor(h))*(x[low+1]-x[low])
}

// Median is the 0.5-quantile: the middle value, or the mean of the two in the middle. NaN for an empty sample.
func Median(sample []float64) float64 { return Quantile(sample, 0.5) }
