package stat

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// pValues are those of one test for its three alternatives.
type pValues struct{ P, Less, Greater float64 }

func (p pValues) check(t *testing.T, name string, got TestResult, tolerance float64) {
	t.Helper()
	for _, c := range []struct {
		what      string
		got, want float64
	}{{"two-sided", got.P, p.P}, {"less", got.Less, p.Less}, {"greater", got.Greater, p.Greater}} {
		if !(math.Abs(c.got-c.want) <= tolerance) {
			t.Errorf("%s: %s p = %v, want %v", name, c.what, c.got, c.want)
		}
	}
}

// reference is testdata/scipy.json: inputs and what SciPy and statsmodels make of them, with versions and expressions.
type reference struct {
	Wilcoxon []struct {
		Name  string
		Diffs []float64
		W     float64
		pValues
	}
	WilcoxonNormal struct {
		Diffs []float64
		pValues
	} `json:"wilcoxon_normal"`
	MannWhitney []struct {
		Name string
		A, B []float64
		U    float64
		pValues
	}
	MannWhitneyNormal struct {
		A, B []float64
		pValues
	} `json:"mannwhitney_normal"`
	Bootstrap struct {
		Sample    []float64
		Low, High float64
	}
	BH, Holm struct{ P, Adjusted []float64 }
	Anderson []struct {
		Gaps        []float64
		Mean, A2, P float64
	}
	T, Normal [][]float64
	Theil     struct {
		Series           []float64
		Slope, Intercept float64
	}
}

func readReference(t *testing.T) reference {
	t.Helper()
	data, err := os.ReadFile("testdata/scipy.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func close1(got, want, relative float64) bool {
	return math.Abs(got-want) <= relative*math.Max(math.Abs(want), 1e-300)
}

func TestRankTestsAgainstSciPy(t *testing.T) {
	r := readReference(t)
	for _, c := range r.Wilcoxon {
		before := slices.Clone(c.Diffs)
		got := WilcoxonSignedRank(c.Diffs)
		c.check(t, c.Name, got, 1e-12)
		if got.Statistic != c.W || !got.Exact {
			t.Errorf("%s: W⁺ = %v, exact %v, want %v, true", c.Name, got.Statistic, got.Exact, c.W)
		}
		if !slices.Equal(before, c.Diffs) {
			t.Errorf("%s: the differences were changed", c.Name)
		}
	}
	got := WilcoxonSignedRank(r.WilcoxonNormal.Diffs)
	r.WilcoxonNormal.check(t, "normal approximation", got, 1e-12)
	if got.Exact {
		t.Error("300 differences: exact")
	}
	for _, c := range r.MannWhitney {
		got := MannWhitney(c.A, c.B)
		c.check(t, c.Name, got, 1e-12)
		if got.Statistic != c.U || !got.Exact {
			t.Errorf("%s: U = %v, exact %v, want %v, true", c.Name, got.Statistic, got.Exact, c.U)
		}
	}
	got = MannWhitney(r.MannWhitneyNormal.A, r.MannWhitneyNormal.B)
	r.MannWhitneyNormal.check(t, "normal approximation", got, 1e-12)
	if got.Exact {
		t.Error("90 against 80: exact")
	}
}

func TestAdjustedPValuesAgainstSciPy(t *testing.T) {
	r := readReference(t)
	for name, c := range map[string]struct{ got, want []float64 }{
		"Benjamini-Hochberg": {BenjaminiHochberg(r.BH.P), r.BH.Adjusted},
		"Holm":               {Holm(r.Holm.P), r.Holm.Adjusted},
	} {
		if !slices.EqualFunc(c.got, c.want, func(a, b float64) bool { return close1(a, b, 1e-12) }) {
			t.Errorf("%s: got %v, want %v", name, c.got, c.want)
		}
	}
}

// TestBootstrapAgainstSciPy allows 4 % of the width: 20,000 resamples against SciPy's 400,000 from other random numbers.
func TestBootstrapAgainstSciPy(t *testing.T) {
	r := readReference(t).Bootstrap
	got := Bootstrap(r.Sample, mean, 0.95, 1, 20_000)
	allowed := 0.04 * (r.High - r.Low)
	if math.Abs(got.Interval.Low-r.Low) > allowed || math.Abs(got.Interval.High-r.High) > allowed {
		t.Errorf("got %v, want [%v, %v]", got.Interval, r.Low, r.High)
	}
	if again := Bootstrap(r.Sample, mean, 0.95, 1, 20_000); again != got {
		t.Errorf("the same seed gave %v and %v", got, again)
	}
	if other := Bootstrap(r.Sample, mean, 0.95, 2, 20_000); other == got {
		t.Error("another seed gave the same interval")
	}
}

// TestAndersonDarlingAgainstSciPy compares the statistic exactly and p with SciPy's from 99,999 simulated samples.
func TestAndersonDarlingAgainstSciPy(t *testing.T) {
	for i, c := range readReference(t).Anderson {
		a2, p := AndersonDarlingExponential(c.Gaps, c.Mean)
		if !close1(a2, c.A2, 1e-10) {
			t.Errorf("case %d: A² = %v, want %v", i, a2, c.A2)
		}
		if allowed := 4*math.Sqrt(c.P*(1-c.P)/1e5) + 1e-5; math.Abs(p-c.P) > allowed {
			t.Errorf("case %d: p = %v, want %v ± %v", i, p, c.P, allowed)
		}
		general, gp := AndersonDarling(c.Gaps, func(x float64) float64 { return -math.Expm1(-x / c.Mean) })
		if !close1(general, a2, 1e-9) || !close1(gp, p, 1e-9) {
			t.Errorf("case %d: AndersonDarling gives %v, %v; the exponential form %v, %v", i, general, gp, a2, p)
		}
	}
}

func TestQuantilesAgainstSciPy(t *testing.T) {
	r := readReference(t)
	for _, c := range r.T {
		if got := StudentQuantile(c[0], c[1]); !close1(got, c[2], 1e-9) {
			t.Errorf("StudentQuantile(%v, %v) = %v, want %v", c[0], c[1], got, c[2])
		}
	}
	for _, c := range r.Normal {
		if got := NormalQuantile(c[0]); math.Abs(got-c[1]) > 1e-12*math.Max(1, math.Abs(c[1])) {
			t.Errorf("NormalQuantile(%v) = %v, want %v", c[0], got, c[1])
		}
	}
}
