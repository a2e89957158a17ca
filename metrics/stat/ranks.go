package stat

import "slices"

// doubledRanks are twice the midranks of the values (equal ones share the mean of their ranks), so that all are whole
// numbers, and Σ (t³ − t) over the groups of t equal values, which the corrections for ties need.
func doubledRanks(x []float64) (ranks []int, ties float64) {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case x[a] < x[b]:
			return -1
		case x[a] > x[b]:
			return 1
		}
		return 0
	})
	ranks = make([]int, len(x))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && x[order[j]] == x[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = i + 1 + j // (i+1 + j)/2, doubled
		}
		t := float64(j - i)
		ties += t*t*t - t
		i = j
	}
	return ranks, ties
}

// tails are the shares of a distribution's weight at or below, and at or above, the point at.
func tails(weight []float64, at int) (below, above float64) {
	total := 0.0
	for i, w := range weight {
		total += w
		if i <= at {
			below += w
		}
		if i >= at {
			above += w
		}
	}
	return below / total, above / total
}
