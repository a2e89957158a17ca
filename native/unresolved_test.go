package native_test

import (
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/native"
)

// muter is a listener whose connections lose what the broker answers while on: it did the work, the client doesn't know.
type muter struct {
	net.Listener
	on *atomic.Bool
}

func (m muter) Accept() (net.Conn, error) {
	nc, err := m.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return muted{nc, m.on}, nil
}

type muted struct {
	net.Conn
	on *atomic.Bool
}

func (c muted) Write(b []byte) (int, error) {
	if c.on.Load() {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// TestExpiryBeforeRetry has two batches written whose answers are lost. The first runs into delivery.timeout.ms while both
// wait to be sent again. The second must keep its identity then: with a new epoch the broker would write it a second time.
func TestExpiryBeforeRetry(t *testing.T) {
	on := new(atomic.Bool)
	c, l := cluster(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		inner, err := net.Listen(network, address)
		return muter{inner, on}, err
	})), newLedger()
	cfg := config(c, l)
	cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout = 0, 500*time.Millisecond, 1200*time.Millisecond
	cfg.RetryBackoff, cfg.RetryBackoffMax = 2*time.Second, 850*time.Millisecond // exactly the latter
	expired := make(chan struct{})
	cfg.OnAck = func(a native.Ack) {
		if a.Err != nil && a.Slots[0] == 1 {
			on.Store(false)
			close(expired)
		}
		l.ack(a)
	}
	p := open(t, cfg)
	recs := onePartition(records(0, 4))
	produce(t, p, recs[:1])
	on.Store(true)
	for i := 1; i < 3; i++ {
		if err := p.Produce(ctxFor(t), recs[i:i+1]); err != nil {
			t.Fatal(err)
		}
		time.Sleep(450 * time.Millisecond) // in a request of its own, which is written, and expires later
	}
	<-expired
	produce(t, p, recs[3:])
	l.check(t, len(recs), true)
	for _, slot := range []uint32{2, 3} {
		if e, _ := l.get(slot); e.err != nil {
			t.Errorf("slot %d: %v", slot, e.err)
		}
	}
	if got := consume(t, c.ListenAddrs(), len(recs)); len(got) != len(recs) {
		t.Errorf("%d records in the log, want each of %d once", len(got), len(recs))
	}
}
