package drivertest

import (
	"context"
	"errors"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/driver"
	"kbench/workload"
)

// faultTests need a broker that can be made to misbehave.
func (s *suite) faultTests() []namedTest {
	tests := []namedTest{
		{"error with cause", s.errorWithCause},
		{"retry keeps order", s.retryKeepsOrder},
		{"close in flight", s.closeInFlight},
		{"broker silent", s.brokerSilent},
		{"broker gone", s.brokerGone},
	}
	if s.can(map[string]string{"buffer.memory": "65536"}) {
		tests = append(tests,
			namedTest{"buffer full", s.bufferFull},
			namedTest{"buffer full for max.block.ms", s.maxBlock},
			namedTest{"cancel while blocked", s.cancelWhileBlocked},
		)
	}
	return tests
}

// errorWithCause refuses one request: its records fail with the broker's reason, and later ones arrive.
func (s *suite) errorWithCause(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, nil))
	fault := c.fake.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	bad := numbered(20, 50)
	h.mustSend(bad, 20)
	h.flush()
	for i, r := range h.results(bad) {
		if r.ack.Err == nil || !regexp.MustCompile(`(?i)authori[sz]`).MatchString(r.ack.Err.Error()) {
			t.Fatalf("record %d: error %v, want one about authorisation", i, r.ack.Err)
		}
		if r.ack.Offset != -1 {
			t.Fatalf("record %d failed, but has offset %d", i, r.ack.Offset)
		}
	}
	fault.Remove()
	good := numbered(20, 50)
	h.mustSend(good, 20)
	h.flush()
	all := h.results(append(bad, good...))
	for i, r := range all[len(bad):] {
		if r.ack.Err != nil {
			t.Fatalf("record %d after the error: %v", i, r.ack.Err)
		}
	}
	c.read(t, c.topics[0], len(good))
}

// retryKeepsOrder answers some requests with an error that heals.
func (s *suite) retryKeepsOrder(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"retry.backoff.ms": "10", "batch.size": "1000"}))
	recs := numbered(3000, 60)
	h.mustSend(recs[:1000], 64)
	c.fake.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotEnoughReplicas, Count: 2},
	)
	h.mustSend(recs[1000:], 64)
	h.flush()
	s.checkOrder(t, c, h.allAcked(recs))
}

// closeInFlight closes while the broker doesn't answer.
func (s *suite) closeInFlight(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, nil))
	first := numbered(10, 50)
	h.mustSend(first, 10)
	h.flush()
	c.gate.shut()
	rest := numbered(300, 50)
	h.mustSend(rest, 30)
	s.closeInTime(t, h)
	for i, r := range h.results(append(first, rest...)) {
		if failed := r.ack.Err != nil; failed != (i >= len(first)) {
			t.Fatalf("record %d: error %v", i, r.ack.Err)
		}
	}
}

// closeInTime closes and fails the test if that doesn't end.
func (s *suite) closeInTime(t *testing.T, h *harness) {
	t.Helper()
	closed := make(chan error, 1)
	go func() { closed <- h.session.Producer.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Errorf("close: %v", err)
		}
	case <-time.After(patience):
		t.Fatalf("close hangs with %d records outstanding", h.outstanding())
	}
	if n := h.outstanding(); n != 0 {
		t.Fatalf("%d records were neither acknowledged nor failed by close", n)
	}
}

// brokerSilent checks that all waits while the broker is silent, and goes on when it answers again.
func (s *suite) brokerSilent(t *testing.T) {
	c := newFake(t)
	cfg := s.config(t, c, nil)
	cfg.Slots = 200
	h := open(t, s.d, cfg)
	c.gate.shut()
	recs := numbered(1000, 100)
	sent := make(chan error, 1)
	go func() { sent <- h.send(context.Background(), recs, 10) }()
	time.Sleep(200 * time.Millisecond)
	if n := h.outstanding(); n > cfg.Slots {
		t.Errorf("%d records with the driver, more than its %d slots", n, cfg.Slots)
	}
	c.gate.open()
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	h.flush()
	s.checkOrder(t, c, h.allAcked(recs))
}

// brokerGone closes the broker for good: no record is lost sight of.
func (s *suite) brokerGone(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, nil))
	recs := numbered(200, 50)
	h.mustSend(recs[:100], 10)
	h.flush()
	c.fake.Close()
	h.mustSend(recs[100:], 10)
	s.closeInTime(t, h)
	for i, r := range h.results(recs) {
		if failed := r.ack.Err != nil; failed != (i >= 100) {
			t.Fatalf("record %d: error %v", i, r.ack.Err)
		}
	}
}

// blockedSender sends records one by one into a silent broker until Send blocks.
type blockedSender struct {
	handed atomic.Int64
	err    chan error
}

// block starts it and waits until it makes no progress any more.
func block(t *testing.T, ctx context.Context, h *harness, recs []workload.Record) *blockedSender {
	t.Helper()
	b := &blockedSender{err: make(chan error, 1)}
	go func() {
		for i := range recs {
			if err := h.send(ctx, recs[i:i+1], 1); err != nil {
				b.err <- err
				return
			}
			b.handed.Add(1)
		}
		b.err <- nil
	}()
	for deadline := time.Now().Add(patience); ; {
		n := b.handed.Load()
		time.Sleep(250 * time.Millisecond)
		if n == b.handed.Load() {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("Send doesn't block")
		}
	}
	if n := int(b.handed.Load()); n == len(recs) {
		t.Fatalf("all %d records were taken with buffer.memory full", n)
	}
	return b
}

// wait waits for the sender's end.
func (b *blockedSender) wait(t *testing.T) {
	t.Helper()
	select {
	case err := <-b.err:
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	case <-time.After(patience):
		t.Fatal("Send stays blocked")
	}
}

// bufferFull checks that buffer.memory bounds what is taken, and that all goes on when there is room.
func (s *suite) bufferFull(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"buffer.memory": "65536"}))
	c.gate.shut()
	recs := numbered(200, 1000)
	b := block(t, context.Background(), h, recs)
	if n := b.handed.Load(); n > 66 {
		t.Errorf("%d records of 1000 bytes fit into a buffer.memory of 65536", n)
	}
	c.gate.open()
	b.wait(t)
	h.flush()
	s.checkOrder(t, c, h.allAcked(recs))
}

// maxBlock checks that a wait for memory ends after max.block.ms with an error that says so.
func (s *suite) maxBlock(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"buffer.memory": "32768", "max.block.ms": "50"}))
	c.gate.shut()
	recs := numbered(50, 1000)
	h.mustSend(recs, 10)
	c.gate.open()
	h.flush()
	blocked := 0
	for i, r := range h.results(recs) {
		var be *driver.BlockedError
		switch {
		case errors.As(r.ack.Err, &be):
			blocked++
		case r.ack.Err != nil:
			t.Errorf("record %d: %v", i, r.ack.Err)
		}
	}
	if blocked == 0 || blocked == len(recs) {
		t.Errorf("%d of %d records were given up after max.block.ms", blocked, len(recs))
	}
	c.read(t, c.topics[0], len(recs)-blocked)
}

// cancelWhileBlocked checks that cancelling Send's context ends its wait and nothing else: what was taken is delivered.
func (s *suite) cancelWhileBlocked(t *testing.T) {
	c := newFake(t)
	h := open(t, s.d, s.config(t, c, map[string]string{"buffer.memory": "65536"}))
	c.gate.shut()
	recs := numbered(100, 1000)
	ctx, cancel := context.WithCancel(context.Background())
	b := block(t, ctx, h, recs)
	taken := int(b.handed.Load())
	cancel()
	b.wait(t)
	c.gate.open()
	h.flush()
	h.mu.Lock()
	handed := len(h.acks)
	h.mu.Unlock()
	for i, r := range h.results(recs[:handed]) {
		switch {
		case i < taken && r.ack.Err != nil:
			t.Errorf("record %d was taken before the cancellation and failed: %v", i, r.ack.Err)
		case i >= taken && r.ack.Err != nil && !errors.Is(r.ack.Err, context.Canceled):
			t.Errorf("record %d: %v", i, r.ack.Err)
		}
	}
}

// sendAfterCancel hands records over with a context that has ended: each gets its one acknowledgement.
func (s *suite) sendAfterCancel(t *testing.T) {
	c := newCluster(t)
	h := open(t, s.d, s.config(t, c, nil))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	recs := numbered(50, 50)
	if err := h.send(ctx, recs, 50); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	h.flush()
	h.results(recs)
}
