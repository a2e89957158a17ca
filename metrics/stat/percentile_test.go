package stat

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sample is Slices of the values themselves.
type sample [][]float64

var _ Slices = sample(nil)

func (s sample) Len() int { return len(s) }

func (s sample) Above(i int, v float64) float64 {
	n := 0.0
	for _, x := range s[i] {
		if x > v {
			n++
		}
	}
	return n
}

func (s sample) Quantile(q float64) float64 { return Quantile(slices.Concat(s...), q) }

func uniform(n, each int) sample {
	rng := rand.New(rand.NewPCG(9, 9))
	s := make(sample, n)
	for i := range s {
		for range each {
			s[i] = append(s[i], rng.Float64())
		}
	}
	return s
}

func TestPercentileIntervalOfIndependentValues(t *testing.T) {
	const n, each = 100, 500
	s := uniform(n, each)
	for _, q := range []float64{0.1, 0.5, 0.9, 0.99} {
		iv, supported, needs := PercentileInterval(s, q, 0.95)
		if !supported || needs != 0 {
			t.Errorf("p%v: supported %v, needs %v", 100*q, supported, needs)
			continue
		}
		// As wide as the binomial distribution has it: 2·1.96·√(q(1−q)/n).
		if want := 2 * 1.96 * math.Sqrt(q*(1-q)/n/each); (iv.High-iv.Low)/want < 0.7 || (iv.High-iv.Low)/want > 1.4 {
			t.Errorf("p%v: %v is %v wide, want about %v", 100*q, iv, iv.High-iv.Low, want)
		}
		if v := s.Quantile(q); !(iv.Low < v && v < iv.High) {
			t.Errorf("p%v: %v is not in %v", 100*q, v, iv)
		}
		wider, _, _ := PercentileInterval(s, q, 0.99)
		if !(wider.Low < iv.Low && iv.High < wider.High) {
			t.Errorf("p%v: 99 %% %v isn't around 95 %% %v", 100*q, wider, iv)
		}
	}
}

func TestPercentileIntervalNotSupported(t *testing.T) {
	wandering := uniform(60, 100)
	for i, slice := range wandering {
		for j := range slice {
			slice[j] += math.Sin(float64(i) / 10) // six slices and more in a row are alike
		}
	}
	clustered := uniform(100, 100)
	for i := range clustered[50] {
		clustered[50][i] += 10 // one slice has all that lies beyond p99
	}
	for _, c := range []struct {
		name      string
		s         Slices
		q         float64
		low, high float64 // of needs
	}{
		{"none", sample{}, 0.5, 40, 40},
		{"empty slices", make(sample, 50), 0.5, 40, 40},
		{"39 slices", uniform(39, 1000), 0.5, 40, 200},
		{"too few beyond", uniform(60, 20), 0.999, 600, 10_000},
		{"wandering", wandering, 0.5, 120, 10_000},
		{"one cluster", clustered, 0.99, 1000, 1e5},
		{"maximum", uniform(60, 100), 1, math.Inf(1), math.Inf(1)},
		{"NaN", uniform(60, 100), math.NaN(), math.Inf(1), math.Inf(1)},
	} {
		iv, supported, needs := PercentileInterval(c.s, c.q, 0.95)
		if supported || iv != (Interval{}) || !(needs >= c.low && needs <= c.high) {
			t.Errorf("%s: %v, supported %v, needs %v, want none and %v to %v", c.name, iv, supported, needs, c.low, c.high)
		}
	}
}

func TestPercentileIntervalOfConstants(t *testing.T) {
	s := make(sample, 60)
	for i := range s {
		s[i] = []float64{5, 5, 5}
	}
	// Nothing lies above 5 and nothing below: no number of values beyond it tells how the truth might differ.
	if iv, _, _ := PercentileInterval(s, 0.5, 0.95); iv.Low != iv.High {
		t.Errorf("got %v", iv)
	}
}
