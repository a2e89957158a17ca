package selftest

import (
	"context"
	"fmt"
	"math"
	"time"

	"kbench/broker/sink"
	"kbench/workload"
)

func queueCheck() Check {
	return Check{Name: "queue", Claim: "M/M/1 and M/D/1 at ρ 0.5, 0.8, 0.95: response percentiles within the 99 % band of simulated runs, and within 1 % + 500 µs of Lindley's recursion on the same arrivals and services",
		Run: runQueue}
}

// queueQuantiles are those that theory is compared at.
func queueQuantiles() []float64 { return []float64{.5, .75, .9, .95, .99} }

// queueTolerance is for the recursion on the same draws: what is left is the client's own time, and what a processor takes
// to wake up that was idle, as it mostly is at such rates.
func queueTolerance(float64) tolerance { return tolerance{.01, 500e3} }

const (
	queueService = 5 * time.Millisecond // long beside the client's own time
	queueValue   = 800                  // bytes; with batch.size below it no two records share a request
	queueBatch   = 700
)

// queueCell is one queue that is tried.
type queueCell struct {
	kind   queueKind
	rho    float64
	client string
}

func runQueue(ctx context.Context, env *Env) (Outcome, error) {
	var o Outcome
	for _, c := range queueCells(env) {
		if err := queueRows(ctx, env, &o, c); err != nil {
			return o, err
		}
	}
	if r, ok := worst(o.Rows); ok {
		o.Measured = fmt.Sprintf("closest to its bound: %s, %s, allowed %s to %s", r.What, nsText(r.Measured), nsText(r.Low), nsText(r.High))
	}
	return judge(o), nil
}

func queueCells(env *Env) []queueCell {
	if env.Size == Quick {
		return []queueCell{{mm1, .5, "native"}}
	}
	var cells []queueCell
	for _, k := range []queueKind{mm1, md1} {
		for _, rho := range []float64{.5, .8, .95} {
			cells = append(cells, queueCell{k, rho, "native"})
		}
	}
	// Note: not sarama, which waits for answers of its own accord and so isn't the queue's only delay.
	return append(cells, queueCell{mm1, .8, "franz"})
}

func queueRows(ctx context.Context, env *Env, o *Outcome, c queueCell) error {
	d, ok := env.client(c.client)
	if !ok {
		return fmt.Errorf("there is no driver %s", c.client)
	}
	plan := newPlan(29, d.Name, queueValue)
	plan.Producer.BatchSize = queueBatch
	plan.Load.Rate.PerSecond = math.Round(c.rho / queueService.Seconds())
	plan.Load.Duration = choose(env, 2500*time.Millisecond, 20*time.Second, 30*time.Second)
	c.rho = plan.Load.Rate.PerSecond * queueService.Seconds() // as it really is
	hold := map[queueKind]string{mm1: "mm1:mean=", md1: "md1:time="}[c.kind] + queueService.String()
	what := fmt.Sprintf("%s %s ρ %.2f", c.client, c.kind, c.rho)
	env.logf("queue: %s", what)
	band := c.band(plan.Load)
	rows, notes, err := repeatedly(ctx, env, what, func() ([]Row, string, error) {
		seen, err := trial{plan: plan, driver: d, hold: []string{hold}, own: true}.run(ctx, env)
		if err != nil {
			return nil, "", err
		}
		shared := 0
		for _, e := range seen.log {
			if e.Records != 1 {
				shared++
			}
		}
		t, err := queueTruth(seen, hold, plan.Seed)
		if err != nil {
			return nil, "", err
		}
		rows := c.rows(what, responseView(seen.res), t, band)
		return append(rows, bounded(what+", requests of several records", float64(shared), 0, 0, 0, Count)), seen.trouble, nil
	})
	o.Rows, o.Notes = append(o.Rows, rows...), append(o.Notes, notes...)
	return err
}

// band is where 99 % of simulated runs of this length are, in ns.
func (c queueCell) band(load workload.Load) [][2]float64 {
	service := float64(queueService)
	band := queueRun{c.kind, c.rho, float64(load.Warmup.Duration) / service, float64(load.Duration) / service}.band(queueQuantiles(), 1000, 1)
	for i := range band {
		band[i][0] *= service
		band[i][1] *= service
	}
	return band
}

// rows hold a view against the simulated band, with theory as the truth, and against the recursion on the same draws.
func (c queueCell) rows(what string, v view, same truth, band [][2]float64) []Row {
	var rows []Row
	for i, q := range queueQuantiles() {
		rows = append(rows, bounded(join(what, percent(q)+" against theory"), v(q), c.kind.theory(c.rho, q)*float64(queueService), band[i][0], band[i][1], Nanoseconds))
	}
	for _, r := range compare(what, same, v, queueQuantiles(), queueTolerance) {
		r.What += " against the same draws"
		rows = append(rows, r)
	}
	return rows
}

// queueTruth is the response of each measured record by Lindley's recursion on the very due times of the run and the very
// service times of the sink: what a client that takes no time would have seen.
func queueTruth(seen *observed, hold string, seed uint64) (truth, error) {
	model, err := sink.ParseHold([]string{hold})
	if err != nil {
		return nil, err
	}
	draw := model.Draws(seed)
	all := lindley(seen.due, func() int64 { return int64(draw()) })
	first, last := measuredPart(seen.res)
	return newTruth(all[first:min(last, len(all))]), nil
}
