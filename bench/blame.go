package bench

// blame shares out the delay of records that are due while the sender is behind its schedule, between the generator and the
// client. What put the sender behind is to blame until it has caught up: working off what a stop left takes time in Send, too,
// and working off what a full buffer left takes time between two Sends. One sender's.
type blame struct {
	stopped int64 // ns for which the generator stood still since the sender fell behind
	held    int64 // ns for which the client had the sender since then
}

// standstill is more than the sender takes between two Sends when it has a processor: some µs for a full burst.
const standstill = 50_000

// heldInstead bounds what the generator has to answer for: of a record that the client held up ten times as long, its part is
// none. A client that is asked for too much takes the next records that much sooner after a stop.
const heldInstead = 10

// free tells that the sender was free at idle, when the next record hadn't been due yet: it has caught up.
func (b *blame) free(idle, due int64) {
	if idle <= due {
		*b = blame{}
	}
}

// slow takes in that the sender, free since idle, went on at now with what was due from due on.
func (b *blame) slow(idle, due, now int64) {
	if gap := now - max(idle, due); gap > standstill {
		b.stopped += gap
	}
}

// hold takes in that the client had the sender for so long, in Send or with all records out.
func (b *blame) hold(ns int64) { b.held += ns }

// pressure is the client's part of a wait that ended when the sender became free.
func (b *blame) pressure(wait int64) int64 {
	if b.stopped == 0 || wait <= 0 {
		return max(0, wait)
	}
	return int64(float64(wait) * (float64(b.held) / float64(b.held+b.stopped)))
}
