package stat

import (
	"math"
	"slices"
)

// Interval is a range that a parameter lies in with some confidence; a bound may be infinite.
type Interval struct{ Low, High float64 }

// Estimate is a value with its interval.
type Estimate struct {
	Value      float64
	Interval   Interval
	Confidence float64 // that the interval has: at least what was asked, or less where it is (−∞, ∞) for want of values
}

// HodgesLehmann estimates the centre of symmetry of a sample by the median of its Walsh averages (x_i + x_j)/2, i ≤ j,
// with the interval of those centres that WilcoxonSignedRank doesn't reject at 1 − level: from the k-th smallest to the
// k-th largest average, k the largest for which the exact distribution without ties gives at least the level. Where not
// even the whole range reaches it (5 values can't carry 95 %), the interval is infinite. NaN for an empty sample or a NaN.
func HodgesLehmann(sample []float64, level float64) Estimate {
	if len(sample) == 0 || slices.ContainsFunc(sample, math.IsNaN) {
		return noEstimate()
	}
	n := len(sample)
	averages := make([]float64, 0, n*(n+1)/2)
	for i, x := range sample {
		for _, y := range sample[i:] {
			averages = append(averages, x+(y-x)/2)
		}
	}
	var weight []float64
	if n <= exactSigned {
		ranks := make([]int, n)
		for i := range ranks {
			ranks[i] = i + 1
		}
		weight = signedWeights(ranks)
	}
	m := float64(n)
	return invert(averages, level, weight, math.Sqrt(m*(m+1)*(2*m+1)/24))
}

// HodgesLehmannShift estimates by how much values of a lie above values of b: the median of the differences a_i − b_j,
// with the interval of those shifts that MannWhitney doesn't reject at 1 − level, as for HodgesLehmann.
func HodgesLehmannShift(a, b []float64, level float64) Estimate {
	n, m := len(a), len(b)
	if n == 0 || m == 0 || slices.ContainsFunc(a, math.IsNaN) || slices.ContainsFunc(b, math.IsNaN) {
		return noEstimate()
	}
	differences := make([]float64, 0, n*m)
	for _, x := range a {
		for _, y := range b {
			differences = append(differences, x-y)
		}
	}
	var weight []float64
	all := float64(n + m)
	if float64(n)*float64(m)*all*all <= exactRankSum {
		ranks := make([]int, n+m)
		for i := range ranks {
			ranks[i] = i + 1
		}
		weight = rankSumWeights(ranks, n)[n*(n+1)/2:] // of U = rank sum − n(n+1)/2
	}
	return invert(differences, level, weight, math.Sqrt(float64(n)*float64(m)*(all+1)/12))
}

// invert takes the interval from the k-th smallest to the k-th largest of the values, whose number of values below the
// parameter has the distribution weight (symmetric over 0 … len(values)), or, where that is nil, a normal one with sd.
// With C = k−1 the level is 1 − 2·P(T ≤ C).
func invert(values []float64, level float64, weight []float64, sd float64) Estimate {
	slices.Sort(values)
	e := Estimate{Value: Median(values), Interval: Interval{math.Inf(-1), math.Inf(1)}, Confidence: 1}
	k, reached := 0, 1.0
	if weight == nil {
		k = int(float64(len(values))/2 - NormalQuantile(0.5+level/2)*sd + 0.5)
		reached = level
	} else {
		total, below := 0.0, 0.0
		for _, w := range weight {
			total += w
		}
		for c := 0; 2*c < len(values); c++ {
			below += weight[c] / total
			if 1-2*below < level-1e-12 {
				break
			}
			k, reached = c+1, 1-2*below
		}
	}
	if k >= 1 {
		e.Interval = Interval{values[k-1], values[len(values)-k]}
		e.Confidence = reached
	}
	return e
}

func noEstimate() Estimate {
	nan := math.NaN()
	return Estimate{Value: nan, Interval: Interval{nan, nan}, Confidence: nan}
}
