package simulate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kbench/metrics/stat"
)

// TestTruth holds each scenario's stated percentiles against the average over many of its values.
func TestTruth(t *testing.T) {
	for _, s := range Scenarios() {
		above := map[float64]float64{0.5: 0, 0.9: 0, 0.99: 0}
		n := 0.0
		for seed := range uint64(12) {
			next := s.Start(rand.New(rand.NewPCG(seed, 1)))
			var second []float64
			for range 200 {
				second = next(second[:0])
				n += float64(len(second))
				for q := range above {
					v := s.Truth(q)
					for _, x := range second {
						if x > v {
							above[q]++
						}
					}
				}
			}
		}
		for q, count := range above {
			// Independent values would be within 0.001; correlated ones within some times that.
			if share := count / n; math.Abs(share-(1-q)) > 0.12*math.Sqrt(1-q)*math.Sqrt(q) {
				t.Errorf("%s: %v of the values are above p%v, want %v", s.Name, share, 100*q, 1-q)
			}
		}
	}
}

// TestRunCounts holds the slices' counts against the values themselves.
func TestRunCounts(t *testing.T) {
	r := &run{counts: make([]uint32, buckets)}
	var all []float64
	next := Lognormal(0.5).Start(rand.New(rand.NewPCG(4, 4)))
	for range 5 {
		second := next(nil)
		all = append(all, second...)
		r.add(second)
	}
	slices.Sort(all)
	for _, q := range []float64{0.01, 0.5, 0.99} {
		exact, got := all[int(q*float64(len(all)))], r.Quantile(q)
		if math.Abs(got/exact-1) > 0.005 {
			t.Errorf("q = %v: %v, want %v", q, got, exact)
		}
		above := 0.0
		for i := range r.Len() {
			above += r.Above(i, got)
		}
		if want := (1 - q) * float64(len(all)); math.Abs(above-want) > 1e-6*want {
			t.Errorf("q = %v: %v values above, want %v", q, above, want)
		}
	}
	if r.Above(2, -1) != Rate {
		t.Errorf("a second has %v values", r.Above(2, -1))
	}
}

// TestCoverage is a small form of the table: what is printed covers the truth in 92–97 % of runs of these scenarios,
// give or take what so few runs can tell (3 standard errors).
func TestCoverage(t *testing.T) {
	c := DefaultCoverage()
	c.Runs, c.Seconds = 60, []int{20, 60, 150}
	c.Scenarios = []Scenario{Lognormal(0.5), Queue(0.8), Queue(0.95), Wandering(0.5, 0.2), Wandering(0.9, 0.1), Bimodal(0.1, 20)}
	type count struct{ printed, covered, runs int }
	pooled := map[string]*count{}
	var order []string
	for _, row := range c.Run() {
		p := pooled[row.Scenario]
		if p == nil {
			p = &count{}
			pooled[row.Scenario] = p
			order = append(order, row.Scenario)
		}
		p.printed += row.Printed
		p.covered += row.Covered
		p.runs += row.Runs
		if row.Seconds == 20 && row.Printed > 0 {
			t.Errorf("%s: %d intervals from 20 slices", row.Scenario, row.Printed)
		}
	}
	if p := pooled[Lognormal(0.5).Name]; p.printed < p.runs/3 {
		t.Errorf("independent values: %d intervals printed of %d", p.printed, p.runs)
	}
	for _, name := range order {
		p := pooled[name]
		share := float64(p.covered) / float64(max(1, p.printed))
		t.Logf("%-22s printed %3.0f %%, covered %.1f %%", name, 100*float64(p.printed)/float64(p.runs), 100*share)
		// Five percentiles of one run are not independent, nor are its lengths: count the runs only.
		if p.printed > 100 {
			if slack := 3 * math.Sqrt(0.05*0.95/float64(c.Runs)); share < 0.92-slack || share > 0.97+slack {
				t.Errorf("%s: %.1f %% covered", name, 100*share)
			}
		}
	}
	if pooled[Wandering(0.9, 0.1).Name].printed > 20 {
		t.Errorf("levels that wander for 20 s at a time: %d intervals printed from at most 150 s", pooled[Wandering(0.9, 0.1).Name].printed)
	}
}

// naive is an order-statistic interval, as if values were independent.
func naive(s stat.Slices, q float64) stat.Interval {
	n := 0.0
	for i := range s.Len() {
		n += s.Above(i, -1)
	}
	half := 1.96 * math.Sqrt(q*(1-q)/n)
	return stat.Interval{Low: s.Quantile(q - half), High: s.Quantile(q + half)}
}

// TestCoverageSeesNaiveIntervals is the mutant: order-statistic intervals behind a queue cover far less than 92 %.
func TestCoverageSeesNaiveIntervals(t *testing.T) {
	s := Queue(0.8)
	covered := 0
	const runs = 60
	for i := range uint64(runs) {
		r := &run{counts: make([]uint32, buckets)}
		next := s.Start(rand.New(rand.NewPCG(8, i)))
		for range 60 {
			r.add(next(nil))
		}
		iv, truth := naive(r, 0.99), s.Truth(0.99)
		if iv.Low <= truth && truth <= iv.High {
			covered++
		}
	}
	t.Logf("order-statistic intervals of p99 at ρ 0.8 cover %.0f %%", 100*float64(covered)/runs)
	if covered > runs/2 {
		t.Errorf("%d of %d order-statistic intervals cover the truth", covered, runs)
	}
}

// TestSettling is a small form of the table: every run of a minute or more that never settles, among noise from second to
// second, is refused, and so are at most 4 % of those that settle.
func TestSettling(t *testing.T) {
	s := DefaultSettling()
	s.Runs, s.Seconds = 50, []int{30, 60, 120}
	settled, refused := 0, 0
	for _, row := range s.Run() {
		t.Logf("%-52s settles %-5v %3d s: %5.1f %% refused", row.Kind, row.Settles, row.Seconds, 100*float64(row.Refused)/float64(row.Runs))
		if row.Settles {
			settled += row.Runs
			refused += row.Refused
			if row.Refused > 6 { // P(> 6 of 50 at 4 %) < 0.5 %
				t.Errorf("%s, %d s: %d of %d refused", row.Kind, row.Seconds, row.Refused, row.Runs)
			}
		} else if least := row.Runs * 9 / 10; row.Seconds >= 60 && !row.Hard && row.Refused < row.Runs || row.Seconds >= 60 && row.Refused < least-5 {
			t.Errorf("%s, %d s: %d of %d refused", row.Kind, row.Seconds, row.Refused, row.Runs)
		}
	}
	t.Logf("%d of %d settled runs refused", refused, settled)
	if float64(refused) > 0.04*float64(settled) {
		t.Errorf("%d of %d settled runs refused: more than 4 %%", refused, settled)
	}
}

// TestSame is that the same seed gives the same tables.
func TestSame(t *testing.T) {
	c := Coverage{Scenarios: []Scenario{Queue(0.5)}, Quantiles: []float64{0.9}, Seconds: []int{40}, Runs: 4, Level: 0.95, Seed: 3}
	if a, b := c.Run(), c.Run(); !slices.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
	s := Settling{Seconds: []int{20}, Runs: 3, Seed: 3}
	if a, b := s.Run(), s.Run(); !slices.Equal(a, b) {
		t.Errorf("%v and %v", a, b)
	}
}
