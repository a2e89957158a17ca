package simulate

import (
	"math"
	"math/rand/v2"

	"kbench/metrics/stat"
)

// Settling says what is simulated to see whether runs that never settle are told from those that do.
type Settling struct {
	Seconds []int // lengths of the runs
	Runs    int   // of each kind and length
	Seed    uint64
}

// DefaultSettling is the table that stands behind "unsteady".
func DefaultSettling() Settling {
	return Settling{Seconds: []int{10, 20, 30, 60, 120, 300}, Runs: 400, Seed: 1}
}

// QuickSettling is a small form of the table: a second or two.
func QuickSettling() Settling { return Settling{Seconds: []int{30, 60, 120}, Runs: 50, Seed: 1} }

// SettlingRow is how one kind of run of one length came out.
type SettlingRow struct {
	Kind    string `json:"kind"`
	Settles bool   `json:"settles"` // what is true of this kind
	Hard    bool   `json:"hard"`    // never settles, among noise that hangs together from second to second
	Seconds int    `json:"seconds"`
	Runs    int    `json:"runs"`
	Refused int    `json:"refused"` // runs that were taken not to settle
}

// Run simulates and returns a row for each kind and length, in that order. Same input, same table; all processors work
// on it.
func (s Settling) Run() []SettlingRow {
	list := kinds()
	rows := make([]SettlingRow, len(list)*len(s.Seconds))
	parallel(len(rows), func() func(int) {
		return func(job int) {
			k, n := job/len(s.Seconds), s.Seconds[job%len(s.Seconds)]
			row := SettlingRow{Kind: list[k].name, Settles: list[k].settles, Hard: list[k].hard, Seconds: n, Runs: s.Runs}
			for i := range s.Runs {
				throughput, p99 := list[k].run(rand.New(rand.NewPCG(s.Seed, uint64(job)<<32|uint64(i))), n)
				if !stat.WarmupEnd(stat.Watched{Values: throughput, Tolerance: stat.ThroughputTolerance},
					stat.Watched{Values: p99, Tolerance: stat.P99Tolerance}).Settled {
					row.Refused++
				}
			}
			rows[job] = row
		}
	})
	return rows
}

// kind makes a run's throughput (as a share of the asked rate) and p99, second by second.
type kind struct {
	name    string
	settles bool
	hard    bool
	run     func(rng *rand.Rand, n int) (throughput, p99 []float64)
}

func kinds() []kind {
	list := []kind{
		{"steady, iid noise", true, false, shaped(0, flat)},
		{"steady, AR(1) 0.5 noise", true, false, shaped(0.5, flat)},
		{"steady, AR(1) 0.9 noise", true, false, shaped(0.9, flat)},
		{"steady after a transient", true, false, shaped(0, transient)},
		{"steady, a second stands still now and then", true, false, shaped(0, hiccups)},
		{"steady, saw-tooth of 10 s", true, false, shaped(0, sawtooth)},
	}
	for _, rho := range []float64{0.5, 0.8, 0.95} {
		list = append(list, kind{"steady queue, ρ " + trim(rho), true, false, queueSeries(rho)})
	}
	for _, phi := range []float64{0, 0.5} {
		noise := ", iid noise"
		if phi > 0 {
			noise = ", AR(1) " + trim(phi) + " noise"
		}
		list = append(list,
			kind{"linear drift of p99" + noise, false, phi > 0, shaped(phi, drift)},
			kind{"falling throughput" + noise, false, phi > 0, shaped(phi, falling)},
			kind{"exponential growth of p99" + noise, false, phi > 0, shaped(phi, growth)},
			kind{"shift of p99 late in the run" + noise, false, phi > 0, shaped(phi, shift99)},
			kind{"shift of throughput late in the run" + noise, false, phi > 0, shaped(phi, shiftRate)},
			kind{"overloaded queue" + noise, false, phi > 0, shaped(phi, overload)},
			kind{"warm-up longer than the run" + noise, false, phi > 0, shaped(phi, slow)})
	}
	return list
}

// A shape draws a run's own parameters and returns the level of throughput and p99 at x, the share 0–1 of the run that is
// over at second t.
type shape func(rng *rand.Rand, n int) func(x float64, t int) (throughput, p99 float64)

// shaped puts AR(1) noise around a shape: 1 % of the throughput, 8 % of p99; half as much where it hangs together for
// long, as machines in a cloud have it.
func shaped(phi float64, s shape) func(*rand.Rand, int) ([]float64, []float64) {
	size := 1.0
	if phi > 0.8 {
		size = 0.5
	}
	return func(rng *rand.Rand, n int) (throughput, p99 []float64) {
		level := s(rng, n)
		a, b, step := rng.NormFloat64(), rng.NormFloat64(), math.Sqrt(1-phi*phi)
		for t := range n {
			x, y := level(float64(t)/float64(n-1), t)
			throughput = append(throughput, math.Max(0, x*(1+0.01*size*a)))
			p99 = append(p99, y*math.Exp(0.08*size*b))
			a, b = phi*a+step*rng.NormFloat64(), phi*b+step*rng.NormFloat64()
		}
		return throughput, p99
	}
}

func between(rng *rand.Rand, low, high float64) float64 { return low + (high-low)*rng.Float64() }

func flat(*rand.Rand, int) func(float64, int) (float64, float64) {
	return func(float64, int) (float64, float64) { return 1, 1 }
}

// transient dies out, to 1 % of what it was, within 10–40 % of the run.
func transient(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	over := between(rng, 0.1, 0.4)
	high := between(rng, 0.5, 5)
	return func(x float64, _ int) (float64, float64) {
		left := math.Exp(-4.6 * x / over)
		return 1 - 0.3*left, 1 + high*left
	}
}

func hiccups(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	return func(float64, int) (float64, float64) {
		if rng.Float64() < 0.02 {
			return 0.3, 10
		}
		return 1, 1
	}
}

func sawtooth(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	phase := rng.IntN(10)
	return func(_ float64, t int) (float64, float64) {
		return 1, 1 + float64((t+phase)%10)/10
	}
}

func drift(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	by := between(rng, 1, 3)
	return func(x float64, _ int) (float64, float64) { return 1, 1 + by*x }
}

func falling(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	by := between(rng, 0.15, 0.5)
	return func(x float64, _ int) (float64, float64) { return 1 - by*x, 1 }
}

func growth(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	by := between(rng, math.Log(3), math.Log(100))
	return func(x float64, _ int) (float64, float64) { return 1, math.Exp(by * x) }
}

func shift99(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	at, by := between(rng, 0.55, 0.85), between(rng, 2, 4)
	return func(x float64, _ int) (float64, float64) {
		if x < at {
			return 1, 1
		}
		return 1, by
	}
}

func shiftRate(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	at, by := between(rng, 0.55, 0.85), between(rng, 0.5, 0.85)
	return func(x float64, _ int) (float64, float64) {
		if x < at {
			return 1, 1
		}
		return by, 1
	}
}

// overload is a queue that gets 2–20 % more than it can serve: what is waited for grows with time.
func overload(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	by := between(rng, 0.02, 0.2)
	return func(_ float64, t int) (float64, float64) { return 1 / (1 + by), 0.05 + by*float64(t+1) }
}

// slow is a warm-up whose time constant is half the run to twice the run.
func slow(rng *rand.Rand, _ int) func(float64, int) (float64, float64) {
	constant, high := between(rng, 0.5, 2), between(rng, 1, 5)
	return func(x float64, _ int) (float64, float64) {
		left := math.Exp(-x / constant)
		return 1 - 0.3*left, 1 + high*left
	}
}

// queueSeries is the throughput and p99 of each second of an M/M/1 queue.
func queueSeries(rho float64) func(*rand.Rand, int) ([]float64, []float64) {
	return func(rng *rand.Rand, n int) (throughput, p99 []float64) {
		next := Queue(rho).Start(rng)
		var second []float64
		for range n {
			second = next(second[:0])
			throughput = append(throughput, float64(len(second))/Rate)
			p99 = append(p99, stat.Quantile(second, 0.99))
		}
		return throughput, p99
	}
}
