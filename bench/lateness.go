package bench

import "math"

// lateStops counts the records that the generator handed over late by the stops that made them so: whatever held up the
// sender made all late that was due meanwhile, and only stops are independent of each other, not records. One sender's.
type lateStops struct {
	count   uint64  // of stops that ended
	squares float64 // sum of the squares of their late records
	size    uint64  // late records of the stop that lasts; 0: none does
	since   int64   // when its first were handed over
}

// note takes in that at handed, so many of the records handed over were late. Lateness that doesn't end is no single
// event: after longStop, another one begins.
func (l *lateStops) note(late uint64, handed int64) {
	if l.size > 0 && (late == 0 || handed-l.since >= longStop) {
		l.end()
	}
	if late > 0 && l.size == 0 {
		l.since = handed
	}
	l.size += late
}

// end closes the stop that lasts.
func (l *lateStops) end() {
	if l.size > 0 {
		l.count++
		l.squares += float64(l.size) * float64(l.size)
		l.size = 0
	}
}

// lateConfidence is the normal distribution's 99 % quantile.
const lateConfidence = 2.326

// margin is how many late records, out of those that were seen, chance may account for: stops come by a Poisson process, so
// that the sum of their records has the sum of their squares as its variance. Senders stop together when their machine
// stops, so their errors are added as they are.
func margin(senders []*worker) (records float64, stops uint64) {
	for _, w := range senders {
		w.stops.end()
		records += lateConfidence * math.Sqrt(w.stops.squares)
		stops += w.stops.count
	}
	return records, stops
}
