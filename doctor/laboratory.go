package doctor

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"kbench/bench"
	"kbench/broker"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// laboratory measures the generator by running it.
type laboratory struct {
	opts     *Options
	report   *Report
	plan     *workload.Plan
	payloads *workload.Payloads
	sink     *broker.Target // nil: none was asked for, or it didn't start
	sinkErr  error
}

// topicName is the topic of all trials.
const topicName = "kbench-doctor"

// template is the load of kbench's own first profile with another size: what is vouched for here is what a run without
// arguments does.
const template = `name: doctor
topics: [{name: doctor, partitions: 6}]
records: {value: {size: %d}}
load: {arrivals: max, producers: 1, warmup: 0s, duration: 1s}
producer: {acks: all, linger.ms: 5, batch.size: 64KiB}
driver: native
`

// newPlan is the template as a plan.
func newPlan(size int64) (*workload.Plan, error) {
	p, err := workload.ParseProfile("doctor.yaml", fmt.Appendf(nil, template, size))
	if err != nil {
		return nil, err
	}
	plan, err := p.Plan()
	return &plan, err
}

// CheckRecordBytes refuses an empty value, and one that makes a record over max.request.size.
func CheckRecordBytes(size int64) error {
	if size < 1 {
		return fmt.Errorf("%d bytes: at least 1", size)
	}
	plan, err := newPlan(1)
	if err != nil {
		return err
	}
	limit := int64(plan.Producer.MaxRequestSize)
	if size <= limit && int64(workload.RecordSizeUpperBound(nil, make([]byte, size), nil)) <= limit {
		return nil
	}
	return fmt.Errorf("a value of %d bytes makes a record over max.request.size=%d", size, limit)
}

// measure fills in ceilings, pacing and the rate, with their findings.
func (l *laboratory) measure(ctx context.Context) (err error) {
	if l.plan, err = newPlan(l.opts.RecordBytes); err != nil {
		return err
	}
	if l.payloads, err = workload.NewSource(l.plan, workload.SourceOptions{}); err != nil {
		return err
	}
	l.sinkErr = l.startSink(ctx)
	defer func() {
		if l.sink != nil {
			_ = l.sink.Close() // it holds nothing, and dies with this process at the latest
		}
	}()
	if len(l.opts.CPUs) > 0 {
		if err := broker.PinSelf(l.opts.CPUs); err != nil {
			return err
		}
	}
	l.ceilings(ctx)
	l.pacing(ctx)
	l.vouch(ctx)
	return nil
}

// startSink starts the sink, if a ceiling needs it, and makes its topic.
func (l *laboratory) startSink(ctx context.Context) error {
	needed := false
	for _, c := range l.opts.Ceilings {
		needed = needed || c.Sink
	}
	if !needed || ctx.Err() != nil {
		return ctx.Err()
	}
	sink, err := broker.Start(ctx, broker.Spec{Kind: broker.KindSink, CPUs: l.opts.TargetCPUs})
	if err != nil {
		return err
	}
	l.sink = sink
	cluster, err := broker.Connect(ctx, sink.Bootstrap)
	if err != nil {
		return err
	}
	defer cluster.Close()
	topic := l.plan.Topics[0]
	return cluster.CreateTopics(ctx, []broker.TopicSpec{{Name: topicName, Partitions: topic.Partitions, ReplicationFactor: topic.ReplicationFactor}})
}

// trial is one run.
type trial struct {
	ceiling Ceiling
	rate    float64 // records/s, Poisson; 0: as fast as it goes
}

// run carries a trial out. The error says why there is no result, or none to be used.
func (l *laboratory) run(ctx context.Context, t trial) (*metrics.Result, error) {
	plan := *l.plan
	plan.Driver = t.ceiling.Driver.Name
	plan.Load.Duration, plan.Load.Warmup.Duration = l.opts.Duration, l.opts.Duration/5
	if t.rate > 0 {
		plan.Load.Arrivals, plan.Load.Rate = workload.ArrivalsPoisson, workload.Rate{PerSecond: t.rate}
	}
	if err := driver.Check(t.ceiling.Driver, &plan.Producer); err != nil {
		return nil, err
	}
	opts := bench.Options{Plan: &plan, Payloads: l.payloads, Driver: t.ceiling.Driver, Topics: []string{topicName}}
	if t.ceiling.Sink {
		if l.sinkErr != nil {
			return nil, fmt.Errorf("the sink: %w", l.sinkErr)
		}
		opts.Bootstrap, opts.Died = l.sink.Bootstrap, l.sink.Done()
	}
	res, err := bench.Run(ctx, opts)
	if err == nil && res.Totals.Acked == 0 && len(res.Totals.Errors) == 0 {
		// On a crowded machine the sender may not get a processor within a short measurement: that is worth a second try.
		res, err = bench.Run(ctx, opts)
	}
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return nil, err
	case res.Totals.Acked == 0:
		return nil, nothingAcked(res.Totals.Errors, l.opts.Duration)
	}
	return res, nil
}

// nothingAcked says why no record got through: the least of the errors' texts, so that it is the same every time.
func nothingAcked(errs map[string]uint64, duration time.Duration) error {
	if len(errs) == 0 {
		return fmt.Errorf("no record was sent within %v", duration)
	}
	return fmt.Errorf("no record was acknowledged: %s", slices.Min(slices.Collect(maps.Keys(errs))))
}
