package main

import (
	"errors"
	"sync"
	"time"

	"kbench/native"
)

// fate is what is known about one record.
type fate struct {
	asked  int32 // partition, −1: any
	topic  int32 // of the load's
	txn    int32 // of the producer's; 0 without transactions
	calls  int32 // callbacks
	ok     bool
	proven bool // it failed with an error that proves that it was never sent
	part   int32
	offset int64 // −1: unknown
	at     time.Time
}

// ledger keeps the fates of one producer's records by slot.
type ledger struct {
	mu     sync.Mutex
	fates  []fate
	errs   map[string]int
	closed bool // after Close no callback may come
	late   int  // callbacks that came all the same, or for slots never given
}

func newLedger() *ledger { return &ledger{errs: map[string]int{}} }

// next enters a record and returns its slot.
func (l *ledger) next(asked int32) uint32 {
	return l.enter(fate{asked: asked, part: -1, offset: -1})
}

// enter enters a record of which nothing is known but what was asked, and returns its slot.
func (l *ledger) enter(f fate) uint32 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fates = append(l.fates, f)
	return uint32(len(l.fates) - 1)
}

// ack is the producer's OnAck.
func (l *ledger) ack(a native.Ack) {
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, slot := range a.Slots {
		if l.closed || int(slot) >= len(l.fates) {
			l.late++
			continue
		}
		f := &l.fates[slot]
		f.calls++
		f.ok, f.part, f.at = a.Err == nil, a.Partition, now
		if a.BaseOffset >= 0 {
			f.offset = a.BaseOffset + int64(i)
		}
		if a.Err != nil {
			l.errs[a.Err.Error()]++
			f.proven = neverSent(a.Err)
		}
	}
}

// close ends the ledger: the producer's Close has returned.
func (l *ledger) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
}

// neverSent says whether an error proves that the record isn't in any log.
func neverSent(err error) bool {
	for _, proof := range []error{native.ErrRecordTooLarge, native.ErrBufferExhausted, native.ErrUnknownPartition, native.ErrTransactionAborted} {
		if errors.Is(err, proof) {
			return true
		}
	}
	return false
}

// elsewhere says whether a record isn't where it was asked or acknowledged to be, but in that partition. asked is the partition
// that the record itself names.
func (f *fate) elsewhere(asked, partition int32) bool {
	return asked != f.asked || f.asked >= 0 && partition != f.asked || f.ok && f.part != partition
}

// counts are what ledgers add up to.
type counts struct {
	sent, acked, failed int
	unanswered, again   int // records without a callback, callbacks beyond the first
}

// add adds a ledger, and its errors to errs.
func (c *counts) add(l *ledger, errs map[string]int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c.sent += len(l.fates)
	c.again += l.late
	for i := range l.fates {
		f := &l.fates[i]
		switch {
		case f.calls == 0:
			c.unanswered++
		case f.ok:
			c.acked++
		default:
			c.failed++
		}
		c.again += max(0, int(f.calls)-1)
	}
	for text, n := range l.errs {
		errs[text] += n
	}
}
