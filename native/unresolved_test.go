package native_test

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

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
	if s := p.Stats(); s.BatchesExpired != 1 || s.Connections < 3 { // one for metadata, and for producing a second one
		t.Errorf("%d batches expired, %d connections opened", s.BatchesExpired, s.Connections)
	}
	for _, slot := range []uint32{2, 3} {
		if e, _ := l.get(slot); e.err != nil {
			t.Errorf("slot %d: %v", slot, e.err)
		}
	}
	if got := consume(t, c.ListenAddrs(), len(recs)); len(got) != len(recs) {
		t.Errorf("%d records in the log, want each of %d once", len(got), len(recs))
	}
}

// staller is a listener whose connections, once it is told to stall, reach the broker only when told to go on: as with a
// broker that was stopped, what the client wrote is still read after the client has given the connection up.
type staller struct {
	net.Listener
	s *stall
}

type stall struct {
	mu   sync.Mutex
	gate chan struct{} // of connections that are to stall, closed when they go on; nil: none stall
}

func (l staller) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return stalled{nc, l.s}, nil
}

type stalled struct {
	net.Conn
	s *stall
}

// Read holds back what it has read while its connection stalls.
func (c stalled) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.s.mu.Lock()
	gate := c.s.gate
	c.s.mu.Unlock()
	if gate != nil && n > 0 {
		<-gate
	}
	return n, err
}

// TestRequestsLeftBehind has two batches wait at a broker that stalls. The client gives the connection up, the first batch
// expires, and the second comes to the broker again, ahead of what waits there: out of order. Then the broker reads what was
// left behind, so the second batch must not be numbered anew.
func TestRequestsLeftBehind(t *testing.T) {
	s := &stall{}
	c, l := cluster(t, kfake.NumBrokers(1), kfake.ListenFn(func(network, address string) (net.Listener, error) {
		inner, err := net.Listen(network, address)
		return staller{inner, s}, err
	})), newLedger()
	cfg := config(c, l)
	cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout = 0, time.Second, 1200*time.Millisecond
	cfg.RetryBackoff, cfg.RetryBackoffMax = time.Second, 400*time.Millisecond // exactly the latter
	p := open(t, cfg)
	recs := onePartition(records(0, 4))
	produce(t, p, recs[:1])
	gate := make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	s.mu.Unlock()
	if err := p.Produce(ctxFor(t), recs[1:2]); err != nil {
		t.Fatal(err)
	}
	time.Sleep(900 * time.Millisecond) // in a request of its own, which expires later
	s.mu.Lock()
	s.gate = nil // for connections made from here on
	s.mu.Unlock()
	if err := p.Produce(ctxFor(t), recs[2:3]); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		// The second batch again, on a new connection. It is answered before what was left behind is read.
		once.Do(func() { time.AfterFunc(10*time.Millisecond, func() { close(gate) }) })
		return nil, nil, false
	})
	if err := p.Flush(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	produce(t, p, recs[3:])
	l.check(t, len(recs), true)
	for slot, want := range map[uint32]error{1: native.ErrDeliveryTimeout, 2: nil, 3: nil} {
		if e, _ := l.get(slot); !errors.Is(e.err, want) {
			t.Errorf("slot %d ended with %v, want %v", slot, e.err, want)
		}
	}
	consume(t, c.ListenAddrs(), len(recs))
}
