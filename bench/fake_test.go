package bench

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kbench/driver"
	"kbench/workload"
)

var (
	errClosed = errors.New("closed")
	errDead   = errors.New("dead")
)

// fakeClient acknowledges from a goroutine of its own, after hold, or not at all while stalled.
type fakeClient struct {
	ack     driver.AckFunc
	hold    time.Duration
	block   func(n int)          // called in Send
	fail    func(slot int) error // decides how a record ends
	telling sync.Mutex
	mu      sync.Mutex
	queue   []queued
	closed  chan struct{}
	kick    chan struct{}
	done    chan struct{}
	dies    int // Send fails from this record on; 0: never
	sent    int
	room    int // takes so many records: then Send waits for its context, as for a buffer's room; 0: all
	limit   int // acknowledge no more than so many records; 0: all
	acked   int
}

type queued struct {
	slot uint32
	at   time.Time
}

func (c *fakeClient) Send(ctx context.Context, recs []workload.Record) error {
	if c.block != nil {
		c.block(len(recs))
	}
	if c.sent += len(recs); c.dies > 0 && c.sent >= c.dies {
		for i := range recs {
			c.tell([]driver.Ack{{Slot: recs[i].Slot, Err: errDead}})
		}
		return errDead
	}
	if c.room > 0 && c.sent > c.room {
		<-ctx.Done()
		for i := range recs {
			c.tell([]driver.Ack{{Slot: recs[i].Slot, Err: ctx.Err()}})
		}
		return nil
	}
	now := time.Now()
	c.mu.Lock()
	for i := range recs {
		c.queue = append(c.queue, queued{recs[i].Slot, now})
	}
	c.mu.Unlock()
	select {
	case c.kick <- struct{}{}:
	default:
	}
	return nil
}

// tell keeps the calls apart, as the contract asks.
func (c *fakeClient) tell(acks []driver.Ack) {
	c.telling.Lock()
	defer c.telling.Unlock()
	c.ack(acks)
}

func (c *fakeClient) loop() {
	defer close(c.done)
	for {
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		c.mu.Unlock()
		for i, q := range queue {
			if c.limit > 0 && c.acked >= c.limit {
				c.mu.Lock()
				c.queue = append(queue[i:len(queue):len(queue)], c.queue...)
				c.mu.Unlock()
				<-c.closed
				return
			}
			time.Sleep(time.Until(q.at.Add(c.hold)))
			a := driver.Ack{Slot: q.slot, Partition: -1, Offset: -1}
			if c.fail != nil {
				a.Err = c.fail(c.acked)
			}
			c.acked++
			c.tell([]driver.Ack{a})
		}
		if len(queue) > 0 {
			continue
		}
		select {
		case <-c.kick:
		case <-c.closed:
			return
		}
	}
}

func (c *fakeClient) Flush(ctx context.Context) error {
	for {
		c.mu.Lock()
		n := len(c.queue)
		c.mu.Unlock()
		if n == 0 {
			time.Sleep(c.hold + 20*time.Millisecond)
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (c *fakeClient) Close() error {
	close(c.closed)
	<-c.done
	for _, q := range c.queue {
		c.tell([]driver.Ack{{Slot: q.slot, Err: errClosed}})
	}
	return nil
}

// fakeDriver opens clients like the one given.
func fakeDriver(like *fakeClient) driver.Driver {
	return driver.Driver{Name: "fake", Client: "none", Version: "1", Open: func(_ context.Context, _ driver.Config, ack driver.AckFunc) (driver.Session, error) {
		c := &fakeClient{hold: like.hold, block: like.block, fail: like.fail, dies: like.dies, room: like.room, limit: like.limit, ack: ack,
			closed: make(chan struct{}), kick: make(chan struct{}, 1), done: make(chan struct{})}
		go c.loop()
		return driver.Session{Producer: c}, nil
	}}
}

// testPlan is a small plan: 100-byte values, no keys.
func testPlan(t testing.TB, change func(*workload.Plan)) *workload.Plan {
	t.Helper()
	p := &workload.Plan{Profile: "test", Topics: []workload.Topic{{Name: "t", Partitions: 1, ReplicationFactor: 1}}, Seed: 1, Driver: "fake",
		Records: workload.RecordSpec{Key: workload.KeySpec{Distribution: workload.KeyNone},
			Value: workload.ValueSpec{Size: workload.SizeSpec{Distribution: workload.SizeFixed, Bytes: 100}}},
		Load: workload.Load{Arrivals: workload.ArrivalsConstant, Rate: workload.Rate{PerSecond: 1000}, Producers: 1,
			Send: workload.SendAsync, Duration: time.Second},
		Producer: workload.DefaultProducerConfig()}
	if change != nil {
		change(p)
	}
	return p
}

func payloads(t testing.TB, plan *workload.Plan) *workload.Payloads {
	t.Helper()
	p, err := workload.NewSource(plan, workload.SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}
