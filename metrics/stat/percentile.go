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

// What a run needs so that its interval is printed, and how its variance is corrected: found by simulation (package
// simulate), as the values at which the intervals that are printed cover the truth as often as they say.
const (
	leastSlices      = 40  // slices: in fewer, correlation that matters can't be seen
	needsSlices      = 30  // slices that count as independent …
	needsSlicesMore  = 2   // … and so many more for each slice by which the correlation time is above 1: it is less certain
	needsExceedances = 26  // independent values beyond the percentile
	widerTimes       = 4   // exceedances are judged where they are 4 × as many, too
	timeBias         = 4   // correlation times are estimated too short by a share of about 4·(τ−1)/n
	timeGrowth       = 1.3 // … and what is left above 1 counts more: runs whose τ came out small are the ones printed
	leastTime        = 0.8 // slices that balance each other may count as a few more than they are
	skewOfCount      = -2  // skewness of the studentised count of exceedances, in units of sd/mean
)

// PercentileInterval is the interval that the steady-state q-quantile (0 < q < 1) lies in with the given level of
// confidence. Not supported means that this run can't say; then needs is about the number of slices that could, more if
// the load gets less regular, and 0 when supported; +Inf for a q that no run can carry.
//
// An interval of order statistics takes values to be independent, and covers the truth 41, 11, 4 % of the time behind
// queues at ρ 0.5, 0.8, 0.95. Means of batches' percentiles are biased where a batch has few values beyond them. So the
// question is turned round: at the true percentile v, the number of values above v, Σ x_i over slices i, has the known
// mean (1−q)·n, whatever the load does within it. Its variance is Σ x_i² · n_slices/(n_slices−1) · τ, where x_i is less its
// own mean (1−q)·n_i and τ is the slices' correlation time, both taken at the run's own percentile; the counts that are
// within Student's t of the mean (corrected for skewness) give two quantiles of the merged values: Q(1 − count/n). Nothing
// is assumed about the density there, so a gap between two modes is spanned as it should be.
//
// Whether to print mustn't hang on the luck of the same extreme values that are printed: a run that happened to miss the
// rare long stalls looks regular. So support is judged by the larger of what the percentile, one with 4 × as many values
// above it (no lower than the median, or itself where it is below that), and the median say.
//
// Note: estimating the percentile per batch, with Student's t over ≥ 12 batches on the log scale, was tried by others and
// covers 86–94 %.
func PercentileInterval(s Slices, q, level float64) (iv Interval, supported bool, needs float64) {
	n := s.Len()
	if !(q > 0 && q < 1) {
		return Interval{}, false, math.Inf(1)
	}
	counts, total := make([]float64, n), 0.0
	for i := range counts {
		counts[i] = s.Above(i, -1)
		total += counts[i]
	}
	if n < 4 || total == 0 {
		return Interval{}, false, leastSlices
	}
	at := func(q float64) exceedances { return exceed(s, counts, q) }
	here := at(q)
	wider, middle := at(math.Max(1-widerTimes*(1-q), math.Min(q, 0.5))), at(0.5)
	if needs := support(here, wider, middle); needs > 0 {
		return Interval{}, false, math.Max(needs, float64(n+1))
	}
	low, high := here.bounds(total, level)
	if !(low > 0 && high < total) { // a level so high that the bound would be beyond all values
		return Interval{}, false, float64(2 * n)
	}
	return Interval{s.Quantile(1 - high/total), s.Quantile(1 - low/total)}, true, 0
}

// exceedances are how many values of each slice lie above the run's own q-quantile, less what is expected.
type exceedances struct {
	q        float64
	n        float64 // slices
	mean     float64 // values beyond the quantile in the run, on its rarer side
	time     float64 // τ: slices that count as one
	lag      float64 // the same from the first autocorrelation alone
	variance float64 // of the run's number of values above the quantile
}

func exceed(s Slices, counts []float64, q float64) exceedances {
	v := s.Quantile(q)
	e := exceedances{q: q, n: float64(len(counts))}
	x, total, square := make([]float64, len(counts)), 0.0, 0.0
	for i, count := range counts {
		x[i] = s.Above(i, v) - (1-q)*count
		square += x[i] * x[i]
		total += count
	}
	e.mean = math.Min(q, 1-q) * total
	e.time, e.lag = sliceTime(x), lagTime(x)
	e.variance = square * e.n / (e.n - 1) * e.time
	return e
}

// sliceTime is the correlation time of slices, corrected for its bias: with τ the sum of their initial positive sequence
// (EffectiveSampleSize) but n/8 at most, 1 + (τ/(1 − timeBias·(τ−1)/n) − 1)·timeGrowth, or τ where it is 1 or less.
func sliceTime(x []float64) float64 {
	n := float64(len(x))
	tau := math.Min(positiveSequence(x), n/8)
	if tau <= 1 {
		return math.Max(leastTime, tau)
	}
	return 1 + (tau/(1-timeBias*(tau-1)/n)-1)*timeGrowth
}

// lagTime is the correlation time (1+φ)/(1−φ) of an AR(1) series with the slices' first autocorrelation, to which its bias
// (1+3φ)/n is added back. Where there are few slices it is the steadier estimate.
// Source of the bias: M. G. Kendall, "Note on bias in the estimation of autocorrelation", Biometrika 41 (1954).
func lagTime(x []float64) float64 {
	n := float64(len(x))
	phi := Autocorrelation(x, 1)
	phi = math.Min(phi+(1+3*phi)/n, 0.98)
	return (1 + phi) / (1 - phi)
}

// support is 0 where the run supports an interval here, and otherwise about the number of slices that it would take.
func support(here, wider, middle exceedances) float64 {
	tau := math.Max(1, max(wider.time, middle.time, wider.lag, middle.lag))
	tau = math.Min(tau, here.n/4) // where slices hang together for so long, their number says no more than that
	needed := math.Max(leastSlices, tau*(needsSlices+needsSlicesMore*(tau-1)))
	// variance/mean is the size of a cluster: how many values beyond the quantile come together.
	cluster := math.Max(here.variance/here.mean, wider.variance/wider.mean)
	independent := here.mean / cluster
	needed = math.Max(needed, here.n*needsExceedances/independent)
	if here.n >= needed {
		return 0
	}
	return math.Ceil(needed)
}

// bounds are the numbers of values above the true quantile that the run is compatible with, of total values: the expected
// number ± t·sd, shifted for skewness. The freedom of t is n/(1 + 2(τ−1)) − 1, 3 at least: slices that hang together tell
// less of their own variance, too.
func (e exceedances) bounds(total, level float64) (low, high float64) {
	freedom := math.Max(3, e.n/(1+2*math.Max(0, e.time-1))-1)
	t := StudentQuantile(0.5+level/2, freedom)
	sd := math.Sqrt(e.variance)
	// Cornish and Fisher's first correction: γ/6·(t²−1) with γ = skewOfCount·sd/mean. The count itself is skewed to the
	// right, but where few and small clusters came, their variance is estimated too small as well, and that weighs more.
	skew := skewOfCount * sd / e.mean / 6 * (t*t - 1)
	if e.q < 0.5 { // the rarer side is below
		skew = -skew
	}
	expected := (1 - e.q) * total
	return expected + sd*(skew-t), expected + sd*(skew+t)
}
