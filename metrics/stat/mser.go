package stat

import (
	"math"
	"slices"
)

// mserBatch is the number of observations in a batch: the 5 of MSER-5.
const mserBatch = 5

// MSER5 says how many observations to cut from the start of a series so that what remains is steady, by the marginal
// standard error rule on means of 5: of the k = ⌊n/5⌋ batch means Y it drops the first d, where d makes
// Σ_{i>d} (Y_i − Ȳ_d)² / (k−d)² smallest, Ȳ_d being the mean of those that remain; the first such d where several tie.
// It returns 5·d, or −1 where the series hasn't settled: d is above k/2, there are fewer than 5 batches, or a batch has a
// value that isn't finite. As the last few batches would always look steady, d is searched up to k−5 (up to k/2+1 where
// k < 12); the last batch alone has no spread at all, so that of 4 batches it would always win.
// A remainder of n mod 5 observations at the end takes no part.
// Source: K. P. White, M. J. Cobb, S. C. Spratt, "A comparison of five steady-state truncation heuristics", WSC 2000.
func MSER5(series []float64) int {
	y := batchMeans(series)
	k := len(y)
	if k < 5 || slices.ContainsFunc(y, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
		return -1
	}
	best, at := math.Inf(1), -1
	for d := 0; d <= max(k-5, k/2+1); d++ {
		if se := marginalError(y[d:]); se < best {
			best, at = se, d
		}
	}
	if at < 0 || at > k/2 {
		return -1
	}
	return at * mserBatch
}

// batchMeans are the means of each whole batch of the series.
func batchMeans(series []float64) []float64 {
	y := make([]float64, 0, len(series)/mserBatch)
	for ; len(series) >= mserBatch; series = series[mserBatch:] {
		y = append(y, mean(series[:mserBatch]))
	}
	return y
}

// marginalError is Σ (y_i − ȳ)² / n².
func marginalError(y []float64) float64 {
	centre, sum := mean(y), 0.0
	for _, v := range y {
		sum += (v - centre) * (v - centre)
	}
	return sum / float64(len(y)) / float64(len(y))
}

func mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}
