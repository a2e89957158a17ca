package native_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// counted is a listener that knows how many of its connections are open, and may let the first bytes of each wait.
type counted struct {
	net.Listener
	open  *atomic.Int64
	delay *atomic.Int64 // ns, at most
}

func (l counted) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.open.Add(1)
	return &countedConn{Conn: nc, open: l.open, delay: rand.N(time.Duration(l.delay.Load() + 1))}, nil
}

type countedConn struct {
	net.Conn
	open   *atomic.Int64
	delay  time.Duration
	waited sync.Once
	closed sync.Once
}

func (c *countedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.waited.Do(func() { time.Sleep(c.delay) })
	return n, err
}

func (c *countedConn) Close() error {
	c.closed.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// stage is a fake cluster in which a producer's end finds it in a certain state.
type stage struct {
	*kfake.Cluster
	open, delay atomic.Int64
	leaderless  bool        // partitions have no leader once the producer is open
	lost        atomic.Bool // they have none now
	partition   int32       // of some records; it doesn't exist. 0: none
}

func newStage(t *testing.T) *stage {
	s := &stage{}
	s.Cluster = cluster(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
		inner, err := net.Listen(network, address)
		return counted{inner, &s.open, &s.delay}, err
	}))
	return s
}

// answerLate has requests of a kind answered late. Those that want no answer would only pile up.
func (s *stage) answerLate(key kmsg.Key, atMost time.Duration) {
	s.ControlKey(int16(key), func(r kmsg.Request) (kmsg.Response, error, bool) {
		s.KeepControl()
		if pr, ok := r.(*kmsg.ProduceRequest); !ok || pr.Acks != 0 {
			s.SleepControl(func() { time.Sleep(rand.N(atMost)) })
		}
		return nil, nil, false
	})
}

// awaitHangUp waits until the brokers have no connection any more: the producer left none behind.
func (s *stage) awaitHangUp(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); s.open.Load() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d connections are left open", s.open.Load())
		}
	}
}

// totals are what the lives at one point add up to: they show that the end came where it was meant to.
type totals struct {
	native.Stats
	acked, closed, cancelled int
}

// ends are the points at which a producer's life may end.
var ends = []struct {
	name   string
	set    func(*native.Config)
	stage  func(*stage)
	tested func(*totals) bool
}{
	{"under full load", func(*native.Config) {}, func(*stage) {},
		func(t *totals) bool { return t.acked > 0 }},
	{"connecting", func(*native.Config) {}, func(s *stage) { s.delay.Store(int64(30 * time.Millisecond)) },
		func(t *totals) bool { return t.closed > 0 }},
	{"waiting for memory", func(c *native.Config) { c.BatchSize, c.BufferMemory = 1000, 8000 },
		func(s *stage) { s.answerLate(kmsg.Produce, 20*time.Millisecond) },
		func(t *totals) bool { return t.BufferWaits > 0 && t.cancelled > 0 }},
	{"in flight", func(c *native.Config) { c.BatchSize = 1000 },
		func(s *stage) { s.answerLate(kmsg.Produce, 50*time.Millisecond) },
		func(t *totals) bool { return t.closed > 0 && t.Requests > 0 }},
	{"in the middle of a retry", func(c *native.Config) { c.BatchSize = 1000 }, func(s *stage) {
		for _, err := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.CorruptMessage} {
			s.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: err, Count: -1,
				When: func(kmsg.Request) bool { return rand.IntN(4) == 0 }})
		}
		s.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			s.KeepControl()
			return nil, net.ErrClosed, rand.IntN(10) == 0 // the connection is cut
		})
	}, func(t *totals) bool { return t.Retries > 0 && t.closed > 0 }},
	{"lingering", func(c *native.Config) { c.Linger, c.BatchSize = time.Minute, 1<<20 }, func(*stage) {},
		func(t *totals) bool { return t.closed > 0 }},
	{"without a leader", func(c *native.Config) { c.MetadataMaxAge = 5 * time.Millisecond }, func(s *stage) {
		s.leaderless = true
		lost := func(kmsg.Request) bool { return s.lost.Load() }
		s.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Err: kerr.LeaderNotAvailable, Count: -1, When: lost},
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: -1, When: lost})
		s.answerLate(kmsg.Metadata, 5*time.Millisecond)
	}, func(t *totals) bool { return t.closed > 0 && t.Retries > 0 }},
	{"waiting for a partition", func(c *native.Config) { c.MetadataMaxAge = 5 * time.Millisecond }, func(s *stage) { s.partition = 5 },
		func(t *totals) bool { return t.closed > 0 && t.cancelled > 0 }},
}

// TestEndsAnywhere closes producers and cancels the contexts of Produce and Flush at random moments, under load and in
// every state. Each record has to have exactly one callback, and all those that were handed over before Close have it when
// Close returns.
func TestEndsAnywhere(t *testing.T) {
	for _, end := range ends {
		t.Run(end.name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			end.stage(s)
			var sum totals
			for n := 0; n < 12 || !end.tested(&sum); n++ {
				if n == 200 {
					t.Fatalf("%+v: the end never came there", sum)
				}
				cfg := native.DefaultConfig()
				cfg.Acks = []int16{-1, -1, 1, 0}[rand.IntN(4)]
				cfg.EnableIdempotence = cfg.Acks == -1
				cfg.Compression = []native.Compression{native.CompressionNone, native.CompressionLZ4}[rand.IntN(2)]
				cfg.Connections = 1 + rand.IntN(3)
				cfg.Linger = time.Duration(rand.IntN(3)) * time.Millisecond
				cfg.RetryBackoff, cfg.RetryBackoffMax = 5*time.Millisecond, 20*time.Millisecond
				cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = 5*time.Millisecond, 20*time.Millisecond
				end.set(&cfg)
				liveAndEnd(t, s, cfg, &sum)
				if t.Failed() {
					t.Fatalf("acks %d, %v, %d connections, linger %v", cfg.Acks, cfg.Compression, cfg.Connections, cfg.Linger)
				}
			}
		})
	}
}

// handover is what the goroutines of one life hand over.
type handover struct {
	slots atomic.Uint32 // given
	mu    sync.Mutex
	done  [][2]uint32 // from, to: of calls of Produce that returned
}

func (h *handover) returned() [][2]uint32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.done[:len(h.done):len(h.done)]
}

// produce hands over until the producer is closed or ctx done. Some records ask for a partition, unless that is 0.
func (h *handover) produce(ctx context.Context, t *testing.T, p *native.Producer, partition int32) {
	const n = 20
	for ctx.Err() == nil {
		last := h.slots.Add(n)
		recs := records(int(last-n), n)
		if partition > 0 && rand.IntN(10) == 0 {
			recs[rand.IntN(n)].Partition = partition
		}
		err := p.Produce(ctx, recs)
		h.mu.Lock()
		h.done = append(h.done, [2]uint32{last - n, last})
		h.mu.Unlock()
		if err != nil {
			if !errors.Is(err, native.ErrClosed) && !errors.Is(err, context.Canceled) {
				t.Errorf("Produce: %v", err)
			}
			return
		}
	}
}

// liveAndEnd opens a producer, has several goroutines produce and flush, ends it and checks.
func liveAndEnd(t *testing.T, s *stage, cfg native.Config, sum *totals) {
	l := newLedger()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck = s.ListenAddrs(), names, l.ack
	cfg.MaxBlock = 10 * time.Second // what waits for so long fails, and may not
	p, err := native.New(ctxFor(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.lost.Store(s.leaderless)
	var h handover
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 3 {
		wg.Go(func() { h.produce(ctx, t, p, s.partition) })
	}
	var closed atomic.Bool
	wg.Go(func() {
		for !closed.Load() && ctx.Err() == nil && p.Flush(ctx) == nil {
			time.Sleep(time.Millisecond)
		}
	})
	time.Sleep(rand.N(40 * time.Millisecond))
	if rand.IntN(2) == 0 {
		cancel()
		if rand.IntN(2) == 0 {
			wg.Wait() // a cancelled call returns though the producer goes on
		}
	}
	before := h.returned()
	for range rand.IntN(2) {
		wg.Go(func() { p.Close() }) // at the same time as the other
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	closed.Store(true)
	for _, r := range before {
		for slot := r[0]; slot < r[1]; slot++ {
			if _, ok := l.get(slot); !ok {
				t.Fatalf("slot %d: no callback when Close returned", slot)
			}
		}
	}
	wg.Wait() // nobody waits for a producer that is closed
	l.check(t, int(h.slots.Load()), true)
	s.awaitHangUp(t)
	s.lost.Store(false)
	st := p.Stats()
	sum.BufferWaits, sum.Requests, sum.Retries = sum.BufferWaits+st.BufferWaits, sum.Requests+st.Requests, sum.Retries+st.Retries
	for slot := range h.slots.Load() {
		switch e, _ := l.get(slot); {
		case e.err == nil:
			sum.acked++
		case errors.Is(e.err, native.ErrClosed):
			sum.closed++
		case errors.Is(e.err, context.Canceled):
			sum.cancelled++
		default:
			t.Fatalf("slot %d: %v", slot, e.err)
		}
	}
}

// TestOpeningEnds cancels New at random moments, in every one of its requests: it returns the context's error, leaves no
// connection behind and calls nobody.
func TestOpeningEnds(t *testing.T) {
	for name, set := range map[string]func(*stage){
		"connecting":  func(s *stage) { s.delay.Store(int64(30 * time.Millisecond)) },
		"versions":    func(s *stage) { s.answerLate(kmsg.ApiVersions, 20*time.Millisecond) },
		"metadata":    func(s *stage) { s.answerLate(kmsg.Metadata, 20*time.Millisecond) },
		"producer id": func(s *stage) { s.answerLate(kmsg.InitProducerID, 20*time.Millisecond) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStage(t)
			set(s)
			cancelled := 0
			for range 20 {
				l := newLedger()
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(rand.N(20*time.Millisecond), cancel)
				p, err := native.New(ctx, config(s.Cluster, l))
				cancel()
				switch {
				case err == nil:
					p.Close()
				case errors.Is(err, context.Canceled):
					cancelled++
				default:
					t.Fatalf("New: %v", err)
				}
				l.check(t, 0, false)
				s.awaitHangUp(t)
			}
			if cancelled == 0 {
				t.Error("New was never cancelled")
			}
		})
	}
}
