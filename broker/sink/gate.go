package sink

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// gate is where the Produce requests of all connections pass when they have arrived: it stamps them, says when their
// answers leave, and keeps the log. There is one for a sink that holds or logs, and none otherwise.
type gate struct {
	clock clock
	late  lateness
	log   *logFile // nil: none

	spins    bool        // there is a processor to spin on
	spinning atomic.Bool // somebody does: one sender at a time, the others must go on reading

	mu   sync.Mutex // arrivals pass one after the other, so that the log, the queue and the draws have the same order
	plan *planner
}

func newGate(o Options) (*gate, error) {
	c, err := newClock()
	if err != nil {
		return nil, err
	}
	g := &gate{clock: c, plan: newPlanner(o.Hold, o.HoldSeed), spins: runtime.GOMAXPROCS(0) > 1}
	if o.TimingLog != "" {
		g.log, err = createLog(o.TimingLog, LogHeader{Hold: o.Hold.String(), Seed: o.HoldSeed, Clock: clockName})
	}
	return g, err
}

// ticket is what the gate gives a request; the zero ticket is that of a request that didn't pass it.
type ticket struct {
	outcome
	entry  logged
	passed bool
}

// admit takes a request that has arrived in this moment. e says what it is; its answer departs at notBefore at the
// earliest, because of those before it.
func (g *gate) admit(e LogEntry, notBefore int64) ticket {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.Arrival = g.clock.now()
	t := ticket{outcome: g.plan.next(e.Arrival, int(e.Records)), passed: true}
	t.departure = max(t.departure, notBefore)
	if g.log == nil {
		return t
	}
	e.Code, e.Throttle = t.code, t.throttle
	if e.Acks != 0 {
		e.Planned = t.departure
	}
	t.entry = g.log.add(e)
	if e.Acks == 0 {
		t.entry.finish(0)
	}
	return t
}

// departed notes when a request's answer left.
func (g *gate) departed(t *ticket, at int64) {
	if t.passed {
		g.late.add(at - t.departure)
		t.entry.finish(at)
	}
}

// never notes that a request's answer won't leave.
func (g *gate) never(t *ticket) {
	t.entry.finish(0)
}

// close ends the log once no request passes any more.
func (g *gate) close() error {
	if g == nil || g.log == nil {
		return nil
	}
	return g.log.close()
}

// startSpin allows the caller to spin until endSpin, or doesn't.
func (g *gate) startSpin() bool { return g.spins && g.spinning.CompareAndSwap(false, true) }

func (g *gate) endSpin() { g.spinning.Store(false) }
