package native_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"kbench/native"
)

// panics calls f and returns what it panicked with.
func panics(f func()) (value any) {
	defer func() { value = recover() }()
	f()
	return nil
}

// TestOnSendPanics has an interceptor panic at one of many records: Produce panics with it, every record ends once, those that
// weren't taken with an error of their own, and the producer goes on.
func TestOnSendPanics(t *testing.T) {
	for _, at := range []uint32{0, 200, 299} {
		c, l := cluster(t), newLedger()
		cfg := config(c, l)
		cfg.Interceptors = []native.Interceptor{{OnSend: func(r *native.Record) {
			if r.Slot == at {
				panic("a mistake")
			}
		}}, {OnAck: func(native.Ack) {}}}
		p := open(t, cfg)
		if got := panics(func() { _ = p.Produce(ctxFor(t), records(0, 300)) }); got != "a mistake" {
			t.Errorf("Produce panicked with %v", got)
		}
		produce(t, p, records(300, 100))
		l.check(t, 400, true)
		for slot := range uint32(400) {
			e, _ := l.get(slot)
			if taken := slot < at/128*128 || slot >= 300; taken != (e.err == nil) || !taken && !errors.Is(e.err, native.ErrInterceptor) {
				t.Fatalf("it panicked at %d: slot %d ended with %v", at, slot, e.err)
			}
		}
		must(t, p.Close())
	}
}

// TestOnSendPanicsInTransaction: what wasn't taken is missing, so that there can't be a commit.
func TestOnSendPanicsInTransaction(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := transactional(c, l, "tx")
	cfg.Interceptors = []native.Interceptor{{OnSend: func(r *native.Record) {
		if r.Slot == 3 {
			panic("a mistake")
		}
	}}}
	p := begin(t, cfg)
	if panics(func() { _ = p.Produce(ctxFor(t), texts(0, 6, "lost")) }) == nil {
		t.Error("Produce doesn't panic")
	}
	err := p.CommitTransaction(ctxFor(t))
	if !errors.Is(err, native.ErrTransactionAbortable) || !errors.Is(err, native.ErrInterceptor) {
		t.Errorf("commit: %v", err)
	}
	must(t, p.AbortTransaction(ctxFor(t)))
	wholeTransaction(t, p, 6, "next")
	l.check(t, 12, true)
	if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}

// TestOnAckPanics has OnAck panic, an interceptor's and the producer's own, each time that the producer calls it from inside
// Produce or Close, where a caller may recover: every record ends once, and nothing hangs.
func TestOnAckPanics(t *testing.T) {
	for _, interceptor := range []bool{true, false} {
		c, l := cluster(t), newLedger()
		cfg := config(c, l)
		cfg.MaxRequestSize = 50_000
		cfg.Linger, cfg.DeliveryTimeout = time.Hour/2, time.Hour
		inside := true // Produce or Close
		spoil := func() {
			if inside {
				panic("a mistake")
			}
		}
		cfg.OnAck = func(a native.Ack) {
			l.ack(a)
			if !interceptor {
				spoil()
			}
		}
		seen := native.Interceptor{OnAck: func(native.Ack) {}}
		if interceptor {
			seen.OnAck = func(native.Ack) { spoil() }
		}
		cfg.Interceptors = []native.Interceptor{seen}
		p := open(t, cfg)
		recs := records(0, 300)
		recs[200].Value = make([]byte, 50_000) // refused inside Produce
		for i := range recs[:200] {
			recs[i].Value = make([]byte, 50_000)
		}
		if panics(func() { _ = p.Produce(ctxFor(t), recs) }) == nil {
			t.Error("Produce doesn't panic")
		}
		l.check(t, 300, true)
		inside = false
		produce(t, p, records(300, 100))
		must(t, p.Produce(ctxFor(t), texts(400, 6, "lingers"))) // in six batches
		inside = true
		if panics(func() { p.Close() }) == nil {
			t.Error("Close doesn't panic")
		}
		l.check(t, 406, true)
	}
}
