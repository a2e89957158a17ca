// Package bench is the run loop: it paces a plan's records into a driver, follows each to its acknowledgement and
// returns what it measured. It prints nothing.
package bench

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// Options is one run.
type Options struct {
	Plan *workload.Plan
	// Payloads are the plan's, from workload.NewSource.
	Payloads *workload.Payloads
	Driver   driver.Driver
	// Bootstrap lists host:port addresses of the target.
	Bootstrap []string
	// Topics holds the real topic names, in the order of Plan.Topics.
	Topics []string
	// Abort, when closed, gives up at once: no drain, what is unfinished is censored. For an impatient user. (Cancelling
	// Run's context stops the load and drains.) May be nil.
	Abort <-chan struct{}
	// Died, when closed, says that the target is gone: the run ends as with Abort, and its verdict says why. May be nil.
	Died <-chan struct{}
	// Observe is called about once a second from one goroutine, and must return quickly. May be nil.
	Observe func(Progress)
}

// Progress is what is known while a run goes on. It lags behind by up to a second.
type Progress struct {
	Elapsed  time.Duration // since the load started
	Warmup   bool
	Left     time.Duration // until the load ends; negative: not known yet
	Draining bool          // the load has ended, and what is in flight is waited for; nothing else is set
	Acked    uint64        // so far
	Failed   uint64
	Rate     float64 // records/s acknowledged in the last full second
	P50, P99 time.Duration
}

// Times the loop allows for what should be quick.
const (
	// handGrace is how long records that are due may still be handed over after the end: a backlog that takes longer
	// is an overload, and what is left of it is censored.
	handGrace = 5 * time.Second
	// drainSlack is what the drain waits beyond delivery.timeout.ms, within which a client must settle every record.
	drainSlack = 2 * time.Second
)

// Bounds of the number of records in flight per producer.
const (
	minSlots = 1 << 10
	maxSlots = 1 << 19
)

// run is the state of one Run.
type run struct {
	opts      Options
	plan      *workload.Plan
	clock     *metrics.Clock
	payloads  *workload.Payloads
	collector *metrics.Collector
	phases    phases
	workers   []*worker
	sessions  []driver.Session
	stop      chan struct{}
	stopped   atomic.Bool
	broken    chan struct{} // closed when a client can't be used any more
	breaking  sync.Once
	end       int64            // when the load ended
	usage     [2]metrics.Usage // at the start of the measurement and after the drain
	pressure  [2]reading       // at the start of the measurement and at the end of the load
	told      [2]told          // by the clients: at the start of the measurement and at its end
	measuring bool             // the measurement began; of control, until the load ends
	watch     *watch
	unsettled string // why the warm-up found no steady state; "": it did, or didn't look
	timing    metrics.Timing
	notes     []string
	interrupt bool
	died      bool
}

// reading is a state of the machine's counters, with the time of the run.
type reading struct {
	at int64
	metrics.Pressure
}

// Run carries the plan out. Cancelling ctx ends the load early, drains, and is marked in the result. The result is
// complete but for what only the caller knows (target, host, partitions). An error without a result means that nothing was
// measured; with one, that a client gave up on the way and the result tells what was measured until then.
func Run(ctx context.Context, opts Options) (*metrics.Result, error) {
	r := &run{opts: opts, plan: opts.Plan, stop: make(chan struct{}), broken: make(chan struct{})}
	if err := r.prepare(ctx); err != nil {
		return nil, err
	}
	checksum, err := workload.ScheduleChecksum(r.plan, r.payloads)
	if err != nil {
		r.close()
		return nil, err
	}
	defer setProcs(r.plan.Load)()
	runtime.GC() // the arenas' garbage isn't the measured part's
	started := r.load(ctx)
	r.drain()
	r.usage[1] = metrics.ReadUsage()
	r.timing.EndRun, r.timing.EndMonotonic = r.clock.Monotonic()
	return r.result(started, checksum), r.clientError()
}

// clientError is what made a client unusable; nil while all are well.
func (r *run) clientError() error {
	for _, w := range r.workers {
		if w.sendErr != nil && !r.interrupt && !r.died {
			return fmt.Errorf("driver %s stopped: %w", r.opts.Driver.Name, w.sendErr)
		}
	}
	return nil
}

// breakOff ends the load because a client can't be used any more.
func (r *run) breakOff() { r.breaking.Do(func() { close(r.broken) }) }

// prepare makes everything that costs time or memory: payloads, schedules, clients.
func (r *run) prepare(ctx context.Context) error {
	load := r.plan.Load
	r.payloads = r.opts.Payloads
	r.clock = metrics.NewClock()
	r.collector = metrics.NewCollector(load.Producers)
	if slotsPerProducer(r.plan, 0, r.payloads.MeanRecordBytes()) == maxSlots {
		r.notes = append(r.notes, fmt.Sprintf("at most %d records in flight per producer: less than buffer.memory=%d could hold", maxSlots, r.plan.Producer.BufferMemory))
	}
	for i := range load.Producers {
		slots := slotsPerProducer(r.plan, i, r.payloads.MeanRecordBytes())
		w, err := r.newWorker(i, slots)
		if err == nil {
			err = r.open(ctx, w, i, slots)
		}
		if err != nil {
			r.close()
			return err
		}
	}
	return nil
}

// newWorker prepares one producer's side of the harness.
func (r *run) newWorker(i, slots int) (*worker, error) {
	load := r.plan.Load
	schedule, err := workload.NewSchedule(load, workload.ScheduleOptions{
		Seed: r.plan.Seed, Shard: i, Shards: load.Producers, RecordBytes: r.payloads.MeanRecordBytes()})
	if err != nil {
		return nil, err
	}
	w := &worker{clock: r.clock, breakOff: r.breakOff, timeout: int64(r.plan.Producer.DeliveryTimeout), collector: r.collector, phases: &r.phases, schedule: schedule,
		source: r.payloads.Shard(i, load.Producers), pacer: pacer{clock: r.clock, spin: usableCPUs() > load.Producers, stop: &r.stopped, end: &r.phases.end},
		slots: make([]slot, slots), free: newFreeList(slots), stop: r.stop, budget: math.MaxUint64,
		send: r.collector.Recorder(metrics.SendSide), ack: r.collector.Recorder(metrics.AckSide), errs: map[string]uint64{}}
	for j := range w.slots {
		w.slots[j].handed = free
	}
	w.burst = min(burst, slots)
	if load.ExponentialGaps() {
		w.gaps = newGapSample(load.Producers, load.Duration)
	}
	if load.Records > 0 {
		w.budget = load.Records / uint64(load.Producers)
		if uint64(i) < load.Records%uint64(load.Producers) {
			w.budget++
		}
	}
	return w, nil
}

// open connects the client of worker w. Clients of one run are told apart by client.id.
func (r *run) open(ctx context.Context, w *worker, i, slots int) error {
	config := driver.Config{Bootstrap: r.opts.Bootstrap, Topics: r.opts.Topics, Producer: r.plan.Producer, Slots: slots,
		MaxRecordBytes: r.payloads.MaxRecordBytes(), Seed: r.plan.Seed + uint64(i)}
	session, err := r.opts.Driver.Open(ctx, config, w.onAcks)
	if err != nil {
		return fmt.Errorf("driver %s: %w", r.opts.Driver.Name, err)
	}
	w.producer = session.Producer
	r.workers = append(r.workers, w)
	r.sessions = append(r.sessions, session)
	return nil
}

// close ends what prepare began, for a run that never started.
func (r *run) close() {
	for _, s := range r.sessions {
		_ = s.Producer.Close() // the error that brought us here is the one to tell
	}
	r.collector.Finish()
}

// slotsPerProducer bounds the records in flight of producer i: by the closed loop's or sync's own number, else by what fits into
// buffer.memory, so that the client's memory, and not the harness, is what holds the load back.
func slotsPerProducer(plan *workload.Plan, i int, recordBytes float64) int {
	load := plan.Load
	if load.Send == workload.SendSync {
		return 1
	}
	if load.Arrivals == workload.ArrivalsClosed {
		share := load.InFlight / load.Producers
		if i < load.InFlight%load.Producers {
			share++
		}
		return share
	}
	fits := float64(plan.Producer.BufferMemory) / max(1, recordBytes)
	return int(min(max(fits*1.25, minSlots), maxSlots))
}

// drain waits for what is in flight and closes the clients.
func (r *run) drain() {
	if r.opts.Observe != nil {
		r.opts.Observe(Progress{Draining: true})
	}
	flush, cancel := context.WithTimeout(context.Background(), r.plan.Producer.DeliveryTimeout+drainSlack)
	defer cancel()
	go func() {
		select {
		case <-r.opts.Abort: // nil: never
			cancel()
		case <-r.opts.Died:
			cancel()
		case <-flush.Done():
		}
	}()
	r.each(func(i int, w *worker) {
		if r.plan.Load.Send != workload.SendFireAndForget {
			_ = w.producer.Flush(flush) // what isn't settled now is censored below, and counted
		}
		w.closing.Store(true)
		_ = w.producer.Close()
	})
	if r.plan.Load.Records > 0 {
		r.told[1] = r.ask() // its end is the last acknowledgement
	}
	for _, w := range r.workers {
		w.ack.Flush()
	}
}

// each runs f for all workers at once.
func (r *run) each(f func(i int, w *worker)) {
	var wg sync.WaitGroup
	for i, w := range r.workers {
		wg.Go(func() { f(i, w) })
	}
	wg.Wait()
}
