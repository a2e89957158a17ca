package stat

import (
	"math"
	"slices"
)

// exactSigned is the largest number of differences for which the signed-rank test is exact: 2·(1+…+200) steps of 200.
const exactSigned = 200

// WilcoxonSignedRank tests whether paired differences are symmetric around 0. Zeros are left out, as Wilcoxon did
// (R's wilcox.test and SciPy's zero_method="wilcox" do the same); equal sizes share the mean of their ranks.
// Up to 200 differences the p-values are exact, with ties too: each sign is as likely as the other given the sizes, so
// the distribution of W⁺ = Σ ranks of positive differences follows by adding one rank after the other. Beyond, they are
// the normal approximation with mean n(n+1)/4, variance n(n+1)(2n+1)/24 − Σ(t³−t)/48 and a correction for continuity.
// A NaN makes every p-value NaN. The differences aren't changed.
func WilcoxonSignedRank(diffs []float64) TestResult {
	if slices.ContainsFunc(diffs, math.IsNaN) {
		nan := math.NaN()
		return TestResult{Statistic: nan, P: nan, Less: nan, Greater: nan}
	}
	var sizes []float64
	var positive []bool
	for _, d := range diffs {
		if d != 0 {
			sizes = append(sizes, math.Abs(d))
			positive = append(positive, d > 0)
		}
	}
	n := len(sizes)
	if n == 0 {
		return TestResult{P: 1, Less: 1, Greater: 1, Exact: true}
	}
	ranks, ties := doubledRanks(sizes)
	w := 0
	for i, r := range ranks {
		if positive[i] {
			w += r
		}
	}
	if n > exactSigned {
		m := float64(n)
		return normalTest(float64(w)/2, m*(m+1)/4, m*(m+1)*(2*m+1)/24-ties/48)
	}
	r := TestResult{Statistic: float64(w) / 2, Exact: true}
	r.Less, r.Greater = tails(signedWeights(ranks), w)
	return r.twoSided()
}

// signedWeights is the distribution of the sum of those ranks whose sign is positive: weight[s] is proportional to the
// number of the 2ⁿ choices of signs with sum s. Halved at every step so that it stays a probability.
func signedWeights(ranks []int) []float64 {
	total := 0
	for _, r := range ranks {
		total += r
	}
	weight := make([]float64, total+1)
	weight[0] = 1
	top := 0
	for _, r := range ranks {
		top += r
		for s := top; s >= 0; s-- {
			w := weight[s] / 2
			if s >= r {
				w += weight[s-r] / 2
			}
			weight[s] = w
		}
	}
	return weight
}
