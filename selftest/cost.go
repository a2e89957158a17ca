package selftest

import (
	"context"
	"fmt"
	"time"

	"kbench/workload"
)

func costCheck() Check {
	return Check{Name: "cost", Claim: "the whole run loop, with all that it watches, costs at most 40 ns and no allocation a record",
		Run: runCost}
}

// The claim. A run allocates a few thousand objects at its start and end, whatever its length; spread over its records
// that is nothing.
const (
	costNS     = 40
	costAllocs = 0.001
)

// runCost runs as fast as a client allows that takes no time.
func runCost(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	rows, notes, err := repeatedly(ctx, env, "null driver", func() ([]Row, string, error) {
		w := startWatch()
		plan := newPlan(1, env.Null.Name, 100)
		plan.Load.Arrivals = workload.ArrivalsMax
		plan.Load.Warmup.Duration = 500 * time.Millisecond
		plan.Load.Duration = choose(env, 1500*time.Millisecond, 5*time.Second, 10*time.Second)
		res, _, err := runAlone(ctx, &plan, env.Null)
		if err != nil {
			return nil, "", err
		}
		ns := 1e9 / res.Totals.RecordsPerSecond
		o.Measured = fmt.Sprintf("%.1f ns, %.1e allocations a record, %d records", ns, res.Runtime.AllocsPerRecord, res.Totals.Acked)
		return []Row{
			bounded("run loop, a record", ns, costNS, 0, costNS, Nanoseconds),
			bounded("allocations a record", res.Runtime.AllocsPerRecord, 0, 0, costAllocs, Count),
		}, w.trouble(0), nil
	})
	o.Rows, o.Notes = rows, notes
	return judge(o), err
}
