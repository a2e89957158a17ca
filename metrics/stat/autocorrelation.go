package stat

import "math"

// Autocorrelation is the sample autocorrelation of a series at a lag ≥ 0: Σ (x_t − x̄)(x_{t+lag} − x̄) / Σ (x_t − x̄)².
// 0 for a constant series or a lag beyond it.
func Autocorrelation(series []float64, lag int) float64 {
	return autocorrelation(series, mean(series), lag)
}

func autocorrelation(series []float64, centre float64, lag int) float64 {
	product, square := 0.0, 0.0
	for t, x := range series {
		square += (x - centre) * (x - centre)
		if t+lag < len(series) {
			product += (x - centre) * (series[t+lag] - centre)
		}
	}
	if square == 0 {
		return 0
	}
	return product / square
}

// EffectiveSampleSize is the number of independent values whose mean would be as certain as that of the series: n/τ with
// τ = 1 + 2·Σ ρ_k, summed as Geyer's initial positive sequence: pairs ρ_2m + ρ_2m+1 up to the first that isn't positive,
// each no larger than the one before it. Between 1 and n; n for a constant series.
// Source: C. J. Geyer, "Practical Markov chain Monte Carlo", Statistical Science 7 (1992).
func EffectiveSampleSize(series []float64) float64 {
	n := float64(len(series))
	if n == 0 {
		return 0
	}
	return math.Max(1, n/correlationTime(series))
}

// correlationTime is τ of EffectiveSampleSize, at least 1: how many values of the series count as one.
func correlationTime(series []float64) float64 { return math.Max(1, positiveSequence(series)) }

// positiveSequence is τ as it comes out; it may be below 1 where neighbours balance each other.
func positiveSequence(series []float64) float64 {
	centre := mean(series)
	tau, last := -1.0, math.Inf(1)
	for lag := 0; lag+1 < len(series); lag += 2 {
		pair := autocorrelation(series, centre, lag) + autocorrelation(series, centre, lag+1)
		if !(pair > 0) {
			break
		}
		last = math.Min(last, pair)
		tau += 2 * last
	}
	return tau
}
