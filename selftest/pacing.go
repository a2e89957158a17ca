package selftest

import (
	"context"
	"fmt"
	"math"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/workload"
)

func pacingCheck() Check {
	return Check{Name: "pacing", Claim: "records at 100,000/s Poisson reach the client within 1 µs of their due time at p50 and 50 µs at p99, with a CPU for the generator; their gaps are exponential (Anderson–Darling); the reported response is that lateness",
		Run: runPacing}
}

// The claim, in ns, and the level of the test of gaps.
const (
	pacingP50   = 1e3
	pacingP99   = 50e3
	pacingLevel = 0.001 // a right schedule fails once in a thousand; the seed is fixed, so that it doesn't vary
	pacingGaps  = 5000  // tested
)

func runPacing(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	rates := []float64{1e3, 1e4, 1e5, 1e6}
	if env.Size == Quick {
		rates = []float64{1e5}
	}
	for _, rate := range rates {
		for _, arrivals := range []string{workload.ArrivalsPoisson, workload.ArrivalsConstant} {
			if env.Size == Quick && arrivals == workload.ArrivalsConstant {
				continue
			}
			if err := pacingRows(ctx, env, &o, rate, arrivals); err != nil {
				return o, err
			}
		}
	}
	if env.Size != Quick {
		if err := sharedPacing(ctx, env, &o); err != nil {
			return o, err
		}
	}
	return judge(o), nil
}

// pacingRows adds the rows of one run with a client that takes no time. Only 100,000/s Poisson is claimed.
func pacingRows(ctx context.Context, env *Env, o *Outcome, rate float64, arrivals string) error {
	what := fmt.Sprintf("%.0f/s %s", rate, arrivals)
	env.logf("pacing: %s", what)
	claimed := rate == 1e5 && arrivals == workload.ArrivalsPoisson
	rows, notes, err := repeatedly(ctx, env, what, func() ([]Row, string, error) {
		w := startWatch()
		lateness, gaps, res, err := paced(ctx, env, rate, arrivals)
		if err != nil {
			return nil, "", err
		}
		// The client acknowledges at once, so a response is the lateness, whoever is to blame for it.
		rows := pacingCompare(what, lateness, printedView(&res.Latency.Response))
		if arrivals == workload.ArrivalsPoisson {
			rows = append(rows, gapsRow(what, gaps, rate), bounded(what+", p-value of the gaps in the result", res.Evidence.ArrivalsP, pacingLevel, pacingLevel, 1, Count))
		}
		if !claimed {
			for i := range rows {
				rows[i].State = Information
			}
		} else {
			o.Measured = fmt.Sprintf("p50 %s, p99 %s, p99.9 %s", nsText(lateness.quantile(.5)), nsText(lateness.quantile(.99)), nsText(lateness.quantile(.999)))
		}
		return rows, blame(w.trouble(0), res), nil
	})
	o.Rows, o.Notes = append(o.Rows, rows...), append(o.Notes, notes...)
	return err
}

// pacingCompare holds the lateness that the client saw against the claim, and what was reported against it.
func pacingCompare(what string, seen truth, reported view) []Row {
	return []Row{
		bounded(what+", lateness p50", seen.quantile(.5), pacingP50, 0, pacingP50, Nanoseconds).atMost(),
		bounded(what+", lateness p99", seen.quantile(.99), pacingP99, 0, pacingP99, Nanoseconds).atMost(),
		tolerance{.05, 1e3}.row(what+", reported response p50", reported(.5), seen.quantile(.5)),
		tolerance{.05, 5e3}.row(what+", reported response p99", reported(.99), seen.quantile(.99)),
	}
}

// gapsRow tests whether gaps in ns are those of Poisson arrivals at a rate.
func gapsRow(what string, gaps []float64, rate float64) Row {
	_, p := stat.AndersonDarlingExponential(gaps, 1e9/rate)
	return bounded(what+", p-value of the gaps", p, pacingLevel, pacingLevel, 1, Count)
}

// atMost lets a row pass that is below its lower bound: two clocks' difference can be slightly negative.
func (r Row) atMost() Row {
	if r.Measured < r.Low {
		r.State = Pass
	}
	return r
}

// paced runs a schedule into a client that only notes when it was handed what, and returns how late each measured record
// was, and some of the gaps between records in ns.
func paced(ctx context.Context, env *Env, rate float64, arrivals string) (lateness truth, gaps []float64, res *metrics.Result, err error) {
	plan := newPlan(3, env.Null.Name, 100)
	plan.Load.Arrivals, plan.Load.Rate.PerSecond = arrivals, rate
	plan.Load.Duration = choose(env, time.Second, 4*time.Second, 10*time.Second)
	stamps := newStamps(int(rate*(plan.Load.Warmup.Duration+plan.Load.Duration).Seconds()*1.1) + 1000)
	res, due, err := runAlone(ctx, &plan, stamps.wrap(env.Null))
	if err != nil {
		return nil, nil, nil, err
	}
	if res.Timing == (metrics.Timing{}) {
		return nil, nil, nil, fmt.Errorf("%w: the system has no monotonic clock to compare with", ErrUnable)
	}
	at := stamps.times()
	if len(at) != len(due) {
		return nil, nil, nil, fmt.Errorf("%d records were due, the client got %d", len(due), len(at))
	}
	first, last := measuredPart(res)
	clock := monotonic(res.Timing)
	late := make([]int64, 0, last-first)
	for n := first; n < last; n++ {
		late = append(late, at[n]-clock(due[n]))
	}
	return newTruth(late), someGaps(at[first:last]), res, nil
}

// someGaps are gaps between records that follow each other, from stretches all over the run. Two records at the same
// moment, as a client sees those handed over together, are half a reading of the clock apart.
func someGaps(at []int64) []float64 {
	const stretch = 50
	var gaps []float64
	step := max(stretch+1, len(at)/(pacingGaps/stretch))
	for start := 0; start+stretch < len(at); start += step {
		for n := start; n < start+stretch; n++ {
			gaps = append(gaps, math.Max(float64(at[n+1]-at[n]), 10))
		}
	}
	return gaps
}

// sharedPacing reports, as information, how late the generator was beside a busy target on the same CPUs.
func sharedPacing(ctx context.Context, env *Env, o *Outcome) error {
	d, ok := env.client("native")
	if !ok {
		return nil
	}
	plan := newPlan(3, d.Name, 100)
	plan.Load.Rate.PerSecond, plan.Load.Duration = 1e5, 4*time.Second
	plan.Producer.Linger = 5 * time.Millisecond
	env.logf("pacing: beside a busy sink")
	seen, err := trial{plan: plan, driver: d}.run(ctx, env)
	if err != nil {
		return err
	}
	l := seen.res.Latency.GeneratorLateness
	for _, r := range []Row{bounded("100000/s poisson beside a busy sink, reported lateness p50", float64(l.P50), pacingP50, 0, pacingP50, Nanoseconds),
		bounded("100000/s poisson beside a busy sink, reported lateness p99", float64(l.P99), pacingP99, 0, pacingP99, Nanoseconds)} {
		r.State = Information
		o.Rows = append(o.Rows, r)
	}
	return nil
}
