package selftest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kbench/driver"
	"kbench/metrics"
)

func faultsCheck() Check {
	return Check{Name: "verdict", Claim: "runs that are spoilt on purpose are invalid, with the right cause: at least 99 %; clean ones are valid: at most 2 % false alarms",
		Run: runFaults}
}

// The claim.
const (
	flaggedShare = 0.99
	falseShare   = 0.02
)

// fault is one way to spoil a run.
type fault struct {
	name  string
	cause string // that the verdict has to name; "": the run is clean, and has to be valid
	once  func(ctx context.Context, env *Env, n int) (childOutcome, error)
}

// faults lists them, the clean run last.
func faults(env *Env) []fault {
	steady := []string{"--rate", "20000/s", "--duration", choose(env, "1500ms", "2500ms", "2500ms")}
	return []fault{
		{"CPU hog", metrics.CauseClient, child{args: steady, beside: 3}.run},
		{"SIGSTOP", metrics.CauseClient, child{args: steady, hurt: stopForAMoment}.run},
		{"CPU quota", metrics.CauseClient, child{args: steady, hurt: limitCPU}.run},
		{"other linger", metrics.CauseConfiguration, otherLinger},
		{"saturated client", metrics.CauseClient, saturated},
		{"drifting target", metrics.CauseUnsteady, child{args: []string{"--rate", "2000/s", "--duration", driftTime.String(),
			"--hold", fmt.Sprintf("drift:from=1ms,to=100ms,over=%s", driftTime+2*time.Second)}}.run},
		{"clean", "", child{args: []string{"--rate", "5000/s", "--duration", choose(env, "2s", "3s", "3s")}}.run},
	}
}

// driftTime is long enough for a trend of seconds to be told from chance.
const driftTime = 8 * time.Second

// saturated asks a client for several times what it can do on one CPU, one client after the other; not for more, or the
// warm-up's records would still be on their way at the end.
func saturated(ctx context.Context, env *Env, n int) (childOutcome, error) {
	c := []struct{ driver, rate string }{{"sarama", "3000000/s"}, {"franz", "8000000/s"}}[n%2]
	return child{args: []string{"--driver", c.driver, "--rate", c.rate, "--duration", "2500ms", "--set", "records.value.size=100"}}.run(ctx, env, n)
}

// stopForAMoment stops the process for a third of a second in the middle of its measured part.
func stopForAMoment(ctx context.Context, pid int) (undo func() error, err error) {
	if !sleep(ctx, childStart+childWarmup+500*time.Millisecond) {
		return nothing, ctx.Err()
	}
	if err := stopProcess(pid); err != nil {
		return nothing, fmt.Errorf("%w: can't stop the generator: %w", ErrUnable, err)
	}
	sleep(ctx, 300*time.Millisecond)
	return nothing, continueProcess(pid)
}

// limitCPU gives the process a part of a CPU, from when its target runs, which is a process of its own.
func limitCPU(ctx context.Context, pid int) (undo func() error, err error) {
	if !sleep(ctx, childStart) {
		return nothing, ctx.Err()
	}
	return limitProcess(pid, quotaShare)
}

// quotaShare is what a quota leaves the generator of a CPU: far less than it needs.
const quotaShare = 0.15

// otherLinger asks for one linger.ms and gets another: from a client that is really opened with it, or from one that says
// so of itself.
func otherLinger(ctx context.Context, env *Env, n int) (childOutcome, error) {
	d := env.Clients[n%len(env.Clients)]
	open := d.Open
	d.Open = func(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		lie := n%2 == 1
		if !lie {
			cfg.Producer.Linger = 25 * time.Millisecond
		}
		session, err := open(ctx, cfg, ack)
		if lie && err == nil {
			session.Effective = maps.Clone(session.Effective)
			session.Effective["linger.ms"] = "25"
		}
		return session, err
	}
	plan := newPlan(uint64(n+1), d.Name, 100)
	plan.Producer.Linger = 5 * time.Millisecond
	plan.Load.Rate.PerSecond, plan.Load.Duration, plan.Load.Warmup.Duration = 5000, time.Second, childWarmup
	seen, err := trial{plan: plan, driver: d}.run(ctx, env)
	if err != nil {
		return childOutcome{}, err
	}
	return childOutcome{seen.res.Verdict, seen.trouble}, nil
}

func runFaults(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	all, right := 0, 0
	for _, f := range faults(env) {
		n := choose(env, 1, 4, 20)
		if f.cause == "" {
			n = choose(env, 1, 10, 100)
		}
		t, err := f.tally(ctx, env, n)
		if ctx.Err() != nil {
			return o, ctx.Err()
		}
		o.Notes = append(o.Notes, t.notes...)
		if err != nil {
			if !errors.Is(err, ErrUnable) {
				return o, fmt.Errorf("%s: %w", f.name, err)
			}
			o.Rows = append(o.Rows, Row{What: f.name, Unit: Share, State: Unable, Note: err.Error(), Low: flaggedShare, High: 1, Truth: 1})
			continue
		}
		o.Rows = append(o.Rows, t.row())
		if f.cause != "" {
			all, right = all+t.tried, right+t.right
		} else {
			o.Measured = fmt.Sprintf("%d of %d spoilt runs called invalid with the right cause; %d false alarms in %d clean runs", right, all, t.tried-t.right, t.tried)
		}
	}
	return judge(o), nil
}

// tally is how often a fault was found.
type tally struct {
	fault   fault
	tried   int
	right   int
	causes  map[string]int // how the verdicts came out
	spoilt  string         // the last thing that was in the way of a clean run, where none was left to count
	notes   []string
	skipped int // runs that something else spoilt
}

// tally tries a fault n times. A run that came out wrong on a machine that was busy with something else is repeated, and
// doesn't count if that goes on.
func (f fault) tally(ctx context.Context, env *Env, n int) (*tally, error) {
	t := &tally{fault: f, causes: map[string]int{}}
	for i := range n {
		env.logf("verdict: %s, %d of %d", f.name, i+1, n)
		for attempt := 1; ; attempt++ {
			o, err := f.once(ctx, env, i+1)
			if err != nil {
				return t, err
			}
			if o.verdict.Cause == f.cause || o.trouble == "" {
				t.add(o.verdict)
				break
			}
			t.spoilt = o.trouble
			if attempt == attempts || env.late() {
				t.skipped++
				t.notes = append(t.notes, fmt.Sprintf("%s %d doesn't count: %s", f.name, i+1, o.trouble))
				break
			}
		}
	}
	return t, nil
}

func (t *tally) add(v metrics.Verdict) {
	cause := v.Cause
	if cause == "" {
		cause = v.State
	}
	t.tried++
	t.causes[cause]++
	if v.Cause == t.fault.cause {
		t.right++
	} else {
		t.notes = append(t.notes, fmt.Sprintf("%s came out as %s: %s", t.fault.name, cause, several(v.Reasons)))
	}
}

// row holds the tally against the claim.
func (t *tally) row() Row {
	var r Row
	if t.tried == 0 {
		return Row{What: t.fault.name, Unit: Share, State: Unable, Note: t.spoilt, Low: flaggedShare, High: 1, Truth: 1}
	}
	share := float64(t.right) / float64(t.tried)
	if t.fault.cause == "" {
		r = bounded(t.fault.name+" runs, false alarms", 1-share, 0, 0, falseShare, Share)
	} else {
		r = bounded(t.fault.name+", invalid: "+t.fault.cause, share, 1, flaggedShare, 1, Share)
	}
	var parts []string
	for _, cause := range slices.Sorted(maps.Keys(t.causes)) {
		parts = append(parts, fmt.Sprintf("%s %d", cause, t.causes[cause]))
	}
	r.Note = fmt.Sprintf("of %d: %s", t.tried, strings.Join(parts, ", "))
	return r
}
