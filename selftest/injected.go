package selftest

import (
	"context"
	"fmt"
	"time"

	"kbench/driver"
	"kbench/metrics"
)

// injectedTolerance is the claim: every percentile to p99.9, and p99.99.
func injectedTolerance(q float64) tolerance {
	if q > .999 {
		return tolerance{.03, 200e3}
	}
	return tolerance{.01, 50e3}
}

func injectedCheck() Check {
	return Check{Name: "injected", Claim: "20,000/s against held answers: responses to p99.9 within 1 % + 50 µs of when the client had read the answers, p99.99 within 3 % + 200 µs",
		Run: runInjected}
}

// injection is one run: what the sink holds its answers by, and whether generator and sink have CPUs of their own, where there
// are two. Without, its rows are information: a client whose CPU the sink or the pacer takes for a moment tells of its
// acknowledgements that much later.
type injection struct {
	name, hold string
	own        bool
}

// held are the distributions that answers are held by, besides which Kafka's order holds them up.
func held() []injection {
	return []injection{
		{"lognormal", "lognormal:median=4ms,sigma=0.4", true},
		// Not far apart, for the reason that few requests are in flight: see rows.
		{"bimodal", "bimodal:fast=4ms,slow=6ms,slow-share=0.1", true},
		{"constant", "constant:time=3ms", true},
		{"exponential", "exponential:mean=3ms", true},
	}
}

func runInjected(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	distributions := held()
	for i, d := range env.Clients {
		for j, h := range distributions {
			if env.Size == Quick && j != i%2 {
				continue // one each
			}
			if err := h.rows(ctx, env, &o, d); err != nil {
				return o, err
			}
		}
		if env.Size != Quick {
			shared := distributions[0]
			shared.own = false
			if err := shared.rows(ctx, env, &o, d); err != nil {
				return o, err
			}
		}
	}
	if r, ok := worst(o.Rows); ok {
		o.Measured = fmt.Sprintf("worst %+.2f %% (%s: %s, truth %s)", 100*(r.Measured-r.Truth)/r.Truth, r.What, nsText(r.Measured), nsText(r.Truth))
	}
	return judge(o), nil
}

// rows adds the rows of one run with a client.
func (x injection) rows(ctx context.Context, env *Env, o *Outcome, d driver.Driver) error {
	plan := newPlan(11, d.Name, 100)
	plan.Load.Rate.PerSecond = 20_000
	// Kafka's default: with more, a slow answer lets hundreds of small ones go at once, and what follows measures the client's
	// haste.
	plan.Producer.MaxInFlight = 5
	plan.Load.Duration = choose(env, time.Second, 6*time.Second, 10*time.Second)
	what := d.Name + ", " + x.name
	if !x.own {
		what += ", shared CPUs"
	}
	env.logf("injected: %s", what)
	rows, notes, err := repeatedly(ctx, env, what, func() ([]Row, string, error) {
		seen, err := trial{plan: plan, driver: d, hold: []string{x.hold}, own: x.own, tap: true}.run(ctx, env)
		if err != nil {
			return nil, "", err
		}
		t, missing, err := seen.truth(seen.came)
		if err != nil {
			return nil, "", err
		}
		rows := injectedCompare(what, t, responseView(seen.res), &seen.res.Latency.Response)
		rows = append(rows, delivery(what, seen)...)
		rows = append(rows, bounded(what+", unanswered", float64(missing), 0, 0, 0, Count))
		return rows, seen.trouble, nil
	})
	if !x.own {
		for i := range rows {
			rows[i].State = Information
		}
	}
	o.Rows, o.Notes = append(o.Rows, rows...), append(o.Notes, notes...)
	return err
}

// delivery tells of the way from the sink to the client: how long answers took to be read, and how far what is reported is
// from when they left.
func delivery(what string, seen *observed) []Row {
	first, last := measuredPart(seen.res)
	var took []int64
	for n := first; n < min(last, len(seen.left), len(seen.came)); n++ {
		took = append(took, seen.came[n]-seen.left[n])
	}
	left, _, err := seen.truth(seen.left)
	if err != nil {
		return nil
	}
	t := newTruth(took)
	var rows []Row
	for _, q := range []float64{.5, .99, .999} {
		rows = append(rows, tolerance{}.row(join(what, percent(q))+" from the sink to the client", t.quantile(q), t.quantile(q)))
	}
	printed := printedView(&seen.res.Latency.Response)
	for _, row := range compare(what, left, printed, []float64{.5, .99, .999}, injectedTolerance) {
		row.What += " against when answers left the sink"
		rows = append(rows, row)
	}
	for i := range rows {
		rows[i].State = Information
	}
	return rows
}

// injectedCompare holds what was reported against the truth: every percentile by the histogram, and those that are
// printed as they are printed.
func injectedCompare(what string, t truth, v view, printed *metrics.Latency) []Row {
	rows := compare(what, t, printedView(printed), reported(), injectedTolerance)
	all := compareAll(what, t, v, injectedTolerance)
	all.What += ", the worst of p1 to p99.9"
	return append(rows, all)
}
