package sink

import (
	"math"
	"strings"
	"time"
)

// Hold says when the answers to Produce requests leave: the known truth that reported latencies are held against.
// ParseHold makes one from text. It never changes afterwards; a nil Hold holds nothing.
//
// A request takes this way, and every step is computed when it arrives, from its arrival alone:
//
//	cap, one server of all connections → latency model or queue → drift → stall → the order of its connection
//
// A Produce request has arrived when it has been read wholly. Kafka's protocol wants the answers of a connection in the
// order of its requests, so an answer whose hold is over still waits for those before it; with queues of one server that
// never happens. Queues and the cap are those of the whole sink: all its brokers and connections share one line, in the
// order of arrival. Other requests than Produce aren't held, but wait for the answers before them. With acks=0 there is no
// answer to hold: such a request only takes its share of queue and cap.
type Hold struct {
	parts []string // the models as text, in the order given

	latency  distribution // nil: none
	queue    *queueModel  // nil: none; never both
	cap      float64      // records/s; 0: none
	drift    drift
	stalls   stalls
	throttle throttling
	fault    fault
}

// queueModel is a queue before servers.
type queueModel struct {
	service   distribution
	servers   int
	perRecord bool
}

// drift is a hold that grows linearly: from at the first arrival, to after over and from then on. Times in ns.
type drift struct{ from, to, over int64 }

func (d drift) at(t int64) int64 {
	if t >= d.over {
		return d.to
	}
	return d.from + int64(float64(d.to-d.from)*float64(t)/float64(d.over))
}

// throttling is a share of the answers that tell the client to pause.
type throttling struct {
	millis int32
	share  float64
}

// fault is a share of the requests that are answered with an error.
type fault struct {
	code  int16
	share float64
}

// String is the hold as text that ParseHold reads; "none" where nothing is held.
func (h *Hold) String() string {
	if h == nil || len(h.parts) == 0 {
		return noHold
	}
	return strings.Join(h.parts, joiner)
}

// Active says whether anything is held, refused or throttled.
func (h *Hold) Active() bool { return h != nil && len(h.parts) > 0 }

// Utilisation is ρ, the share of time for which the busiest part is at work under so many records/s: the queue, or the
// cap. 1 or more means that the line grows without bound. It is 0 without queue and cap. Time that periodic stalls take
// counts as capacity that isn't there.
//
// ok is false where ρ depends on how many records a client puts into a request, as in a queue with per=request: it is an
// upper bound then, that of one record a request.
func (h *Hold) Utilisation(recordsPerSecond float64) (rho float64, ok bool) {
	if h == nil {
		return 0, true
	}
	ok = true
	if h.queue != nil {
		rho = recordsPerSecond * h.queue.service.mean() / 1e9 / float64(h.queue.servers)
		ok = h.queue.perRecord
	}
	if h.cap > 0 {
		if byCap := recordsPerSecond / h.cap; byCap >= rho {
			rho, ok = byCap, true // the queue is below it, whatever batches do
		}
	}
	return rho / (1 - h.stalls.share()), ok
}

// Draws returns a function whose k-th call is the k-th draw of the latency model (the hold of the k-th request) or of the
// queue's service time (the work of the k-th request, or record with per=record), in the order of arrival. Without
// either, all draws are 0. The function is for one goroutine.
func (h *Hold) Draws(seed uint64) func() time.Duration {
	var d distribution
	switch {
	case h == nil:
	case h.queue != nil:
		d = h.queue.service
	default:
		d = h.latency
	}
	if d == nil {
		return func() time.Duration { return 0 }
	}
	u := newUniform(seed, streamService)
	return func() time.Duration { return time.Duration(draw(d, u)) }
}

// Departures returns a function that, called for one request after the other in the order of arrival, says when each
// answer departs, as the server plans it but for the order of connections. Times are ns on any clock. records is how many
// the request has. The function is for one goroutine.
func (h *Hold) Departures(seed uint64) func(arrival int64, records int) (departure int64) {
	p := newPlanner(h, seed)
	return func(arrival int64, records int) int64 { return p.next(arrival, records).departure }
}

// longestHold bounds what a model may draw or be given.
const longestHold = time.Hour

// draw takes one value of a distribution, in ns. The rare draw above longestHold counts as longestHold.
func draw(d distribution, u *uniform) int64 {
	return int64(math.Round(math.Min(math.Max(d.quantile(u.next()), 0), float64(longestHold))))
}
