package stat

import (
	"math"
	"slices"
)

// exactRankSum bounds the cost of the exact Mann–Whitney test: n·m·(n+m)² steps at most, 1.6·10⁷ for 40 against 40.
const exactRankSum = 1 << 24

// MannWhitney tests whether values of a tend to be smaller or greater than values of b. The statistic is U of a: pairs
// in which a's value is the greater one, equal pairs counting a half. While n·m·(n+m)² ≤ 2²⁴ (40 against 40) the
// p-values are exact, with ties too: every choice of n of the n+m midranks is equally likely. Beyond, they are the normal
// approximation with mean nm/2, variance nm/12·((n+m+1) − Σ(t³−t)/((n+m)(n+m−1))) and a correction for continuity.
// An empty sample has nothing to test; a NaN makes every p-value NaN. The samples aren't changed.
func MannWhitney(a, b []float64) TestResult {
	n, m := len(a), len(b)
	if slices.ContainsFunc(a, math.IsNaN) || slices.ContainsFunc(b, math.IsNaN) {
		nan := math.NaN()
		return TestResult{Statistic: nan, P: nan, Less: nan, Greater: nan}
	}
	if n == 0 || m == 0 {
		return TestResult{P: 1, Less: 1, Greater: 1, Exact: true}
	}
	ranks, ties := doubledRanks(slices.Concat(a, b))
	sum := 0
	for _, r := range ranks[:n] {
		sum += r
	}
	u := float64(sum-n*(n+1)) / 2
	all := n + m
	if float64(n)*float64(m)*float64(all)*float64(all) > exactRankSum {
		N := float64(all)
		nm := float64(n) * float64(m)
		return normalTest(u, nm/2, nm/12*(N+1-ties/(N*(N-1))))
	}
	r := TestResult{Statistic: u, Exact: true}
	r.Less, r.Greater = tails(rankSumWeights(ranks, n), sum)
	return r.twoSided()
}

// rankSumWeights is the distribution of the sum of n ranks drawn without replacement: weight[s] is proportional to the
// number of choices with sum s. Floats hold counts up to C(80,40) ≈ 10²³ with a relative error of 10⁻¹⁴.
func rankSumWeights(ranks []int, n int) []float64 {
	sorted := slices.Sorted(slices.Values(ranks))
	top := 0
	for _, r := range sorted[len(sorted)-n:] {
		top += r
	}
	weight := make([][]float64, n+1) // by how many were drawn
	for k := range weight {
		weight[k] = make([]float64, top+1)
	}
	weight[0][0] = 1
	for i, r := range sorted {
		for k := min(i+1, n); k >= 1; k-- {
			for s := top; s >= r; s-- {
				weight[k][s] += weight[k-1][s-r]
			}
		}
	}
	return weight[n]
}
