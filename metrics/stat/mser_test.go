package stat

import (
	"math"
	"testing"
)

// repeat appends n copies of the pattern.
func repeat(series []float64, n int, pattern ...float64) []float64 {
	for range n {
		series = append(series, pattern...)
	}
	return series
}

// ramp appends n values from start in equal steps.
func ramp(series []float64, n int, start, step float64) []float64 {
	for i := range n {
		series = append(series, start+step*float64(i))
	}
	return series
}

func TestMSER5(t *testing.T) {
	steady := []float64{10, 11, 9, 10, 10}
	for _, c := range []struct {
		name   string
		series []float64
		want   int
	}{
		{"empty", nil, -1},
		{"four batches", repeat(nil, 4, steady...), -1},
		{"five batches", repeat(nil, 5, steady...), 0},
		{"constant", repeat(nil, 40, 7), 0},
		{"steady", repeat(nil, 20, steady...), 0},
		{"ten high ones first", repeat(repeat(nil, 10, 50), 18, steady...), 10},
		{"cut on a whole batch", repeat(repeat(nil, 7, 50), 18, steady...), 10},
		{"a remainder takes no part", append(repeat(nil, 20, steady...), 1e9, 1e9), 0},
		{"level shift in the second half", repeat(repeat(nil, 60, 50), 8, steady...), -1},
		{"ramp that never ends", ramp(nil, 100, 0, 1), -1},
		{"short ramp that never ends", ramp(nil, 20, 0, 1), -1},
		{"ramp of 20, then steady", repeat(ramp(nil, 20, 0, 0.5), 20, steady...), 20},
		{"NaN everywhere", repeat(nil, 40, math.NaN()), -1},
		{"NaN at the start", append([]float64{math.NaN()}, repeat(nil, 39, 1)...), -1},
		{"infinite at the start", append([]float64{math.Inf(1)}, repeat(nil, 39, 1)...), -1},
		{"NaN at the end", append(repeat(nil, 39, 1), math.NaN()), -1},
	} {
		if got := MSER5(c.series); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

// TestMSER5Arithmetic holds a statistic worked out by hand as fractions: with batch means 8, 4, 2, 3, 2, 3, 2, 3, 2, 3
// it is smallest at d = 2.
func TestMSER5Arithmetic(t *testing.T) {
	var series []float64
	for _, m := range []float64{8, 4, 2, 3, 2, 3, 2, 3, 2, 3} {
		series = append(series, m-2, m-1, m, m+1, m+2)
	}
	y := batchMeans(series)
	for d, want := range []float64{37. / 125, 4. / 81, 1. / 32, 12. / 343, 1. / 24, 6. / 125, 1. / 16} {
		if got := marginalError(y[d:]); !same(got, want) {
			t.Errorf("statistic at %d: got %v, want %v", d, got, want)
		}
	}
	if got := MSER5(series); got != 10 {
		t.Errorf("got %d, want 10", got)
	}
}
