package selftest

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"kbench/broker"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

func stallCheck() Check {
	return Check{Name: "stall", Claim: "a broker that stands still for 1 s, in the middle, at the end, and with the client's buffer full: percentiles within 1 % of L0 + D − (1−q)·T·(1−ρ), 0 records unaccounted; the same with a killed target and with Ctrl-C; with one broker within 1 % + 500 µs of when the client had read its answers",
		Run: runStall}
}

// What stalls are tried with: half of what the sink lets pass, in small batches, so that a batch is little beside a stall.
const (
	// stallRate is little for every client, also when it makes up for the stall: one that takes longer than its target to work
	// off a stall's answers leaves it without work for a while, and the form doesn't hold.
	stallRate   = 2_000
	stallCap    = 2 * stallRate
	stallLength = time.Second
	stallBatch  = 512      // bytes: a ms of the cap
	stallBuffer = 32 << 10 // bytes; filled in a fraction of the stall
	stallCalm   = 2e6      // ns that a response takes at most without the stall
	stallOwn    = 500e3    // ns that a client may take for itself on one CPU
	rho         = float64(stallRate) / stallCap
)

// stallBrokers share the stall and the cap. Clients with one batch in flight for a partition, or a broker (sarama), leave a
// single broker without work while they turn round, and the form doesn't hold.
const stallBrokers = 4

// stallCase is one way to stall.
type stallCase struct {
	name   string
	end    bool // the stall lasts until the end of the load; else it is in the middle
	small  bool // the client's buffer is small
	tapped bool // one broker and one partition: held against when the client had read its answers, and not against the form
}

func runStall(ctx context.Context, env *Env) (Outcome, error) {
	cases := []stallCase{{name: "middle"}, {name: "end", end: true}, {name: "buffer full", small: true}, {name: "one broker", tapped: true}}
	var o Outcome
	for i, d := range env.Clients {
		for _, c := range cases {
			if env.Size == Quick && (i > 0 || c.end || c.tapped) {
				continue
			}
			if err := stallRows(ctx, env, &o, d, c); err != nil {
				return o, err
			}
		}
		if i > 0 {
			continue
		}
		for _, f := range []func(context.Context, *Env, driver.Driver) ([]Row, error){killedRows, cancelledRows} {
			rows, err := f(ctx, env, d)
			if o.Rows = append(o.Rows, rows...); err != nil {
				return o, err
			}
		}
	}
	if r, ok := worst(o.Rows); ok {
		o.Measured = fmt.Sprintf("worst %+.2f %% (%s: %s, truth %s); %.0f records unaccounted", 100*(r.Measured-r.Truth)/r.Truth, r.What, nsText(r.Measured), nsText(r.Truth), unaccounted(o.Rows))
	}
	return judge(o), nil
}

// stallTrial is a run of so long with a stall of the sink in it.
func stallTrial(d driver.Driver, length time.Duration, c stallCase) trial {
	plan := newPlan(5, d.Name, 100)
	// Constant, because the form counts on λ·t records being due in t: of 10,000 Poisson arrivals, ±2 % of the stall's
	// responses would be chance.
	plan.Load.Arrivals, plan.Load.Rate.PerSecond, plan.Load.Duration = workload.ArrivalsConstant, stallRate, length
	at := plan.Load.Warmup.Duration + length/2 - stallLength/2
	if c.end {
		at = plan.Load.Warmup.Duration + length - stallLength
	}
	plan.Producer.BatchSize = stallBatch
	plan.Producer.Partitioner = workload.PartitionerRoundRobin // where one broker has more to make up for than others, responses spread
	if c.small {
		plan.Producer.BufferMemory = stallBuffer
	}
	if !c.tapped {
		plan.Topics[0].Partitions = stallBrokers
	}
	return trial{plan: plan, driver: d, own: true, tap: c.tapped,
		hold: []string{fmt.Sprintf("cap:%d", stallCap), fmt.Sprintf("stall:at=%s,for=%s", at, stallLength)}}
}

func stallRows(ctx context.Context, env *Env, o *Outcome, d driver.Driver, c stallCase) error {
	length := choose(env, 2*time.Second, 8*time.Second, 20*time.Second)
	what := d.Name + ", " + c.name
	env.logf("stall: %s", what)
	rows, notes, err := repeatedly(ctx, env, what, func() ([]Row, string, error) {
		seen, err := stallTrial(d, length, c).run(ctx, env)
		if err != nil {
			return nil, "", err
		}
		view := responseView(seen.res)
		rows := []Row{accounted(what, seen)}
		if c.tapped {
			t, missing, err := seen.truth(seen.came)
			if err != nil {
				return nil, "", err
			}
			all := compareAll(what, t, view, func(float64) tolerance { return tolerance{.01, stallOwn} })
			all.What += ", the worst of p1 to p99.9"
			rows = append(rows, all, bounded(what+", unanswered", float64(missing), 0, 0, 0, Count))
		} else {
			form := stallForm{length: length.Seconds(), end: c.end, calm: view(.1)}
			rows = append(form.compare(what, view), append(rows, bounded(what+", p10 without the stall", form.calm, 0, 0, stallCalm, Nanoseconds))...)
		}
		if c.small {
			// Otherwise the client's buffer wasn't full, and nothing was shown.
			rows = append(rows, yes(what+", Send blocked", seen.res.Latency.Backpressure.Max > int64(stallLength)/3))
		}
		return rows, seen.trouble, nil
	})
	o.Rows, o.Notes = append(o.Rows, rows...), append(o.Notes, notes...)
	return err
}

// stallForm is the closed form of one stall of D in a run of T: L0 + D − (1−q)·T·(1−ρ). A record that is due t after the
// stall began waits D − t for its end, and ρ·t for those that came before it: its response is L0 + D − t·(1−ρ). It falls with t, and
// (1−q)·T seconds' worth of records are above the q-quantile.
type stallForm struct {
	length float64 // T in s
	end    bool    // the stall ends with the load
	calm   float64 // L0 in ns: what a response takes without the stall, such as the run's own p10
}

// quantiles are those that the form is good for: (1−q)·T within the time for which the stall is felt.
func (f stallForm) quantiles() []float64 {
	left := (f.length + stallLength.Seconds()) / 2 // of the load, when the stall begins; nothing is due afterwards
	if f.end {
		left = stallLength.Seconds()
	}
	felt := min(left, stallLength.Seconds()/(1-rho))
	var qs []float64
	for _, q := range []float64{.5, .75, .9, .95, .99, .999, .9999} {
		if (1-q)*f.length <= 0.9*felt {
			qs = append(qs, q)
		}
	}
	return qs
}

func (f stallForm) at(q float64) float64 {
	return f.calm + float64(stallLength) - (1-q)*f.length*1e9*(1-rho)
}

// compare holds a view against the form.
func (f stallForm) compare(what string, v view) []Row {
	var rows []Row
	for _, q := range f.quantiles() {
		rows = append(rows, tolerance{share: .01}.row(join(what, percent(q)), v(q), f.at(q)))
	}
	return rows
}

// accounted counts what a result leaves unexplained: records whose end is unknown, and those that were due by the
// schedule and aren't counted. A run that was ended from outside may have handed over a few after the moment that counts
// as its end; these are counted and have their ends.
func accounted(what string, seen *observed) Row {
	t := seen.res.Totals
	lost := math.Abs(float64(t.Scheduled) - float64(t.Acked+t.Failed+t.Censored))
	due := float64(len(seen.due)) - float64(t.Scheduled+t.WarmupRecords)
	if ended := seen.res.Interrupted || seen.res.Verdict.Cause == metrics.CauseTarget; !ended {
		due = math.Abs(due)
	}
	return bounded(what+recordsUnaccounted, lost+math.Max(0, due), 0, 0, 0, Count)
}

// recordsUnaccounted ends the name of every row of accounted.
const recordsUnaccounted = ", records unaccounted"

// unaccounted adds up what accounted found.
func unaccounted(rows []Row) float64 {
	sum := 0.0
	for _, r := range rows {
		if strings.HasSuffix(r.What, recordsUnaccounted) {
			sum += r.Measured
		}
	}
	return sum
}

// yes is a row for what has to be so.
func yes(what string, so bool) Row {
	v := 0.0
	if so {
		v = 1
	}
	return bounded(what, v, 1, 1, 1, Count)
}

// killedRows kills the sink in the middle of a run.
func killedRows(ctx context.Context, env *Env, d driver.Driver) ([]Row, error) {
	what := d.Name + ", target killed"
	env.logf("stall: %s", what)
	t := stallTrial(d, 2*time.Second, stallCase{})
	t.hold = t.hold[:1]
	t.during = func(ctx context.Context, target *broker.Target, _ func()) {
		if sleep(ctx, time.Second) {
			killProcess(target.Nodes()[0].PID) // not target.Kill, which counts as wanted
		}
	}
	seen, err := t.run(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return []Row{accounted(what, seen), yes(what+", verdict invalid: target", seen.res.Verdict.Cause == metrics.CauseTarget),
		yes(what+", records acknowledged before", seen.res.Totals.Acked > 0)}, nil
}

// cancelAfter is in the stall of a run of two seconds: it begins 1 s after the first record, which is some 200 ms after
// the run was asked for.
const cancelAfter = trialWarmup + 1200*time.Millisecond

// cancelledRows cancels a run in the middle of a stall, as Ctrl-C does.
func cancelledRows(ctx context.Context, env *Env, d driver.Driver) ([]Row, error) {
	what := d.Name + ", Ctrl-C in the stall"
	env.logf("stall: %s", what)
	t := stallTrial(d, 2*time.Second, stallCase{})
	t.during = func(ctx context.Context, _ *broker.Target, cancel func()) {
		if sleep(ctx, cancelAfter) {
			cancel()
		}
	}
	seen, err := t.run(ctx, env)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	return []Row{accounted(what, seen), yes(what+", marked as interrupted", seen.res.Interrupted),
		yes(what+", in flight when it came, and acknowledged", seen.res.Latency.Response.Max > int64(stallLength)/4),
		bounded(what+", censored or failed", float64(seen.res.Totals.Censored+seen.res.Totals.Failed), 0, 0, 0, Count)}, nil
}

// sleep waits; false: ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
