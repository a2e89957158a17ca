package workload

import (
	"fmt"
	"math"
	"math/bits"
)

// aliasTable draws from any distribution over 0…n−1 in constant time (Walker 1977, built as by Vose 1991): the
// probabilities are cut and stacked into n columns of equal height with at most two outcomes each.
type aliasTable []aliasColumn

// aliasColumn is the outcome of its own index below cut/2³² of its height, and of alias above.
type aliasColumn struct{ cut, alias uint32 }

// newAliasTable builds the table of outcomes with probabilities proportional to weights. A column's cut has 32 bits, so
// a probability is off by at most 2⁻³²/n.
func newAliasTable(weights []float64) (aliasTable, error) {
	sum := 0.0
	for i, w := range weights {
		if !(w >= 0) || math.IsInf(w, 0) {
			return nil, fmt.Errorf("weight %d is %v: it has to be 0 or more", i, w)
		}
		sum += w
	}
	if !(sum > 0) || math.IsInf(sum, 0) || uint64(len(weights)) > math.MaxUint32 {
		return nil, fmt.Errorf("%d weights of sum %v make no distribution", len(weights), sum)
	}
	n := len(weights)
	table := make(aliasTable, n)
	height := make([]float64, n) // a column's own share of its height; 1 is full
	order := make([]uint32, n)   // the columns below full, then the others
	low, high := 0, n
	for i, w := range weights {
		height[i] = w / sum * float64(n)
		table[i].alias = uint32(i) // a column that no other fills up is full
		if height[i] < 1 {
			order[low] = uint32(i)
			low++
		} else {
			high--
			order[high] = uint32(i)
		}
	}
	// Fill each low column up from the first high one, which becomes the last low one when less than a column is left.
	for at := 0; at < low && low < n; at++ {
		l, h := order[at], order[low]
		table[l] = aliasColumn{cut: uint32(height[l] * (1 << 32)), alias: h}
		height[h] -= 1 - height[l]
		if height[h] < 1 {
			low++
		}
	}
	return table, nil
}

// draw turns 64 random bits into an outcome: of the product x·n, the upper half is a column and the lower half a height
// within it, independent of each other.
func (t aliasTable) draw(x uint64) int {
	hi, lo := bits.Mul64(x, uint64(len(t)))
	column := t[hi]
	if uint32(lo>>32) >= column.cut {
		return int(column.alias)
	}
	return int(hi)
}
