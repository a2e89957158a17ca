package selftest

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestMD1 holds the formula against the mean that Pollaczek and Khinchine give, and against a long simulation.
func TestMD1(t *testing.T) {
	for _, rho := range []float64{0.5, 0.8, 0.95} {
		// E[W] = ∫ P(W > x) dx = ρ / (2(1−ρ))
		const step, far = 0.01, 400
		within := md1InLine(rho, far+2)
		mean := 0.0
		for x := step / 2; x < far; x += step {
			mean += step * (1 - md1Wait(rho, x, within))
		}
		if want := rho / (2 * (1 - rho)); math.Abs(mean-want) > 0.001*want {
			t.Errorf("ρ %v: mean wait %v, want %v", rho, mean, want)
		}
		values := queueRun{kind: md1, rho: rho, warm: 1e4, length: 2e6}.simulate(rand.New(rand.NewPCG(1, 1)))
		slices.Sort(values)
		for _, q := range []float64{0.6, 0.9, 0.99} {
			got, want := md1.theory(rho, q), values[int(q*float64(len(values)))]
			if math.Abs(got-want) > 0.1*want { // the busiest has only some 1,000 independent stretches
				t.Errorf("ρ %v q %v: %v, simulated %v", rho, q, got, want)
			}
		}
	}
}

func TestLindley(t *testing.T) {
	services := []int64{10, 10, 1, 5}
	i := -1
	got := lindley([]int64{0, 3, 30, 30}, func() int64 { i++; return services[i] })
	if want := []int64{10, 17, 1, 6}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestBand: the band holds the theory of the queue that was simulated, and not that of a busier one.
func TestBand(t *testing.T) {
	for _, kind := range []queueKind{mm1, md1} {
		qs := []float64{.5, .9, .99}
		band := queueRun{kind: kind, rho: 0.5, warm: 100, length: 50_000}.band(qs, 200, 7)
		for j, q := range qs {
			if v := kind.theory(0.5, q); v < band[j][0] || v > band[j][1] {
				t.Errorf("%s %v: theory %v outside %v", kind, q, v, band[j])
			}
			if v := kind.theory(0.65, q); v < band[j][1] {
				t.Errorf("%s %v: %v of ρ 0.65 within %v", kind, q, v, band[j])
			}
		}
	}
}
