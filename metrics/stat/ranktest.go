package stat

import "math"

// TestResult is the outcome of a rank test.
type TestResult struct {
	Statistic float64 // sum of the ranks of positive differences (W⁺), or Mann–Whitney's U of the first sample
	P         float64 // two-sided p-value; 1 where there is nothing to test
	Less      float64 // one-sided p-value of "smaller": differences below 0, or the first sample below the second
	Greater   float64 // one-sided p-value of "greater"
	Exact     bool    // from the permutation distribution; otherwise a normal approximation
}

// twoSided fills in P: twice the smaller of the two one-sided values, at most 1.
func (r TestResult) twoSided() TestResult {
	r.P = math.Min(1, 2*math.Min(r.Less, r.Greater))
	return r
}

// normalTest is the approximation of a rank statistic by a normal distribution with that mean and variance, with a
// correction for continuity of half a step of the statistic.
func normalTest(statistic, mean, variance float64) TestResult {
	r := TestResult{Statistic: statistic, P: 1, Less: 1, Greater: 1}
	if variance <= 0 {
		return r
	}
	sd := math.Sqrt(variance)
	r.Less = normalBelow((statistic - mean + 0.5) / sd)
	r.Greater = normalBelow(-(statistic - mean - 0.5) / sd)
	return r.twoSided()
}
