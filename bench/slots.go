package bench

import "sync/atomic"

// slot is the harness's state of one in-flight record. The sender writes it before Send, the acknowledgement reads it
// after: the client's own hand-over between the two orders the accesses.
type slot struct {
	intended int64 // ns from the start of the run
	handed   int64 // ns from the start of the run; free: no record
	size     uint32
	late     bool // by the generator's own doing, by more than lateNS
}

// free marks a slot without a record, so that a client that acknowledges twice is found out.
const free = -1

// freeList holds the slots that the sender may use: a single-producer (the acknowledgements), single-consumer (the
// sender) ring. Slots that came back are used again before fresh ones, so that the number of slots in use, and with it
// the memory touched, follows what is really in flight.
type freeList struct {
	ring  []uint32 // power of two, ≥ the number of slots: it can't overflow
	fresh uint32   // slots from here on were never used; sender only
	limit uint32
	head  uint64 // next to take; sender only
	_     [64]byte
	tail  atomic.Uint64 // end of what is returned
	_     [64]byte
	// waiting is set by a sender that found nothing. The sender sets it and then looks at tail again; the other side
	// moves tail and then looks at waiting: one of the two always sees the other.
	waiting atomic.Bool
	wake    chan struct{}
}

func newFreeList(slots int) *freeList {
	size := 1
	for size < slots {
		size <<= 1
	}
	return &freeList{ring: make([]uint32, size), limit: uint32(slots), wake: make(chan struct{}, 1)}
}

// take puts up to len(dst) free slots into dst and returns how many.
func (f *freeList) take(dst []uint32) int {
	mask := uint64(len(f.ring) - 1)
	n := int(min(f.tail.Load()-f.head, uint64(len(dst))))
	for i := range dst[:n] {
		dst[i] = f.ring[(f.head+uint64(i))&mask]
	}
	f.head += uint64(n)
	for n < len(dst) && f.fresh < f.limit {
		dst[n] = f.fresh
		f.fresh++
		n++
	}
	return n
}

// wait blocks until a slot may have come back, or stop is closed.
func (f *freeList) wait(stop <-chan struct{}) {
	f.waiting.Store(true)
	if f.tail.Load() != f.head {
		f.waiting.Store(false)
		return
	}
	select {
	case <-f.wake:
	case <-stop:
		f.waiting.Store(false)
	}
}

// put stores a slot that came back as the i-th after the ring's tail; publish makes it and its forerunners visible.
func (f *freeList) put(tail uint64, slot uint32) { f.ring[tail&uint64(len(f.ring)-1)] = slot }

// empty says whether take would find nothing.
func (f *freeList) empty() bool { return f.tail.Load() == f.head && f.fresh == f.limit }

// publish moves the tail and wakes a waiting sender.
func (f *freeList) publish(tail uint64) {
	f.tail.Store(tail)
	if f.waiting.Load() && f.waiting.CompareAndSwap(true, false) {
		select {
		case f.wake <- struct{}{}:
		default: // a wake-up is already there
		}
	}
}
