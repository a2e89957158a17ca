package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func same(a, b float64) bool {
	return math.Abs(a-b) <= 1e-12*math.Max(1, math.Abs(b)) || math.IsNaN(a) && math.IsNaN(b) || a == b
}

// TestQuantile holds values that R prints for quantile(x, q), whose default is type 7.
func TestQuantile(t *testing.T) {
	ten := []float64{7, 1, 3, 10, 2, 9, 4, 8, 6, 5}
	for _, c := range []struct {
		sample  []float64
		q, want float64
	}{
		{ten, 0, 1},
		{ten, 0.1, 1.9},
		{ten, 0.25, 3.25},
		{ten, 0.5, 5.5},
		{ten, 0.75, 7.75},
		{ten, 0.99, 9.91},
		{ten, 1, 10},
		{[]float64{2.5, 0.5, 8}, 0.25, 1.5},
		{[]float64{2.5, 0.5, 8}, 0.9, 6.9},
		{[]float64{42}, 0.3, 42},
		{[]float64{math.Inf(1), math.Inf(1)}, 0.5, math.Inf(1)},
		{nil, 0.5, math.NaN()},
		{[]float64{1, math.NaN()}, 0.5, math.NaN()},
		{ten, 1.01, math.NaN()},
		{ten, math.NaN(), math.NaN()},
	} {
		if got := Quantile(c.sample, c.q); !same(got, c.want) {
			t.Errorf("Quantile(%v, %v) = %v, want %v", c.sample, c.q, got, c.want)
		}
	}
	if want := []float64{7, 1, 3, 10, 2, 9, 4, 8, 6, 5}; !slices.Equal(ten, want) {
		t.Errorf("the sample was changed to %v", ten)
	}
	if got := Median([]float64{4, 1, 3, 2}); got != 2.5 {
		t.Errorf("Median = %v, want 2.5", got)
	}
}

func TestSupported(t *testing.T) {
	for _, c := range []struct {
		count uint64
		q     float64
		want  bool
	}{
		{20, 0.5, true}, {19, 0.5, false},
		{100, 0.9, true}, {99, 0.9, false},
		{1_000, 0.99, true}, {999, 0.99, false},
		{10_000, 0.999, true}, {9_999, 0.999, false},
		{100_000, 0.9999, true}, {99_999, 0.9999, false},
		{0, 0, false}, {10, 0, true},
		{1 << 40, 1, false}, {1 << 40, -0.1, false}, {1 << 40, math.NaN(), false},
	} {
		if got := Supported(c.count, c.q); got != c.want {
			t.Errorf("Supported(%d, %v) = %v, want %v", c.count, c.q, got, c.want)
		}
	}
}

func TestParetoFrontLiteral(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		name   string
		points [][2]float64
		want   []bool
	}{
		{"none", nil, []bool{}},
		{"one", [][2]float64{{3, 3}}, []bool{true}},
		{"chain", [][2]float64{{1, 1}, {2, 2}, {3, 3}}, []bool{true, false, false}},
		{"trade-off", [][2]float64{{3, 1}, {1, 3}, {2, 2}, {3, 3}}, []bool{true, true, true, false}},
		{"equal points stand together", [][2]float64{{1, 2}, {1, 2}, {2, 2}, {0, 9}}, []bool{true, true, false, true}},
		{"same x, worse y", [][2]float64{{1, 2}, {1, 3}}, []bool{true, false}},
		{"NaN", [][2]float64{{nan, 0}, {1, 1}, {0, nan}}, []bool{false, true, false}},
		{"maximised by negation", [][2]float64{{-100, 5}, {-200, 5}, {-300, 9}}, []bool{false, true, true}},
	} {
		if got := ParetoFront(c.points); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}

// TestParetoFrontBruteForce compares with the definition on random points that often tie.
func TestParetoFrontBruteForce(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		points := make([][2]float64, rng.IntN(40))
		for i := range points {
			points[i] = [2]float64{float64(rng.IntN(12)), float64(rng.IntN(12))}
		}
		got := ParetoFront(points)
		for i, p := range points {
			want := !slices.ContainsFunc(points, func(o [2]float64) bool {
				return o[0] <= p[0] && o[1] <= p[1] && o != p
			})
			if got[i] != want {
				t.Fatalf("point %d of %v: got %v, want %v", i, points, got[i], want)
			}
		}
	}
}
