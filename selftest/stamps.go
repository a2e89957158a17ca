package selftest

import (
	"context"
	"errors"

	"kbench/bench"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// stamps notes when a client was handed how many records, on CLOCK_MONOTONIC.
type stamps struct {
	clock systemClock
	at    []int64
	count []uint16
}

// newStamps has room for so many hand-overs; further ones would allocate.
func newStamps(room int) *stamps {
	return &stamps{clock: newSystemClock(), at: make([]int64, 0, room), count: make([]uint16, 0, room)}
}

// wrap makes a driver note every Send of its one producer.
func (s *stamps) wrap(d driver.Driver) driver.Driver {
	open := d.Open
	d.Open = func(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		session, err := open(ctx, cfg, ack)
		if err == nil {
			session.Producer = &stampingProducer{session.Producer, s}
		}
		return session, err
	}
	return d
}

// times is when each record was handed over, in the order of sending.
func (s *stamps) times() []int64 {
	var all []int64
	for i, n := range s.count {
		for range n {
			all = append(all, s.at[i])
		}
	}
	return all
}

// stampingProducer notes the time of each Send before it passes it on.
type stampingProducer struct {
	driver.Producer
	stamps *stamps
}

var _ driver.Producer = (*stampingProducer)(nil)

// Send implements driver.Producer.
func (p *stampingProducer) Send(ctx context.Context, recs []workload.Record) error {
	p.stamps.at = append(p.stamps.at, p.stamps.clock.now())
	p.stamps.count = append(p.stamps.count, uint16(len(recs)))
	return p.Producer.Send(ctx, recs)
}

// runAlone runs a plan with a client that needs no target, and returns when its records were due on the run's clock.
func runAlone(ctx context.Context, plan *workload.Plan, d driver.Driver) (*metrics.Result, []int64, error) {
	if err := plan.Validate(); err != nil {
		return nil, nil, err
	}
	payloads, err := workload.NewSource(plan, workload.SourceOptions{})
	if err != nil {
		return nil, nil, err
	}
	res, err := bench.Run(ctx, bench.Options{Plan: plan, Payloads: payloads, Driver: d, Topics: []string{topicName}})
	if err != nil {
		return nil, nil, err
	}
	if plan.Load.Rate == (workload.Rate{}) {
		return res, nil, nil
	}
	due, err := dueTimes(plan, payloads.MeanRecordBytes(), res.Totals.WarmupNS+res.Totals.DurationNS)
	return res, due, errors.Join(err, ctx.Err())
}
