package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestAndersonLimit holds the limit's percentage points (Lewis 1961: 1.933, 2.492, 3.878 for 10, 5, 1 %) and other values
// of Anderson and Darling's (1954) own series, integrated with SciPy 1.17.1's quad:
// P(A² < z) = √(2π)/z · Σ_j C(−½,j)·(4j+1)·e^(−(4j+1)²π²/8z) · ∫₀^∞ e^(z/(8(w²+1)) − (4j+1)²π²w²/8z) dw.
func TestAndersonLimit(t *testing.T) {
	for _, c := range []struct{ z, upper float64 }{
		{0.3, 0.9381576361}, {0.5, 0.7468143736}, {0.775, 0.4994108638}, {1.248, 0.2499505044}, {1.610, 0.1522584007},
		{1.9329578, 0.1}, {2.492367, 0.05}, {3.070, 0.0252182711}, {3.878125, 0.01}, {6, 0.00096745194}, {9, 0.00003953401},
	} {
		if got := andersonP(c.z, 1<<30); math.Abs(got-c.upper) > 1.5e-5 {
			t.Errorf("P(A² ≥ %v) = %v, want %v", c.z, got, c.upper)
		}
	}
}

// TestAndersonSmallSamples holds the correction for n: p-values of samples from the model itself are uniform.
func TestAndersonSmallSamples(t *testing.T) {
	const runs = 20_000
	for _, n := range []int{8, 30} {
		rng := rand.New(rand.NewPCG(3, uint64(n)))
		below := map[float64]float64{0.01: 0, 0.05: 0, 0.5: 0, 0.9: 0, 0.99: 0}
		gaps := make([]float64, n)
		for range runs {
			for i := range gaps {
				gaps[i] = rng.ExpFloat64()
			}
			_, p := AndersonDarlingExponential(gaps, 1)
			for at := range below {
				if p <= at {
					below[at]++
				}
			}
		}
		for at, count := range below {
			if allowed := 4*math.Sqrt(at*(1-at)/runs) + 5e-4; math.Abs(count/runs-at) > allowed {
				t.Errorf("n = %d: %v of p-values are at most %v, allowed ± %v", n, count/runs, at, allowed)
			}
		}
	}
}

func TestAndersonDarlingEdges(t *testing.T) {
	if a2, p := AndersonDarlingExponential(nil, 1); !math.IsNaN(a2) || !math.IsNaN(p) {
		t.Errorf("empty: %v, %v", a2, p)
	}
	if a2, p := AndersonDarlingExponential([]float64{0, 1, 2}, 1); !math.IsInf(a2, 1) || p != 0 {
		t.Errorf("an impossible gap of 0: %v, %v", a2, p)
	}
	regular := make([]float64, 1000)
	for i := range regular {
		regular[i] = 1
	}
	if _, p := AndersonDarlingExponential(regular, 1); p > 1e-6 {
		t.Errorf("equal gaps: p = %v", p)
	}
}

// TestEffectiveSampleSize compares with n·(1−φ)/(1+φ), the value of an AR(1) series.
func TestEffectiveSampleSize(t *testing.T) {
	const n = 200_000
	for _, phi := range []float64{0, 0.5, 0.9} {
		rng := rand.New(rand.NewPCG(5, 5))
		series := make([]float64, n)
		x := 0.0
		for i := range series {
			x = phi*x + rng.NormFloat64()
			series[i] = x
		}
		want := n * (1 - phi) / (1 + phi)
		if got := EffectiveSampleSize(series); math.Abs(got/want-1) > 0.1 {
			t.Errorf("φ = %v: %v, want %v ± 10 %%", phi, got, want)
		}
	}
	for _, c := range []struct {
		series []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 1}, {repeat(nil, 10, 7), 10}, {repeat(nil, 10, 1, -1), 20}} {
		if got := EffectiveSampleSize(c.series); got != c.want {
			t.Errorf("%v: %v, want %v", c.series, got, c.want)
		}
	}
}

// TestAutocorrelationLiteral is worked out by hand: 1, 2, 3, 4 has deviations ∓1.5, ∓0.5 and squares that sum to 5.
func TestAutocorrelationLiteral(t *testing.T) {
	for lag, want := range []float64{1, (0.75 - 0.25 + 0.75) / 5, (-0.75 - 0.75) / 5, -2.25 / 5, 0} {
		if got := Autocorrelation([]float64{1, 2, 3, 4}, lag); !same(got, want) {
			t.Errorf("lag %d: %v, want %v", lag, got, want)
		}
	}
}
