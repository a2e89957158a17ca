package selftest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"kbench/bench"
	"kbench/broker"
	"kbench/broker/sink"
	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// topicName is where every trial writes to; the sink makes it on demand.
const topicName = "selftest"

// trialWarmup is how long trials are warmed up: clients settle within some ms.
const trialWarmup = 500 * time.Millisecond

// newPlan is the plan that trials start from: one producer, one partition, so that the order of records is known; no
// linger, and as many requests in flight as a client may have, so that held answers hold up nothing else.
func newPlan(seed uint64, client string, valueBytes int) workload.Plan {
	p := workload.DefaultProducerConfig()
	p.Linger, p.EnableIdempotence, p.MaxInFlight = 0, false, 1000
	return workload.Plan{Profile: "selftest", Topics: []workload.Topic{{Name: topicName, Partitions: 1, ReplicationFactor: 1}},
		Records: workload.RecordSpec{Key: workload.KeySpec{Distribution: workload.KeyNone},
			Value: workload.ValueSpec{Size: workload.SizeSpec{Distribution: workload.SizeFixed, Bytes: valueBytes}}},
		Load:     workload.Load{Arrivals: workload.ArrivalsPoisson, Producers: 1, Send: workload.SendAsync, Warmup: workload.Warmup{Duration: trialWarmup}},
		Producer: p, Driver: client, Seed: seed}
}

// trial is one run in this process against a sink of its own.
type trial struct {
	plan   workload.Plan // of one topic; the sink has a broker for each partition
	driver driver.Driver
	hold   []string // models of the sink, as sink.ParseHold reads them
	own    bool     // generator and sink each on CPUs of their own, where there are two
	tap    bool     // the client's answers are watched where it reads them
	// during is called when the load starts and may hurt the target or cancel the run; nil: nobody interferes. It has
	// to return before or soon after stop does.
	during func(ctx context.Context, target *broker.Target, cancel func())
}

// observed is what a trial gave.
type observed struct {
	res      *metrics.Result
	err      error // of the run; there may be a result all the same
	log      []sink.LogEntry
	cutOff   bool // the log ends early: the sink was killed
	due      []int64
	left     []int64 // when each record's answer left, on CLOCK_MONOTONIC
	came     []int64 // when it came in at the client, by the tap
	orderErr error   // why left isn't known
	trouble  string  // what else took this machine's time; "": nothing to speak of
}

// trials numbers logs, so that each has a name of its own.
var trials atomic.Int64

// run carries a trial out.
func (t trial) run(ctx context.Context, env *Env) (*observed, error) {
	plan := t.plan
	if err := plan.Validate(); err != nil {
		return nil, err
	}
	payloads, err := workload.NewSource(&plan, workload.SourceOptions{})
	if err != nil {
		return nil, err
	}
	place, err := newPlacement(t.own)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(env.Dir, fmt.Sprintf("hold-%d.log", trials.Add(1)))
	watch := startWatch()
	brokers := int(plan.Topics[0].Partitions)
	target, err := broker.Start(ctx, broker.Spec{Kind: broker.KindSink, Brokers: brokers, Partitions: brokers, CPUs: place.target,
		Hold: t.hold, HoldSeed: plan.Seed, TimingLog: name})
	if err != nil {
		return nil, err
	}
	pid := target.Nodes()[0].PID
	if err := place.enter(); err != nil {
		return nil, errors.Join(err, target.Close())
	}
	client, tap := t.driver, (*tap)(nil)
	if t.tap {
		tap = newTap(int(plan.Load.Rate.PerSecond * (plan.Load.Duration + trialWarmup + time.Second).Seconds()))
		client = tap.wrap(client)
	}
	o := &observed{}
	o.res, o.err = t.load(ctx, target, bench.Options{Plan: &plan, Payloads: payloads, Driver: client, Bootstrap: target.Bootstrap,
		Topics: []string{topicName}, Died: target.Done(), Abort: env.Abort})
	targetCPU := processCPU(pid)
	killed := target.Err() != nil // then Close can only tell that again
	closeErr := target.Close()
	if killed {
		closeErr = nil
	}
	if err := errors.Join(closeErr, place.leave()); err != nil {
		return nil, err
	}
	o.trouble = watch.trouble(targetCPU)
	if o.res == nil {
		return nil, o.err
	}
	o.trouble = blame(o.trouble, o.res)
	if err := o.read(name, &plan, payloads); err != nil || tap == nil || o.orderErr != nil {
		return o, err
	}
	came, err := tap.received(o.log)
	if err != nil {
		return nil, err
	}
	o.came, err = answered(came)
	return o, err
}

// load does the run, with what happens during it.
func (t trial) load(ctx context.Context, target *broker.Target, opts bench.Options) (*metrics.Result, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan struct{})
	if t.during != nil {
		go func() {
			defer close(ended)
			t.during(ctx, target, cancel)
		}()
	} else {
		close(ended)
	}
	res, err := bench.Run(ctx, opts)
	cancel()
	<-ended
	return res, err
}

// read takes in the sink's log and works out what is known of each record.
func (o *observed) read(name string, plan *workload.Plan, payloads *workload.Payloads) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("the sink's log: %w", err)
	}
	header, log, err := sink.ReadLog(f)
	f.Close() // it was only read
	o.log, o.cutOff = log, err != nil
	if header.Clock != sink.ClockMonotonic {
		return fmt.Errorf("%w: the sink's log is kept on the clock %q, not on %s", ErrUnable, header.Clock, sink.ClockMonotonic)
	}
	if err := os.Remove(name); err != nil {
		return err
	}
	end := o.res.Totals.WarmupNS + o.res.Totals.DurationNS
	if o.due, err = dueTimes(plan, payloads.MeanRecordBytes(), end); err != nil {
		return err
	}
	o.left, o.orderErr = answered(log)
	return nil
}

// truth is the responses of the measured part's records by the times of their answers, and how many were never answered.
func (o *observed) truth(answers []int64) (truth, int, error) {
	if o.orderErr != nil {
		return nil, 0, o.orderErr
	}
	first, last := measuredPart(o.res)
	if last > len(o.due) {
		return nil, 0, fmt.Errorf("the result counts %d records, the schedule %d", last, len(o.due))
	}
	t, missing := trueResponses(o.due, answers, monotonic(o.res.Timing), first, last)
	return t, missing, nil
}

// attempts is how often a measurement is tried whose machine was busy with something else.
const attempts = 3

// repeatedly carries out a measurement until its rows pass, or fail on a machine that can't be blamed. Where the machine
// was in the way each time, the rows that fail become unable, with what was in the way as the reason; the notes tell every
// repetition.
func repeatedly(ctx context.Context, env *Env, name string, once func() (rows []Row, trouble string, err error)) (rows []Row, notes []string, err error) {
	for n := 1; ; n++ {
		rows, trouble, err := once()
		if err != nil {
			return rows, notes, fmt.Errorf("%s: %w", name, err)
		}
		failed := false
		for _, r := range rows {
			failed = failed || r.State == Fail
		}
		if !failed || trouble == "" {
			return rows, notes, nil
		}
		notes = append(notes, fmt.Sprintf("%s, attempt %d: %s", name, n, trouble))
		if n == attempts || env.late() || ctx.Err() != nil {
			for i := range rows {
				if rows[i].State == Fail {
					rows[i].State, rows[i].Note = Unable, trouble
				}
			}
			return rows, notes, ctx.Err()
		}
		env.logf("%s: once more: %s", name, trouble)
	}
}
