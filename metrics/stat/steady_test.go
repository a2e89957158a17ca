package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestWarmupEnd(t *testing.T) {
	noisy := func(level func(i int) float64, n int) []float64 {
		rng := rand.New(rand.NewPCG(1, uint64(n)))
		series := make([]float64, n)
		for i := range series {
			series[i] = level(i) * (1 + 0.02*rng.NormFloat64())
		}
		return series
	}
	flat := func(int) float64 { return 100 }
	jump := func(at int, to float64) func(int) float64 {
		return func(i int) float64 {
			if i < at {
				return 100
			}
			return to
		}
	}
	for _, c := range []struct {
		name            string
		values          []float64
		settled, judged bool
		cutLow, cutHigh int
	}{
		{"none", nil, true, false, 0, 0},
		{"four rising", []float64{1, 2, 3, 4}, true, false, 0, 0},
		{"five rising", noisy(func(i int) float64 { return float64(i + 1) }, 5), false, true, 0, 0},
		{"five level", noisy(flat, 5), true, true, 0, 0},
		{"constant", repeat(nil, 60, 7), true, true, 0, 0},
		{"zeros", repeat(nil, 60, 0), true, true, 0, 0},
		{"level", noisy(flat, 60), true, true, 0, 25},
		{"ramp", ramp(nil, 60, 10, 1), false, true, 0, 0},
		{"tiny ramp", ramp(nil, 600, 100, 0.005), true, true, 0, 250},
		{"growth", noisy(func(i int) float64 { return math.Exp(float64(i) / 30) }, 60), false, true, 0, 60},
		{"start twice as high", noisy(jump(10, 50), 60), true, true, 10, 15},
		{"late shift", noisy(jump(45, 150), 60), false, true, 0, 60},
		{"late shift, smaller than matters", noisy(jump(45, 105), 60), true, true, 0, 25},
		{"saw-tooth", repeat(nil, 12, 1, 2, 3, 4, 5), true, true, 0, 25},
		{"NaN", append(repeat(nil, 60, 7), math.NaN()), false, true, 0, 60},
	} {
		got := WarmupEnd(Watched{c.values, 0.1})
		if got.Settled != c.settled || got.Judged != c.judged || got.Cut < c.cutLow || got.Cut > c.cutHigh {
			t.Errorf("%s: %+v, want settled %v, judged %v, cut %d to %d", c.name, got, c.settled, c.judged, c.cutLow, c.cutHigh)
		}
	}
	steady, moving := noisy(flat, 60), noisy(func(i int) float64 { return 100 + 2*float64(i) }, 60)
	got := WarmupEnd(Watched{steady, 0.1}, Watched{moving, 0.1})
	if got.Settled || got.Trends[0].Moves || !got.Trends[1].Moves {
		t.Errorf("one of two moves: %+v", got)
	}
	if change := got.Trends[1].Change; change < 0.7 || change > 1.3 { // 118/159 of the mean, 118/100 of the start
		t.Errorf("change from 100 to 218: %v", change)
	}
}

// TestFitLiteral is worked out by hand: 1, 2, 4 against −½, 0, ½ has slope 3, residuals 1/6, −1/3, 1/6.
func TestFitLiteral(t *testing.T) {
	f := fitTo([]float64{1, 2, 4}, []float64{-0.5, 0, 0.5})
	if !same(f.change, 3) || !same(f.left, 1./6) || !same(f.shape2, 0.5) || !same(f.lag, -2./3) {
		t.Errorf("got %+v", f)
	}
	at, left := bestShift([]float64{1, 1, 1, 1, 2, 5, 5, 5, 5, 5})
	if at != 5 || !same(left, 0.8) {
		t.Errorf("shift at %d leaving %v, want 5 leaving 0.8", at, left)
	}
}
