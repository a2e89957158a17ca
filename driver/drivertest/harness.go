package drivertest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kbench/driver"
	"kbench/workload"
)

// patience bounds every wait of the suite; reaching it is a failure.
const patience = 15 * time.Second

// harness plays the run loop: it owns the slots, hands records to a session and keeps what was acknowledged.
// It fails the test by itself when an acknowledgement is doubled, unknown or overlaps another one.
type harness struct {
	t       *testing.T
	session driver.Session
	free    chan uint32 // slots that the driver doesn't hold
	inAck   atomic.Int32

	mu   sync.Mutex
	held []int        // per slot the number of its record, −1: not with the driver
	acks []driver.Ack // per record number
	done []bool       // per record number
	left int          // records handed over and not acknowledged
	idle *sync.Cond   // left == 0
}

// result is a record and how it ended.
type result struct {
	rec workload.Record
	ack driver.Ack
}

// open opens d and makes sure that it is closed at the end.
func open(t *testing.T, d driver.Driver, cfg driver.Config) *harness {
	t.Helper()
	h := &harness{t: t, free: make(chan uint32, cfg.Slots), held: make([]int, cfg.Slots)}
	h.idle = sync.NewCond(&h.mu)
	for i := range cfg.Slots {
		h.held[i] = -1
		h.free <- uint32(i)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := d.Open(ctx, cfg, h.ack)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	h.session = s
	t.Cleanup(func() {
		if err := s.Producer.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return h
}

// ack is the harness's AckFunc.
func (h *harness) ack(acks []driver.Ack) {
	if h.inAck.Add(1) != 1 {
		h.t.Error("two calls of the AckFunc overlap")
	}
	defer h.inAck.Add(-1)
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(acks) == 0 {
		h.t.Error("AckFunc called without an acknowledgement")
	}
	for _, a := range acks {
		if int(a.Slot) >= len(h.held) || h.held[a.Slot] < 0 {
			h.t.Errorf("slot %d acknowledged, which holds no record", a.Slot)
			continue
		}
		n := h.held[a.Slot]
		h.held[a.Slot] = -1
		h.acks[n], h.done[n] = a, true
		h.left--
		h.free <- a.Slot
	}
	if h.left == 0 {
		h.idle.Broadcast()
	}
}

// send hands records over in bursts of at most burst, each in the next free slot, and waits for slots as the run loop does.
func (h *harness) send(ctx context.Context, recs []workload.Record, burst int) error {
	h.t.Helper()
	for len(recs) > 0 {
		n := min(burst, len(recs), cap(h.free))
		if err := h.takeSlots(recs[:n]); err != nil {
			return err
		}
		if err := h.session.Producer.Send(ctx, recs[:n]); err != nil {
			return fmt.Errorf("send: %w", err)
		}
		recs = recs[n:]
	}
	return nil
}

// takeSlots gives every record a slot and a place in the lists.
func (h *harness) takeSlots(recs []workload.Record) error {
	timeout := time.NewTimer(patience)
	defer timeout.Stop()
	for i := range recs {
		select {
		case s := <-h.free:
			recs[i].Slot = s
			h.mu.Lock()
			h.held[s] = len(h.acks)
			h.acks = append(h.acks, driver.Ack{})
			h.done = append(h.done, false)
			h.left++
			h.mu.Unlock()
		case <-timeout.C:
			return fmt.Errorf("no slot came free in %v", patience)
		}
	}
	return nil
}

// mustSend sends and fails the test on an error.
func (h *harness) mustSend(recs []workload.Record, burst int) {
	h.t.Helper()
	if err := h.send(context.Background(), recs, burst); err != nil {
		h.t.Fatal(err)
	}
}

// flush flushes and checks that nothing is left.
func (h *harness) flush() {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.session.Producer.Flush(ctx); err != nil {
		h.t.Fatalf("flush: %v", err)
	}
	if n := h.outstanding(); n != 0 {
		h.t.Fatalf("flush returned with %d records neither acknowledged nor failed", n)
	}
}

// outstanding is the number of records with the driver.
func (h *harness) outstanding() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.left
}

// results pairs all records sent so far with their acknowledgements.
func (h *harness) results(recs []workload.Record) []result {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.acks) != len(recs) {
		h.t.Fatalf("%d records were handed over, want %d", len(h.acks), len(recs))
	}
	out := make([]result, len(recs))
	for i := range recs {
		if !h.done[i] {
			h.t.Fatalf("record %d was never acknowledged", i)
		}
		out[i] = result{recs[i], h.acks[i]}
	}
	return out
}

// allAcked checks that every record was acknowledged without an error and returns the results.
func (h *harness) allAcked(recs []workload.Record) []result {
	h.t.Helper()
	out := h.results(recs)
	failed := 0
	for i, r := range out {
		if r.ack.Err != nil {
			if failed++; failed <= 3 {
				h.t.Errorf("record %d failed: %v", i, r.ack.Err)
			}
		}
	}
	if failed > 0 {
		h.t.Fatalf("%d of %d records failed", failed, len(recs))
	}
	return out
}
