package stat

import (
	"math"
	"testing"
)

// TestSignedRankTable holds the published critical values of W (Wilcoxon and Wilcox 1964; Siegel's table G): the largest
// W whose two-sided p is at most 5 % and 1 %.
func TestSignedRankTable(t *testing.T) {
	for _, c := range []struct{ n, five, one int }{
		{6, 0, -1}, {7, 2, -1}, {8, 3, 0}, {9, 5, 1}, {10, 8, 3}, {11, 10, 5}, {12, 13, 7}, {13, 17, 9}, {14, 21, 12},
		{15, 25, 15}, {16, 29, 19}, {17, 34, 23}, {18, 40, 27}, {19, 46, 32}, {20, 52, 37}, {25, 89, 68},
	} {
		ranks := make([]int, c.n)
		for i := range ranks {
			ranks[i] = i + 1
		}
		weight := signedWeights(ranks)
		critical := func(alpha float64) int {
			at := -1
			for w := range weight {
				if below, _ := tails(weight, w); 2*below > alpha {
					break
				}
				at = w
			}
			return at
		}
		if five, one := critical(0.05), critical(0.01); five != c.five || one != c.one {
			t.Errorf("n = %d: critical values %d and %d, want %d and %d", c.n, five, one, c.five, c.one)
		}
	}
}

// TestMannWhitneyTable holds published critical values of U at 5 %, two-sided (Mann and Whitney 1947; Siegel's table K).
func TestMannWhitneyTable(t *testing.T) {
	for _, c := range []struct{ n, m, want int }{
		{4, 4, 0}, {5, 5, 2}, {6, 6, 5}, {7, 7, 8}, {8, 8, 13}, {9, 9, 17}, {10, 10, 23}, {3, 10, 3}, {5, 12, 11},
		{12, 12, 37}, {15, 15, 64}, {20, 20, 127}, {10, 20, 55},
	} {
		ranks := make([]int, c.n+c.m)
		for i := range ranks {
			ranks[i] = i + 1
		}
		weight := rankSumWeights(ranks, c.n)[c.n*(c.n+1)/2:]
		at := -1
		for u := range weight {
			if below, _ := tails(weight, u); 2*below > 0.05 {
				break
			}
			at = u
		}
		if at != c.want {
			t.Errorf("%d against %d: critical U %d, want %d", c.n, c.m, at, c.want)
		}
	}
}

func TestRankTestEdges(t *testing.T) {
	nothing := TestResult{P: 1, Less: 1, Greater: 1, Exact: true}
	if got := WilcoxonSignedRank([]float64{0, 0}); got != nothing {
		t.Errorf("zeros: %+v", got)
	}
	if got := MannWhitney(nil, []float64{1}); got != nothing {
		t.Errorf("an empty sample: %+v", got)
	}
	if got := WilcoxonSignedRank([]float64{1, math.NaN()}); !math.IsNaN(got.P) {
		t.Errorf("NaN: %+v", got)
	}
	if got := MannWhitney([]float64{1, 2}, []float64{math.NaN()}); !math.IsNaN(got.P) {
		t.Errorf("NaN: %+v", got)
	}
	if got := MannWhitney([]float64{math.Inf(-1), 1}, []float64{2, math.Inf(1)}); got.Statistic != 0 || got.Less != 1./6 {
		t.Errorf("infinite values: %+v, want U 0 and 1/6", got)
	}
	same := make([]float64, 300)
	if got := MannWhitney(same, same); got.P != 1 || got.Exact {
		t.Errorf("all equal: %+v", got)
	}
}

// TestHodgesLehmann holds the two examples of Hollander and Wolfe (1973): R's wilcox.test(conf.int = TRUE) prints the same.
func TestHodgesLehmann(t *testing.T) {
	var d []float64
	x := []float64{1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30}
	y := []float64{0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29}
	for i := range x {
		d = append(d, x[i]-y[i])
	}
	got := HodgesLehmann(d, 0.95)
	if math.Abs(got.Value-0.46) > 1e-12 || math.Abs(got.Interval.Low-0.01) > 1e-12 || math.Abs(got.Interval.High-0.786) > 1e-12 {
		t.Errorf("depression scale: %+v, want 0.46 [0.01, 0.786]", got)
	}
	if want := 1 - 2*10./512; math.Abs(got.Confidence-want) > 1e-12 {
		t.Errorf("confidence %v, want %v", got.Confidence, want)
	}
	a := []float64{0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46}
	b := []float64{1.15, 0.88, 0.90, 0.74, 1.21}
	got = HodgesLehmannShift(a, b, 0.95)
	if math.Abs(got.Value-0.305) > 1e-12 || math.Abs(got.Interval.Low+0.15) > 1e-12 || math.Abs(got.Interval.High-0.76) > 1e-12 {
		t.Errorf("permeability: %+v, want 0.305 [-0.15, 0.76]", got)
	}
	if got := HodgesLehmann(d[:5], 0.95); !math.IsInf(got.Interval.Low, -1) || !math.IsInf(got.Interval.High, 1) || got.Confidence != 1 {
		t.Errorf("5 values can't carry 95 %%: %+v", got)
	}
	if got := HodgesLehmann(nil, 0.95); !math.IsNaN(got.Value) {
		t.Errorf("no values: %+v", got)
	}
}

// TestHodgesLehmannInvertsTheTest moves the sample to either side of each bound: the test rejects just outside of it.
func TestHodgesLehmannInvertsTheTest(t *testing.T) {
	sample := []float64{3.1, -0.4, 1.7, 2.2, 0.9, 5.3, 1.1, 2.9, 0.2, 1.4, 4.4}
	e := HodgesLehmann(sample, 0.95)
	for _, c := range []struct {
		centre float64
		inside bool
	}{{e.Interval.Low - 1e-6, false}, {e.Interval.Low + 1e-6, true}, {e.Interval.High - 1e-6, true}, {e.Interval.High + 1e-6, false}} {
		moved := make([]float64, len(sample))
		for i, x := range sample {
			moved[i] = x - c.centre
		}
		if p := WilcoxonSignedRank(moved).P; p > 0.05 != c.inside {
			t.Errorf("centre %v: p = %v, inside %v", c.centre, p, c.inside)
		}
	}
}
