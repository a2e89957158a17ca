package stat

import (
	"cmp"
	"math"
	"slices"
)

// Holm adjusts p-values of several tests so that rejecting where the adjusted one is ≤ α keeps the chance of any false
// rejection at ≤ α, however the tests depend on each other: in ascending order p̃_i = max_{j ≤ i} min(1, (m−j+1)·p_j).
// Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statist. 6 (1979).
// The result has the order of p, which isn't changed.
func Holm(p []float64) []float64 {
	out := make([]float64, len(p))
	last := 0.0
	for j, i := range ascending(p) {
		last = math.Max(last, math.Min(1, float64(len(p)-j)*p[i]))
		out[i] = last
	}
	return out
}

// BenjaminiHochberg adjusts p-values of several independent tests so that rejecting where the adjusted one is ≤ α keeps
// the expected share of false ones among the rejections at ≤ α: p̃_i = min_{j ≥ i} min(1, m/j·p_j) in ascending order.
// Source: Y. Benjamini, Y. Hochberg, "Controlling the false discovery rate", J. R. Statist. Soc. B 57 (1995).
// The result has the order of p, which isn't changed.
func BenjaminiHochberg(p []float64) []float64 {
	out := make([]float64, len(p))
	last := 1.0
	order := ascending(p)
	for j := len(order) - 1; j >= 0; j-- {
		last = math.Min(last, float64(len(p))/float64(j+1)*p[order[j]])
		out[order[j]] = last
	}
	return out
}

// ascending is the order of the values' indices from the smallest value to the largest.
func ascending(x []float64) []int {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	return order
}
