package stat

import (
	"math"
	"math/rand/v2"
	"slices"
)

// Bootstrap is the bias-corrected and accelerated (BCa) bootstrap interval of a statistic of independent values: the
// percentiles of the statistic over resamples (say 2,000) drawn with replacement, shifted for the estimate's bias (the
// share of resamples below it) and for its skewness (from leaving one value out at a time). The same seed gives the same
// interval. statistic must keep neither the slice nor its order. NaN bounds for fewer than 2 values or no resamples.
// Source: B. Efron, "Better bootstrap confidence intervals", JASA 82 (1987).
func Bootstrap(sample []float64, statistic func([]float64) float64, level float64, seed uint64, resamples int) Estimate {
	n := len(sample)
	if n < 2 || resamples < 1 {
		return noEstimate()
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	work := slices.Clone(sample)
	value := statistic(work)
	drawn := make([]float64, resamples)
	below := 0.0
	for i := range drawn {
		for j := range work {
			work[j] = sample[rng.IntN(n)]
		}
		drawn[i] = statistic(work)
		switch {
		case drawn[i] < value:
			below++
		case drawn[i] == value:
			below += 0.5
		}
	}
	// At least half a resample on either side: otherwise the shift is infinite.
	b := float64(resamples)
	z0 := NormalQuantile(math.Min(math.Max(below, 0.5), b-0.5) / b)
	a := acceleration(sample, statistic)
	e := Estimate{Value: value, Confidence: level}
	bound := func(p float64) float64 {
		z := z0 + NormalQuantile(p)
		return Quantile(drawn, normalBelow(z0+z/(1-a*z)))
	}
	e.Interval = Interval{bound((1 - level) / 2), bound((1 + level) / 2)}
	return e
}

// acceleration is Efron's a = Σ d³ / (6 (Σ d²)^1.5) with d the mean of the leave-one-out values less each of them.
func acceleration(sample []float64, statistic func([]float64) float64) float64 {
	left := make([]float64, len(sample))
	work := make([]float64, 0, len(sample))
	for i := range sample {
		work = append(append(work[:0], sample[:i]...), sample[i+1:]...)
		left[i] = statistic(work)
	}
	centre, square, cube := mean(left), 0.0, 0.0
	for _, v := range left {
		d := centre - v
		square += d * d
		cube += d * d * d
	}
	if square == 0 {
		return 0
	}
	return cube / (6 * math.Pow(square, 1.5))
}
