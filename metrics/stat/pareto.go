package stat

import (
	"cmp"
	"math"
	"slices"
)

// ParetoFront marks the points that no other point dominates, smaller being better in both coordinates
// (negate one to maximise it). A point is dominated by one that is at least as good in both and better in one, so equal
// points stand or fall together. A point with a NaN is never on the front and dominates nothing.
func ParetoFront(points [][2]float64) []bool {
	front := make([]bool, len(points))
	order := make([]int, 0, len(points))
	for i, p := range points {
		if !math.IsNaN(p[0]) && !math.IsNaN(p[1]) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(points[a][0], points[b][0]), cmp.Compare(points[a][1], points[b][1]))
	})
	// In this order a point is on the front if its second coordinate is below all before it,
	// or if it equals the point of the front that was found last.
	last := -1
	for _, i := range order {
		if last < 0 || points[i][1] < points[last][1] || points[i] == points[last] {
			front[i] = true
			last = i
		}
	}
	return front
}
