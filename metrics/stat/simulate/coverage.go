package simulate

import (
	"math/rand/v2"
	"runtime"
	"sync"

	"kbench/metrics/stat"
)

// Coverage says what is simulated.
type Coverage struct {
	Scenarios []Scenario
	Quantiles []float64
	Seconds   []int // lengths of the runs, ascending: the shorter ones are the beginnings of the longest
	Runs      int   // of each scenario
	Level     float64
	Seed      uint64
}

// DefaultCoverage is the table that stands behind printed intervals.
func DefaultCoverage() Coverage {
	return Coverage{
		Scenarios: Scenarios(),
		Quantiles: []float64{0.5, 0.9, 0.95, 0.99, 0.999},
		Seconds:   []int{30, 45, 60, 120, 300, 600},
		Runs:      400,
		Level:     0.95,
		Seed:      1,
	}
}

// QuickCoverage is a small form of the table, for a glance: seconds instead of a minute or two, and within ± 4 %.
func QuickCoverage() Coverage {
	c := DefaultCoverage()
	c.Seconds, c.Runs = []int{60, 120}, 100
	return c
}

// CoverageRow is how one scenario, length and percentile came out.
type CoverageRow struct {
	Scenario string  `json:"scenario"`
	Seconds  int     `json:"seconds"`
	Quantile float64 `json:"quantile"`
	Runs     int     `json:"runs"`
	Printed  int     `json:"printed"` // runs that supported an interval
	Covered  int     `json:"covered"` // of these, intervals with the truth in them
	Below    int     `json:"below"`   // intervals that lie wholly below the truth; the other misses lie above it
}

// Run simulates and returns a row for every scenario, length and percentile, in that order. Same input, same table; all
// processors work on it.
func (c Coverage) Run() []CoverageRow {
	rows := make([]CoverageRow, 0, len(c.Scenarios)*len(c.Seconds)*len(c.Quantiles))
	for _, s := range c.Scenarios {
		for _, n := range c.Seconds {
			for _, q := range c.Quantiles {
				rows = append(rows, CoverageRow{Scenario: s.Name, Seconds: n, Quantile: q, Runs: c.Runs})
			}
		}
	}
	var mu sync.Mutex
	parallel(c.Runs*len(c.Scenarios), func() func(int) {
		r := &run{counts: make([]uint32, buckets)}
		return func(job int) {
			at := job / c.Runs
			found := c.one(r, c.Scenarios[at], uint64(job))
			mu.Lock()
			defer mu.Unlock()
			for i, o := range found {
				row := &rows[at*len(found)+i]
				row.Printed += o.printed
				row.Covered += o.covered
				row.Below += o.below
			}
		}
	})
	return rows
}

// parallel does jobs 0 … n−1 on all processors; worker makes what one of them needs and returns how it does a job.
func parallel(n int, worker func() func(job int)) {
	jobs := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			do := worker()
			for job := range jobs {
				do(job)
			}
		})
	}
	for job := range n {
		jobs <- job
	}
	close(jobs)
	workers.Wait()
}

// outcome counts for one run, length and percentile: 0 or 1 each.
type outcome struct{ printed, covered, below int }

func (c Coverage) one(r *run, s Scenario, job uint64) []outcome {
	r.values, r.ends = r.values[:0], r.ends[:0]
	clear(r.counts)
	next := s.Start(rand.New(rand.NewPCG(c.Seed, job)))
	var second []float64
	var out []outcome
	for _, n := range c.Seconds {
		for r.Len() < n {
			second = next(second[:0])
			r.add(second)
		}
		for _, q := range c.Quantiles {
			var o outcome
			if iv, ok, _ := stat.PercentileInterval(r, q, c.Level); ok {
				o.printed = 1
				truth := s.Truth(q)
				if iv.Low <= truth && truth <= iv.High {
					o.covered = 1
				} else if iv.High < truth {
					o.below = 1
				}
			}
			out = append(out, o)
		}
	}
	return out
}
