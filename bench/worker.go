package bench

import (
	"context"
	"sync"
	"sync/atomic"

	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// burst is how many records are handed over at most in one Send: enough to make a clock read and a lock per burst
// nearly free, few enough to stay in the first-level cache.
const burst = 64

// phases are the times at which the run changes, shared by all workers. Both are ns from the start of the run.
type phases struct {
	measure atomic.Int64 // records due from here on are measured; MaxInt64 while the warm-up's end isn't known
	end     atomic.Int64 // no record is due from here on; MaxInt64 while unknown
}

// counts of one phase (0: measured, 1: warm-up), each written by one goroutine at a time.
type counts [2]uint64

func (c *counts) add(n uint64, warmup bool) {
	if warmup {
		c[1] += n
	} else {
		c[0] += n
	}
}

// worker drives one producer: a sender goroutine that fills, paces and hands over, and the client's acknowledgements.
type worker struct {
	clock     *metrics.Clock
	collector *metrics.Collector
	phases    *phases
	schedule  workload.Schedule // nil: closed loop or maximum rate, records are due when they are handed over
	source    *workload.Source
	producer  driver.Producer
	pacer     pacer
	slots     []slot
	free      *freeList
	stop      <-chan struct{} // closed with pacer.stop set: hand over nothing more
	budget    uint64          // records this worker may schedule; MaxUint64: no bound
	burst     int
	timeout   int64  // delivery.timeout.ms in ns
	breakOff  func() // ends the load for all, when the client can't be used any more

	// Sender's.
	send      *metrics.Recorder
	recs      [burst]workload.Record
	ids       [burst]uint32
	due       [burst]int64
	held      int // slots in ids that are taken and not used yet
	scheduled counts
	unhanded  counts // of scheduled: censored before they reached the client
	sendErr   error
	cpuWarm   int64         // of pacer.cpu, in the warm-up
	late      counts        // of scheduled: handed over late by the generator
	stops     lateStops     // that made measured records late
	blame     blame         // for being behind
	gaps      *gapSample    // nil: the arrivals aren't Poisson
	out       atomic.Uint64 // records handed over; read by the watch
	_         [64]byte

	// The acknowledgements'.
	ack         *metrics.Recorder
	tail        uint64
	acked       counts
	failed      counts
	censored    counts
	ackedBytes  counts
	window      uint64 // records acknowledged between measure and end, whenever they were due
	windowBad   uint64 // and records not acknowledged
	windowBytes uint64
	served      int64  // sum of the service times of the records that came back between measure and end
	returned    uint64 // and their number
	stray       uint64 // acknowledgements of slots that held no record: the client's error
	lastAck     int64
	// lateResponse has the responses of those measured records that the generator handed over late.
	lateResponse metrics.Tally
	closing      atomic.Bool // failures are now the end of the run, not the client's verdict
	errMu        sync.Mutex
	errs         map[string]uint64
}

// run hands over records until the end of the run, the budget or stop.
func (w *worker) run(ctx context.Context) {
	defer w.send.Flush()
	if w.schedule == nil {
		w.runUnpaced(ctx)
	} else {
		w.runPaced(ctx)
	}
}

// runUnpaced hands over as fast as slots come back. Intended and handed are the same by definition.
func (w *worker) runUnpaced(ctx context.Context) {
	for w.budget > 0 && w.sendErr == nil {
		if w.held == 0 && !w.takeSlots() {
			return
		}
		n := int(min(uint64(w.held), w.budget))
		w.fill(n)
		now := w.clock.Now()
		if now >= w.phases.end.Load() || w.pacer.stop.Load() {
			return
		}
		for i := range n {
			w.due[i] = now
		}
		w.hand(ctx, n, now, now)
	}
}

// runPaced hands over each record when it is due. A record's lateness is split at the moment when the sender became
// free for it: after it we were slow; up to then what put the sender behind is to blame (see blame), which is the client
// (Send hadn't returned, or all slots were out) unless we had stood still.
func (w *worker) runPaced(ctx context.Context) {
	var next uint64
	due := int64(w.schedule.At(next))
	idle := w.clock.Now() // since when the sender is free
	for w.budget > 0 && due < w.phases.end.Load() && w.sendErr == nil {
		w.blame.free(idle, due)
		now := w.pacer.wait(due)
		if due < w.phases.measure.Load() {
			w.cpuWarm = w.pacer.cpu
		}
		if w.held == 0 {
			blocked := w.free.empty()
			taken := w.takeSlots()
			if blocked {
				w.blame.slow(idle, due, now)
				before := now
				now = w.clock.Now()
				w.blame.hold(now - before)
				idle = now
			}
			if !taken {
				break
			}
		}
		// The end may have been decided, or the run stopped, while we waited.
		end := w.phases.end.Load()
		if w.pacer.stop.Load() || due >= end {
			break
		}
		n, limit := 0, int(min(uint64(w.held), w.budget))
		for n < limit && due <= now && due < end {
			w.due[n] = due
			n++
			next++
			due = int64(w.schedule.At(next))
		}
		w.fill(n)
		handed := w.clock.Now()
		first := w.due[0]
		w.hand(ctx, n, handed, idle)
		w.blame.slow(idle, first, handed)
		idle = w.clock.Now()
		w.blame.hold(idle - handed)
	}
	w.giveUp(next, due)
}

// takeSlots waits for free slots; false: stopped.
func (w *worker) takeSlots() bool {
	for {
		if w.held = w.free.take(w.ids[:w.burst]); w.held > 0 {
			return true
		}
		w.free.wait(w.stop)
		if w.pacer.stop.Load() {
			return false
		}
	}
}

// fill prepares n records.
func (w *worker) fill(n int) {
	w.source.Fill(w.recs[:n])
}

// hand gives the n filled records, due at w.due[:n], to the client. Slots are used from the end of ids, so that what is
// left stays in front.
func (w *worker) hand(ctx context.Context, n int, handed, idle int64) {
	w.send.Roll(handed)
	measure := w.phases.measure.Load()
	w.held -= n
	before := w.late[0]
	for i := 0; i < n; {
		intended := w.due[i]
		same := i + 1 // the end of those due at the same time, which share all but the slot
		for same < n && w.due[same] == intended {
			same++
		}
		warmup := intended < measure
		pressure := w.blame.pressure(min(idle, handed) - intended)
		lateness := handed - intended - pressure
		late := lateness > lateNS && lateness > pressure/heldInstead
		m := uint64(same - i)
		if late {
			w.late.add(m, warmup)
		}
		w.scheduled.add(m, warmup)
		w.send.AddN(lateness, pressure, m, warmup)
		ids, recs, slots := w.ids[w.held+i:w.held+same], w.recs[i:same], w.slots
		for j, id := range ids {
			r := &recs[j]
			r.Slot = id
			slots[id] = slot{intended: intended, handed: handed, size: uint32(r.Size()), late: late}
		}
		i = same
	}
	if late := w.late[0] - before; late|w.stops.size != 0 {
		w.stops.note(late, handed)
	}
	if w.gaps != nil && handed >= measure {
		w.gaps.note(w.due[:n], handed, idle)
	}
	w.budget -= uint64(n)
	w.out.Store(w.out.Load() + uint64(n))
	// After stop, an error is only the end of ctx.
	if err := w.producer.Send(ctx, w.recs[:n]); err != nil && !w.pacer.stop.Load() {
		w.sendErr = err
		w.breakOff()
	}
}

// giveUp counts what was due before the end (or, if the client broke before it, until now) but couldn't be handed over any
// more: censored, with the time it has waited as the lower bound of its response. Leaving it out would hide exactly the
// overload that caused it.
func (w *worker) giveUp(next uint64, due int64) {
	now := w.clock.Now()
	end := min(w.phases.end.Load(), now)
	if w.budget == 0 || due >= end {
		return
	}
	w.send.Roll(now)
	lost := w.collector.Recorder(metrics.AckSide)
	lost.Roll(now)
	defer lost.Flush()
	measure := w.phases.measure.Load()
	for w.budget > 0 && due < end {
		warmup := due < measure
		w.scheduled.add(1, warmup)
		w.unhanded.add(1, warmup)
		pressure := w.blame.pressure(now - due)
		w.send.Add(now-due-pressure, pressure, warmup)
		lost.AddFirst(now-due, warmup)
		w.budget--
		next++
		due = int64(w.schedule.At(next))
	}
}
