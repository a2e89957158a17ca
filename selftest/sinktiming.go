package selftest

import (
	"context"
	"fmt"
	"time"

	"kbench/broker/sink"
)

func sinkCheck() Check {
	return Check{Name: "sink", Claim: "the truth's own error: answers leave the sink within 100 µs of their planned time at p99, and its log has the time at which they really left",
		Run: runSink}
}

// sinkP99 is the claim, in ns. What is held against the sink is its log, not its plan: a larger error would bend the
// injected distributions, not the comparison.
const sinkP99 = 100e3

func runSink(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	d, ok := env.client("native")
	if !ok {
		return o, fmt.Errorf("there is no driver native")
	}
	plan := newPlan(17, d.Name, 100)
	plan.Load.Rate.PerSecond = 20_000
	plan.Load.Duration = choose(env, time.Second, 5*time.Second, 10*time.Second)
	env.logf("sink: timing error")
	rows, notes, err := repeatedly(ctx, env, "held answers", func() ([]Row, string, error) {
		seen, err := trial{plan: plan, driver: d, hold: []string{"uniform:from=1ms,to=5ms"}, own: true}.run(ctx, env)
		if err != nil {
			return nil, "", err
		}
		e := sink.TimingError(seen.log)
		o.Measured = e.String()
		return sinkRows(e), seen.trouble, nil
	})
	o.Rows, o.Notes = rows, notes
	return judge(o), err
}

// sinkRows hold the errors against the claim.
func sinkRows(e sink.TimingErrors) []Row {
	info := bounded("departure − plan, p99.9", float64(e.P999), 0, 0, sinkP99, Nanoseconds)
	info.State = Information
	return []Row{
		yes("answers were held", e.Answers > 0),
		bounded("departure − plan, p50", float64(e.P50), 0, 0, sinkP99, Nanoseconds),
		bounded("departure − plan, p99", float64(e.P99), 0, 0, sinkP99, Nanoseconds),
		info,
	}
}
