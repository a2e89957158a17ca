package sink

import "math"

// planner computes departures from arrivals. It is pure: no clock, and the same arrivals give the same departures.
type planner struct {
	hold                     *Hold
	service, throttle, fault *uniform

	begun    bool
	first    int64   // arrival of the first request: what stalls and drift count from
	capFree  int64   // when the cap lets the next request pass; this and the following from first
	capCarry float64 // fraction of a ns by which capFree is early
	free     []int64 // when each of the queue's servers is free
}

// outcome is what becomes of one request.
type outcome struct {
	departure int64
	throttle  int32 // ms to tell the client; 0: nothing
	code      int16 // error to answer with; 0: none
}

func newPlanner(h *Hold, seed uint64) *planner {
	if h == nil {
		h = &Hold{}
	}
	p := &planner{hold: h, service: newUniform(seed, streamService), throttle: newUniform(seed, streamThrottle), fault: newUniform(seed, streamFault)}
	if h.queue != nil {
		p.free = make([]int64, h.queue.servers)
	}
	return p
}

const (
	// mostServices bounds the draws for one request: a batch's header may say anything, no client builds a larger one.
	mostServices = 1 << 20
	// farthest is how far ahead a departure may lie, a year in ns: what is overloaded for that long needn't be exact.
	farthest = 365 * 24 * 3600 * 1e9
)

// next takes the next request in the order of arrival; arrival is in ns.
func (p *planner) next(arrival int64, records int) outcome {
	if !p.begun {
		p.begun, p.first = true, arrival
	}
	h, t := p.hold, arrival-p.first
	d := p.serve(p.pass(t, records), records)
	if h.latency != nil {
		d += draw(h.latency, p.service)
	}
	d = h.stalls.leave(d + h.drift.at(t))
	o := outcome{departure: p.first + min(d, t+farthest)}
	if h.throttle.share > 0 && p.throttle.next() < h.throttle.share {
		o.throttle = h.throttle.millis
	}
	if h.fault.share > 0 && p.fault.next() < h.fault.share {
		o.code = h.fault.code
	}
	return o
}

// pass is when the cap lets a request through: max(arrival, departure of the one before) + n/cap.
func (p *planner) pass(t int64, records int) int64 {
	if p.hold.cap == 0 {
		return t
	}
	work := float64(records)/p.hold.cap*1e9 + p.capCarry
	p.capCarry = work - math.Floor(work)
	p.capFree = min(p.hold.stalls.done(max(t, p.capFree), whole(work)), t+farthest)
	return p.capFree
}

// serve is when the queue's servers are done with a request that joins at t: the first one that is free takes it.
func (p *planner) serve(t int64, records int) int64 {
	q := p.hold.queue
	if q == nil {
		return t
	}
	best := 0
	for i, free := range p.free {
		if free < p.free[best] {
			best = i
		}
	}
	p.free[best] = min(p.hold.stalls.done(max(t, p.free[best]), p.work(records)), t+farthest)
	return p.free[best]
}

// work is how long one server is busy with a request, in ns.
func (p *planner) work(records int) int64 {
	q := p.hold.queue
	if !q.perRecord {
		return draw(q.service, p.service)
	}
	if c, ok := q.service.(constantTime); ok {
		return whole(float64(c) * float64(records))
	}
	sum := 0.0
	for range min(records, mostServices) {
		sum += float64(draw(q.service, p.service))
	}
	return whole(sum)
}

// whole makes a non-negative number of ns an integer, bounded so that sums can't overflow.
func whole(ns float64) int64 { return int64(math.Min(math.Floor(ns), farthest)) }
