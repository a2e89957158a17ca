package selftest

import (
	"context"
	"fmt"
	"math"

	"kbench/metrics/stat/simulate"
)

func intervalsCheck() Check {
	return Check{Name: "intervals", Claim: "of the 95 % intervals that are printed for percentiles, 92 to 97 % hold the truth, over simulated runs (independent, queues at ρ .5/.8/.95, AR(1), bimodal, stalls); else none is printed",
		Run: runIntervals}
}

// The claim.
const (
	coverLow  = 0.92
	coverHigh = 0.97
)

func runIntervals(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	c := simulate.DefaultCoverage()
	if env.Size == Quick {
		c.Runs, c.Seconds = 50, []int{60}
	} else if env.Size == Full {
		c.Seconds = []int{60, 120}
	}
	env.logf("intervals: %d simulated runs of %d kinds, up to %d s", c.Runs, len(c.Scenarios), c.Seconds[len(c.Seconds)-1])
	o.Rows = coverageRows(c.Run())
	total := o.Rows[len(o.Rows)-1]
	o.Measured = fmt.Sprintf("%.1f %% of the printed ones hold it (%s)", 100*total.Measured, total.Note)
	return judge(o), ctx.Err()
}

// coverageRows has a row for every kind of run, over all lengths and percentiles, and one for all. A kind's share is of so
// many runs, so it may miss the bounds by chance: it fails where chance doesn't explain it, the total where it misses them.
func coverageRows(found []simulate.CoverageRow) []Row {
	type sum struct{ runs, printed, covered int }
	var names []string
	kinds := map[string]*sum{}
	all := &sum{}
	for _, f := range found {
		k := kinds[f.Scenario]
		if k == nil {
			k = &sum{}
			kinds[f.Scenario], names = k, append(names, f.Scenario)
		}
		for _, s := range []*sum{k, all} {
			s.runs, s.printed, s.covered = s.runs+f.Runs, s.printed+f.Printed, s.covered+f.Covered
		}
	}
	var rows []Row
	row := func(what string, s *sum, chance float64) {
		if s.printed == 0 {
			rows = append(rows, Row{What: what, Unit: Share, State: Information, Truth: .95, Low: coverLow, High: coverHigh, Note: "none printed"})
			return
		}
		r := bounded(what, float64(s.covered)/float64(s.printed), .95, coverLow-chance, math.Min(1, coverHigh+chance), Share)
		r.Note = fmt.Sprintf("%d of %d printed", s.printed, s.runs)
		rows = append(rows, r)
	}
	for _, n := range names {
		// The percentiles and lengths of one run are nearly one and the same finding: a run counts once.
		independent := min(kinds[n].runs/max(1, len(found)/len(names)), kinds[n].printed)
		row(n, kinds[n], 3*math.Sqrt(.95*.05/float64(max(1, independent))))
	}
	row("all kinds", all, 0)
	return rows
}

func warmupCheck() Check {
	return Check{Name: "warmup", Claim: "of simulated series of a minute and more, all that never settle are refused as unsteady (at least 90 % where the noise hangs together from second to second), and at most 4 % of those that do",
		Run: runWarmup}
}

// The claim.
const (
	refusedWrongly = 0.04
	refusedHard    = 0.90
)

func runWarmup(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	s := simulate.DefaultSettling()
	s.Seconds = choose(env, []int{60}, []int{60, 120}, []int{60, 120, 300})
	s.Runs = choose(env, 40, 200, s.Runs)
	env.logf("warmup: %d simulated series of each kind, of %v s", s.Runs, s.Seconds)
	o.Rows = settlingRows(s.Run())
	totals := o.Rows[len(o.Rows)-3:]
	o.Measured = fmt.Sprintf("refused: %s that never settle, %s of the hard ones, %s that do", totals[0].Note, totals[1].Note, totals[2].Note)
	return judge(o), ctx.Err()
}

// settlingRows has a row for every kind, as information, and the three that are claimed: those that never settle, those of
// them that are hard to tell, and those that settle.
func settlingRows(found []simulate.SettlingRow) []Row {
	totals := []struct {
		what          string
		low, high     float64
		runs, refused int
	}{{what: "never settles: refused", low: 1, high: 1}, {what: "never settles, hard to tell: refused", low: refusedHard, high: 1}, {what: "settles: refused", high: refusedWrongly}}
	row := func(what string, refused, runs int, low, high float64) Row {
		truth := 1.0
		if low == 0 {
			truth = 0
		}
		r := bounded(what, float64(refused)/math.Max(1, float64(runs)), truth, low, high, Share)
		r.Note = fmt.Sprintf("%d of %d", refused, runs)
		return r
	}
	var rows []Row
	for _, f := range found {
		t := &totals[0]
		if f.Hard {
			t = &totals[1]
		} else if f.Settles {
			t = &totals[2]
		}
		t.runs += f.Runs
		t.refused += f.Refused
		r := row(fmt.Sprintf("%s, %d s: refused", f.Kind, f.Seconds), f.Refused, f.Runs, t.low, t.high)
		r.State = Information
		rows = append(rows, r)
	}
	for _, t := range totals {
		rows = append(rows, row(t.what, t.refused, t.runs, t.low, t.high))
	}
	return rows
}
