package bench

import (
	"context"
	"math"
	"sync"
	"testing"
	"time"

	"kbench/broker/sink"
	"kbench/driver"
	"kbench/driver/franz"
	"kbench/driver/native"
	"kbench/driver/null"
	"kbench/driver/sarama"
	"kbench/metrics"
	"kbench/native/hist"
	"kbench/workload"
)

// teller counts its Sends as requests: the first ones of a run as waits of a second each, later ones of a millisecond.
type teller struct {
	*fakeClient
	mu       sync.Mutex
	requests int64
	waits    hist.Histogram
}

func (c *teller) Send(ctx context.Context, recs []workload.Record) error {
	c.mu.Lock()
	if c.requests++; c.requests <= 10 {
		c.waits.Record(int64(time.Second))
	} else {
		c.waits.Record(int64(time.Millisecond))
	}
	c.mu.Unlock()
	return c.fakeClient.Send(ctx, recs)
}

func (c *teller) stats() driver.Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := driver.UnknownStats()
	s.Requests, s.BatchesSplit = c.requests, 0
	return s
}

func (c *teller) distributions() *driver.Distributions {
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := c.waits
	return &driver.Distributions{BufferWaitNS: &waits, LingerNS: new(hist.Histogram)}
}

// tellingDriver opens tellers.
func tellingDriver() driver.Driver {
	d := fakeDriver(&fakeClient{})
	open := d.Open
	d.Open = func(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
		s, err := open(ctx, cfg, ack)
		if err != nil {
			return s, err
		}
		c := &teller{fakeClient: s.Producer.(*fakeClient)}
		return driver.Session{Producer: c, Stats: c.stats, Distributions: c.distributions}, nil
	}
	return d
}

// TestClientWithoutWarmup: what two clients told of the warm-up is taken off, and what they don't tell isn't there.
func TestClientWithoutWarmup(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Warmup.Duration = 500 * time.Millisecond; p.Load.Producers = 2 })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: tellingDriver()})
	c := res.Client
	if c == nil || c.Counters.Requests == nil || c.Distributions.BufferWait == nil {
		t.Fatalf("nothing was told: %+v", c)
	}
	if n := *c.Counters.Requests; n == 0 || n >= res.Totals.Requests {
		t.Errorf("%d requests in the measured time, %d in all", n, res.Totals.Requests)
	}
	w := c.Distributions.BufferWait
	if w.Count == 0 || w.Max >= int64(time.Second) || w.P50 < int64(900*time.Microsecond) {
		t.Errorf("waits %+v: those of the warm-up, a second each, don't belong there", w)
	}
	inBuckets := int64(0)
	for _, b := range w.Buckets {
		inBuckets += b.Count
	}
	if inBuckets != w.Count {
		t.Errorf("%d waits in the buckets, %d in all", inBuckets, w.Count)
	}
	if s := c.Counters.BatchesSplit; s == nil || *s != 0 {
		t.Errorf("batches split: %v, want 0", s)
	}
	if c.Counters.WireBytes != nil || c.Distributions.BatchFill != nil || c.Distributions.Linger != nil {
		t.Errorf("what isn't known, or never happened, is told: %+v", c)
	}
	if c.DurationNS <= 0 {
		t.Errorf("looked at for %v", time.Duration(c.DurationNS))
	}
}

// TestClientOfAnUnmeasuredRun: a run that ends in its warm-up measured nothing of its client.
func TestClientOfAnUnmeasuredRun(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Warmup.Duration = time.Hour })
	time.AfterFunc(100*time.Millisecond, cancel)
	if res := mustRun(t, ctx, Options{Plan: plan, Driver: tellingDriver()}); res.Client != nil || !res.Interrupted {
		t.Errorf("interrupted %v, client %+v", res.Interrupted, res.Client)
	}
	short := testPlan(t, func(p *workload.Plan) { p.Load.Duration = 100 * time.Millisecond })
	if res := mustRun(t, context.Background(), Options{Plan: short, Driver: null.Driver()}); res.Client != nil {
		t.Errorf("the null driver tells %+v", res.Client)
	}
}

// startSink is a sink broker whose answers are held as said.
func startSink(t *testing.T, hold ...string) []string {
	t.Helper()
	opts := sink.Options{Partitions: 1}
	if len(hold) > 0 {
		h, err := sink.ParseHold(hold)
		if err != nil {
			t.Fatal(err)
		}
		opts.Hold = h
	}
	s, err := sink.Listen("127.0.0.1:0", opts)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		s.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return []string{s.Addr().String()}
}

// TestClientShapes has loads whose shape is known, for each client.
func TestClientShapes(t *testing.T) {
	for _, d := range []driver.Driver{native.Driver(), franz.Driver(), sarama.Driver()} {
		t.Run(d.Name, func(t *testing.T) {
			run := func(t *testing.T, brokers []string, change func(p *workload.Plan)) *metrics.Result {
				t.Helper()
				plan := testPlan(t, func(p *workload.Plan) {
					p.Driver = d.Name
					p.Producer.PartitionerAdaptive = false
					p.Producer.MaxInFlight = 1
					change(p)
				})
				res := mustRun(t, context.Background(), Options{Plan: plan, Driver: d, Bootstrap: brokers})
				if res.Client == nil || res.Totals.Acked != res.Totals.Scheduled {
					t.Fatalf("client %+v, totals %+v", res.Client, res.Totals)
				}
				return res
			}
			t.Run("one by one", func(t *testing.T) {
				res := run(t, startSink(t, "constant:5ms"), func(p *workload.Plan) {
					p.Load.Arrivals, p.Load.InFlight, p.Load.Records, p.Load.Duration = workload.ArrivalsClosed, 1, 40, time.Hour
					p.Producer.Linger = 0
				})
				c := res.Client
				r, f := c.Distributions.RequestRecords, c.Distributions.Flight
				if r == nil || f == nil {
					t.Fatalf("nothing is told of requests: %+v", c.Distributions)
				}
				if r.Count != 40 || r.Max != 1 || r.Mean != 1 || *c.Counters.Requests != 40 {
					t.Errorf("records of a request %+v of %d requests, want 40 with 1 each", r, *c.Counters.Requests)
				}
				// The answer is held from when the request arrived, which may be before its writer goes on.
				if f.P50 < int64(4500*time.Microsecond) || f.Count != 40 {
					t.Errorf("in flight %+v, though each answer was held for 5 ms", f)
				}
				if b := c.Distributions.Broker; b == nil || b.P50 < int64(4500*time.Microsecond) {
					t.Errorf("at the broker %+v: nothing else was in flight", b)
				}
			})
			t.Run("full batches", func(t *testing.T) {
				res := run(t, startSink(t), func(p *workload.Plan) {
					p.Load.Arrivals, p.Load.Records, p.Load.Duration = workload.ArrivalsMax, 20_000, time.Hour
					p.Producer.Linger = 300 * time.Millisecond
				})
				c := res.Client
				// The others close batches earlier: sarama by what it takes a record's overhead for, franz-go when it can send.
				least := int64(300)
				if d.Name == "native" {
					least = 900
				}
				if f := c.Distributions.BatchFill; f == nil || f.P50 < least || f.P90 > 1000 {
					t.Errorf("fill %+v, though nothing lingers to its end", f)
				}
				b := c.Distributions.BatchRecords
				if b == nil || math.Round(b.Mean*float64(b.Count)) != 20_000 {
					t.Errorf("records of a batch %+v, want 20,000 in all", b)
				}
				if l := c.Distributions.Linger; (l != nil) != (d.Name == "native") {
					t.Errorf("linger %+v", l)
				}
			})
		})
	}
}
