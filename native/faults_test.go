package native_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// TestErrorsHeal injects errors that a producer gets over: nothing is lost, duplicated or reordered when it is idempotent.
func TestErrorsHeal(t *testing.T) {
	for _, e := range []*kerr.Error{
		kerr.NotLeaderForPartition, kerr.UnknownTopicOrPartition, kerr.RequestTimedOut, kerr.NotEnoughReplicas,
		kerr.NotEnoughReplicasAfterAppend, kerr.KafkaStorageError, kerr.CorruptMessage,
	} {
		for _, inFlight := range []int{1, 5} {
			t.Run(fmt.Sprint(e.Message, " ", inFlight), func(t *testing.T) {
				t.Parallel()
				c, l := cluster(t), newLedger()
				cfg := config(c, l)
				cfg.BatchSize, cfg.MaxInFlight, cfg.Linger = 2000, inFlight, 0
				p := open(t, cfg)
				recs := records(0, 3000)
				produce(t, p, recs[:500])
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 4},
					kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 3, Partitions: []int32{1}})
				produce(t, p, recs[500:])
				l.check(t, len(recs), false)
				readBack(t, c.ListenAddrs(), l, recs)
				inOrder(t, l, len(recs))
				if s := p.Stats(); s.Retries == 0 {
					t.Error("no retry counted")
				}
			})
		}
	}
}

// onePartition sends all records to partition 0 of topic a.
func onePartition(recs []native.Record) []native.Record {
	for i := range recs {
		recs[i].Topic, recs[i].Partition = 0, 0
	}
	return recs
}

// TestSequenceLost has the broker forget the producer: it takes a new epoch and sends on in order. One partition, because
// kfake keeps one epoch for all partitions of a producer, where Kafka keeps one for each.
func TestSequenceLost(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID} {
		for _, inFlight := range []int{1, 5} {
			t.Run(fmt.Sprint(e.Message, " ", inFlight), func(t *testing.T) {
				t.Parallel()
				c, l := cluster(t), newLedger()
				cfg := config(c, l)
				cfg.BatchSize, cfg.MaxInFlight, cfg.Linger = 2000, inFlight, 0
				p := open(t, cfg)
				recs := onePartition(records(0, 3000))
				for i := 0; i < len(recs); i += 500 {
					c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Count: 1 + i/500})
					produce(t, p, recs[i:i+500])
				}
				l.check(t, len(recs), false)
				readBack(t, c.ListenAddrs(), l, recs)
				inOrder(t, l, len(recs))
			})
		}
	}
}

// TestSplit has batches of every codec refused as too large until they are small enough.
func TestSplit(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, idempotent := range []bool{true, false} {
			t.Run(fmt.Sprint(codec, " idempotent=", idempotent), func(t *testing.T) {
				t.Parallel()
				c, l := cluster(t), newLedger()
				cfg := config(c, l)
				cfg.Compression, _ = native.ParseCompression(codec)
				cfg.EnableIdempotence, cfg.BatchSize = idempotent, 1<<16
				p := open(t, cfg)
				c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1, When: largeBatch(2500)})
				recs := records(0, 2000)
				for i := range recs {
					recs[i].Value = fmt.Appendf(nil, "value %d %x", i, rand.Uint64())
				}
				produce(t, p, recs)
				l.check(t, len(recs), false)
				readBack(t, c.ListenAddrs(), l, recs)
				if idempotent {
					inOrder(t, l, len(recs))
				}
				// Each split has two halves sent; they aren't batches sent first.
				s, first := p.Stats(), p.Distributions().BatchRecords
				if want := first.Count + s.Retries + 2*s.BatchesSplit; s.BatchesSplit == 0 || s.Batches != want || first.Sum != int64(len(recs)) {
					t.Errorf("%d batches written and %d split, %d sent first with %d records", s.Batches, s.BatchesSplit, first.Count, first.Sum)
				}
			})
		}
	}
}

// largeBatch matches requests with a batch of more than size bytes.
func largeBatch(size int) func(kmsg.Request) bool {
	return func(r kmsg.Request) bool {
		for _, t := range r.(*kmsg.ProduceRequest).Topics {
			for _, p := range t.Partitions {
				if len(p.Records) > size {
					return true
				}
			}
		}
		return false
	}
}

// TestTooLargeForBroker fails a single record that the broker finds too large, and no other.
func TestTooLargeForBroker(t *testing.T) {
	c, l := cluster(t), newLedger()
	p := open(t, config(c, l))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: -1, When: largeBatch(4000)})
	recs := onePartition(records(0, 10))
	recs[5].Value = make([]byte, 5000)
	produce(t, p, recs)
	l.check(t, len(recs), true)
	for _, r := range recs {
		e, _ := l.get(r.Slot)
		var ke *native.Error
		if r.Slot == 5 && (!errors.As(e.err, &ke) || ke.Code != kerr.MessageTooLarge.Code) {
			t.Errorf("the large record ended with %v", e.err)
		}
		if r.Slot != 5 && e.err != nil {
			t.Errorf("slot %d: %v", r.Slot, e.err)
		}
	}
}

// TestLeadersMove moves leaders under load.
func TestLeadersMove(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.BatchSize, cfg.Linger = 1000, 0
	p := open(t, cfg)
	recs := records(0, 6000)
	for i := 0; i < len(recs); i += 50 {
		if err := p.Produce(ctxFor(t), recs[i:i+50]); err != nil {
			t.Fatal(err)
		}
		if i%500 == 0 {
			c.ShufflePartitionLeaders()
		}
	}
	produce(t, p, nil)
	l.check(t, len(recs), false)
	readBack(t, c.ListenAddrs(), l, recs)
	inOrder(t, l, len(recs))
}

// cutter is a listener whose connections are cut after a random number of bytes while it is on.
type cutter struct {
	net.Listener
	mu  *sync.Mutex
	rng *rand.Rand
	on  *bool
}

func (c cutter) Accept() (net.Conn, error) {
	nc, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return &cutConn{nc, c, 500 + c.rng.IntN(20000), 100 + c.rng.IntN(1000)}, nil
}

type cutConn struct {
	net.Conn
	c         cutter
	in, outgo int // bytes left
}

func (c *cutConn) spend(left *int, n int) error {
	c.c.mu.Lock()
	defer c.c.mu.Unlock()
	if *left -= n; *left < 0 && *c.c.on {
		c.Conn.Close()
		return net.ErrClosed
	}
	return nil
}

func (c *cutConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if e := c.spend(&c.in, n); e != nil {
		return 0, e
	}
	return n, err
}

// Write cuts before the answer goes out: the broker did the work, the client doesn't know.
func (c *cutConn) Write(b []byte) (int, error) {
	if err := c.spend(&c.outgo, len(b)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// TestConnectionsCut cuts connections in the middle of requests and before answers.
func TestConnectionsCut(t *testing.T) {
	for _, inFlight := range []int{1, 5} {
		t.Run(fmt.Sprint(inFlight), func(t *testing.T) {
			mu, on := &sync.Mutex{}, false
			rng := rand.New(rand.NewPCG(1, uint64(inFlight)))
			c, l := cluster(t, kfake.ListenFn(func(network, address string) (net.Listener, error) {
				inner, err := net.Listen(network, address)
				return cutter{inner, mu, rng, &on}, err
			})), newLedger()
			cfg := config(c, l)
			cfg.BatchSize, cfg.MaxInFlight, cfg.Linger = 2000, inFlight, 0
			p := open(t, cfg)
			mu.Lock()
			on = true
			mu.Unlock()
			recs := records(0, 3000)
			for i := 0; i < len(recs); i += 20 {
				if err := p.Produce(ctxFor(t), recs[i:i+20]); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(200 * time.Millisecond)
			mu.Lock()
			on = false
			mu.Unlock()
			produce(t, p, nil)
			l.check(t, len(recs), false)
			got := consume(t, c.ListenAddrs(), len(recs))
			checkContent(t, got, recs)
			if s := p.Stats(); s.Retries == 0 {
				t.Error("no connection was cut")
			}
		})
	}
}

// TestBrokerSilent lets requests go unanswered beyond request.timeout.ms: they are sent again, without duplicates.
func TestBrokerSilent(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.RequestTimeout = 100 * time.Millisecond
	p := open(t, cfg)
	for range 3 {
		c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) { return nil, nil, true })
	}
	recs := records(0, 300)
	produce(t, p, recs)
	l.check(t, len(recs), false)
	readBack(t, c.ListenAddrs(), l, recs)
}

// TestDeliveryTimeout runs into delivery.timeout.ms with a request in flight, then goes on with a new epoch.
func TestDeliveryTimeout(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout = 0, 100*time.Millisecond, 250*time.Millisecond
	p := open(t, cfg)
	recs := records(0, 400)
	produce(t, p, recs[:100])
	silent := true
	var mu sync.Mutex
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		mu.Lock()
		defer mu.Unlock()
		if silent {
			c.KeepControl()
		}
		return nil, nil, silent
	})
	produce(t, p, recs[100:200])
	for _, r := range recs[100:200] {
		if e, _ := l.get(r.Slot); !errors.Is(e.err, native.ErrDeliveryTimeout) {
			t.Fatalf("slot %d ended with %v", r.Slot, e.err)
		}
	}
	mu.Lock()
	silent = false
	mu.Unlock()
	produce(t, p, recs[200:])
	l.check(t, len(recs), true)
	for _, r := range recs[200:] {
		if e, _ := l.get(r.Slot); e.err != nil {
			t.Fatalf("slot %d after the time-out: %v", r.Slot, e.err)
		}
	}
	consume(t, c.ListenAddrs(), 300)
}

// TestExpiryInFlight expires records whose request is still being answered; a late success must not be acknowledged again
// and what follows isn't lost.
func TestExpiryInFlight(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.Linger, cfg.RequestTimeout, cfg.DeliveryTimeout = 0, 300*time.Millisecond, 300*time.Millisecond
	p := open(t, cfg)
	ctx := ctxFor(t)
	one := records(0, 1)
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		c.SleepControl(func() { time.Sleep(400 * time.Millisecond) })
		return nil, nil, false
	})
	if err := p.Produce(ctx, one); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if e, _ := l.get(0); !errors.Is(e.err, native.ErrDeliveryTimeout) {
		t.Fatalf("ended with %v", e.err)
	}
	if n := p.Stats().BatchesExpired; n != 1 {
		t.Errorf("%d batches expired, want 1", n)
	}
	time.Sleep(300 * time.Millisecond)
	for i := 1; i < 50; i++ {
		produce(t, p, records(i, 1))
	}
	l.check(t, 50, true)
	for i := 1; i < 50; i++ {
		if e, _ := l.get(uint32(i)); e.err != nil {
			t.Errorf("slot %d: %v", i, e.err)
		}
	}
}

// TestFatal gives up for good when the cluster refuses the producer.
func TestFatal(t *testing.T) {
	c, l := cluster(t), newLedger()
	p := open(t, config(c, l))
	c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ClusterAuthorizationFailed, Count: 1})
	recs := records(0, 100)
	_ = p.Produce(ctxFor(t), recs)
	if err := p.Flush(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
	var ke *native.Error
	if err := p.Produce(ctxFor(t), records(100, 10)); !errors.As(err, &ke) || ke.Name != "CLUSTER_AUTHORIZATION_FAILED" {
		t.Errorf("Produce: %v", err)
	}
	l.check(t, 110, true)
}

// TestBackPressure fills buffer.memory: Produce blocks, gives up after max.block.ms, and stops waiting with its context.
func TestBackPressure(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.BufferMemory, cfg.MaxBlock, cfg.Linger = 4*16384, 50*time.Millisecond, 0
	p := open(t, cfg)
	release := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		select {
		case <-release:
			return nil, nil, false
		default:
		}
		c.KeepControl()
		c.SleepControl(func() { <-release })
		return nil, nil, false
	})
	recs := records(0, 20)
	for i := range recs {
		recs[i].Value = make([]byte, 10000)
	}
	if err := p.Produce(ctxFor(t), recs); err != nil {
		t.Fatal(err)
	}
	exhausted := 0
	for _, r := range recs {
		if e, ok := l.get(r.Slot); ok && errors.Is(e.err, native.ErrBufferExhausted) {
			exhausted++
		}
	}
	if exhausted != 16 {
		t.Errorf("%d of 20 records found no room, want 16: four batches fit", exhausted)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	more := records(20, 5)
	for i := range more {
		more[i].Value = make([]byte, 16000)
	}
	if err := p.Produce(ctx, more); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Produce with its context done: %v", err)
	}
	close(release)
	produce(t, p, records(25, 10))
	l.check(t, 35, true)
	if s := p.Stats(); s.BufferWaits == 0 || s.BufferWaitNS < int64(50*time.Millisecond) {
		t.Errorf("stats %+v", s)
	}
}

// TestRefused checks the records that fail before they are appended.
func TestRefused(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.MaxRequestSize, cfg.MaxBlock = 5000, 50*time.Millisecond
	p := open(t, cfg)
	recs := []native.Record{
		{Slot: 0, Partition: -1, Value: make([]byte, 5000)},
		{Slot: 1, Partition: 3, Value: []byte("x")},
		{Slot: 2, Topic: 2, Partition: -1},
		{Slot: 3, Partition: -1, Value: make([]byte, 4900)},
		{Slot: 4, Partition: 2, Value: []byte("fine")},
	}
	produce(t, p, recs)
	for slot, want := range []error{native.ErrRecordTooLarge, native.ErrUnknownPartition, native.ErrUnknownTopic, nil, nil} {
		if e, _ := l.get(uint32(slot)); !errors.Is(e.err, want) {
			t.Errorf("slot %d ended with %v, want %v", slot, e.err, want)
		}
	}
	l.check(t, 5, true)
	if e, _ := l.get(4); e.partition != 2 {
		t.Errorf("explicit partition 2 became %d", e.partition)
	}
}
