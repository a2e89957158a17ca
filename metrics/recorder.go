package metrics

import (
	"sync"
	"time"
)

// Second is the length of an Interval.
const Second = int64(time.Second)

// Side says which end of the hand-over a Recorder sits on.
type Side uint8

// The two sides. Each has two distributions, recorded jointly: both values of a record in one call.
const (
	SendSide Side = iota // generator lateness, back-pressure
	AckSide              // response, service
)

// set is what one Recorder found out in one second about records of one phase.
type set struct {
	side   Side
	second int64 // number of the interval
	warmup bool
	a, b   tally
	acked  uint64
	failed uint64
	bytes  uint64
}

// Recorder records latencies on one side of one producer. One goroutine at a time uses it. Full seconds are handed to
// the Collector, which empties and returns them, so that recording allocates nothing once running.
type Recorder struct {
	collector *Collector
	side      Side
	second    int64
	end       int64   // of the current second, in ns
	sets      [2]*set // measured, warm-up; nil until used in this second

	// The pending run: records with the same two values are counted and recorded together, which is what a burst
	// that was due at once and acknowledged at once looks like.
	runA, runB int64
	runSet     int
	run        uint64
}

// Roll moves to the second that now (ns from the start) lies in. Call it once for every clock reading.
func (r *Recorder) Roll(now int64) {
	if now < r.end {
		return
	}
	r.Flush()
	r.second = now / Second
	r.end = (r.second + 1) * Second
}

// Add records one record's two values: response and service on the AckSide, generator lateness and back-pressure on
// the SendSide. warmup says which phase the record was due in.
func (r *Recorder) Add(a, b int64, warmup bool) { r.AddN(a, b, 1, warmup) }

// AddN is Add for n ≥ 1 records with the same values.
func (r *Recorder) AddN(a, b int64, n uint64, warmup bool) {
	which := 0
	if warmup {
		which = 1
	}
	if r.run > 0 {
		if a == r.runA && b == r.runB && which == r.runSet {
			r.run += n
			return
		}
		r.endRun()
	}
	r.runA, r.runB, r.runSet, r.run = a, b, which, n
}

// AddFirst records only the first value: the response of a record that never reached the client has no service time.
func (r *Recorder) AddFirst(a int64, warmup bool) { r.set(warmup).a.add(a, 1) }

// Acked counts n acknowledged records of so many bytes.
func (r *Recorder) Acked(n, bytes uint64, warmup bool) {
	s := r.set(warmup)
	s.acked += n
	s.bytes += bytes
}

// Failed counts one failed record.
func (r *Recorder) Failed(warmup bool) { r.set(warmup).failed++ }

// Flush hands what is recorded to the Collector.
func (r *Recorder) Flush() {
	r.endRun()
	for i, s := range r.sets {
		if s != nil {
			r.sets[i] = nil
			r.collector.full <- s
		}
	}
}

func (r *Recorder) endRun() {
	if r.run == 0 {
		return
	}
	s := r.set(r.runSet == 1)
	s.a.add(r.runA, r.run)
	s.b.add(r.runB, r.run)
	r.run = 0
}

func (r *Recorder) set(warmup bool) *set {
	i := 0
	if warmup {
		i = 1
	}
	if s := r.sets[i]; s != nil {
		return s
	}
	return r.openSet(i)
}

func (r *Recorder) openSet(i int) *set {
	s := r.collector.fresh()
	s.side, s.second, s.warmup = r.side, r.second, i == 1
	r.sets[i] = s
	return s
}

// Collector gathers the finished seconds of all Recorders of a run, on a goroutine of its own.
type Collector struct {
	full chan *set
	free chan *set
	done chan struct{}

	mu      sync.Mutex
	seconds map[secondKey]*pieces
	acked   uint64
	failed  uint64
}

type secondKey struct {
	second int64
	warmup bool
}

// pieces of one second, not yet added up.
type pieces struct {
	parts  [2][2][]*Histogram // by side, then a and b
	acked  uint64
	failed uint64
	bytes  uint64
}

// NewCollector starts a collector for so many producers. Finish ends it.
func NewCollector(producers int) *Collector {
	// Room for every side to hand over two seconds before anybody would have to wait.
	c := &Collector{full: make(chan *set, 8*producers), free: make(chan *set, 8*producers),
		done: make(chan struct{}), seconds: map[secondKey]*pieces{}}
	go c.collect()
	return c
}

// Recorder returns a new recorder that hands its seconds to c.
func (c *Collector) Recorder(side Side) *Recorder {
	for range 2 {
		select {
		case c.free <- new(set):
		default:
		}
	}
	return &Recorder{collector: c, side: side, end: Second}
}

func (c *Collector) fresh() *set {
	select {
	case s := <-c.free:
		return s
	default:
		return new(set)
	}
}

func (c *Collector) collect() {
	defer close(c.done)
	for s := range c.full {
		c.take(s)
		s.a.reset()
		s.b.reset()
		s.acked, s.failed, s.bytes = 0, 0, 0
		select {
		case c.free <- s:
		default:
		}
	}
}

func (c *Collector) take(s *set) {
	a, b := s.a.compact(), s.b.compact()
	c.mu.Lock()
	defer c.mu.Unlock()
	key := secondKey{s.second, s.warmup}
	p := c.seconds[key]
	if p == nil {
		p = &pieces{}
		c.seconds[key] = p
	}
	parts := &p.parts[s.side]
	parts[0], parts[1] = append(parts[0], a), append(parts[1], b)
	p.acked += s.acked
	p.failed += s.failed
	p.bytes += s.bytes
	c.acked += s.acked
	c.failed += s.failed
}

// Totals is the number of acknowledged and failed records in all seconds that have arrived so far, warm-up included.
func (c *Collector) Totals() (acked, failed uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.acked, c.failed
}

// Interval returns what has arrived so far of second number k (0 is the first): both phases together, for progress
// displays and for finding the end of the warm-up. A second is complete only after every producer moved on from it.
func (c *Collector) Interval(k int64) Interval {
	c.mu.Lock()
	defer c.mu.Unlock()
	whole := pieces{}
	for _, warmup := range []bool{true, false} {
		p := c.seconds[secondKey{k, warmup}]
		if p == nil {
			continue
		}
		for side := range p.parts {
			for i := range p.parts[side] {
				whole.parts[side][i] = append(whole.parts[side][i], p.parts[side][i]...)
			}
		}
		whole.acked += p.acked
		whole.failed += p.failed
		whole.bytes += p.bytes
	}
	return whole.interval(k, false)
}

// Finish waits for everything that was flushed and returns the intervals in order of time, the warm-up's part of a
// second before the measured part. No Recorder of c may be used during or after it.
func (c *Collector) Finish() []Interval {
	close(c.full)
	<-c.done
	var last int64 = -1
	for key := range c.seconds {
		last = max(last, key.second)
	}
	var out []Interval
	for k := int64(0); k <= last; k++ {
		for _, warmup := range []bool{true, false} {
			if p := c.seconds[secondKey{k, warmup}]; p != nil {
				out = append(out, p.interval(k, warmup))
			}
		}
	}
	return out
}

func (p *pieces) interval(k int64, warmup bool) Interval {
	return Interval{
		Start: time.Duration(k * Second), End: time.Duration((k + 1) * Second), Warmup: warmup,
		Generator: Sum(p.parts[SendSide][0]...), Pressure: Sum(p.parts[SendSide][1]...),
		Response: Sum(p.parts[AckSide][0]...), Service: Sum(p.parts[AckSide][1]...),
		Acked: p.acked, Failed: p.failed, Bytes: p.bytes,
	}
}
