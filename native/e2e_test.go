package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/native"
)

// ledger keeps what became of each slot.
type ledger struct {
	mu      sync.Mutex
	busy    bool
	overlap bool
	ends    map[uint32]end
	twice   []uint32
	acks    int
}

type end struct {
	topic, partition int32
	offset           int64
	err              error
}

func newLedger() *ledger { return &ledger{ends: map[uint32]end{}} }

func (l *ledger) ack(a native.Ack) {
	l.mu.Lock()
	l.overlap = l.overlap || l.busy
	l.busy = true
	l.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy = false
	l.acks++
	for i, s := range a.Slots {
		if _, ok := l.ends[s]; ok {
			l.twice = append(l.twice, s)
		}
		e := end{a.Topic, a.Partition, -1, a.Err}
		if a.BaseOffset >= 0 {
			e.offset = a.BaseOffset + int64(i)
		}
		l.ends[s] = e
	}
}

func (l *ledger) get(slot uint32) (end, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	e, ok := l.ends[slot]
	return e, ok
}

// check requires one end for each of n slots and, unless failures are allowed, no error.
func (l *ledger) check(t *testing.T, n int, mayFail bool) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.overlap {
		t.Error("calls of OnAck overlapped")
	}
	if len(l.twice) > 0 {
		t.Errorf("%d slots acknowledged twice, the first %d", len(l.twice), l.twice[0])
	}
	if len(l.ends) != n {
		t.Errorf("%d slots ended, want %d", len(l.ends), n)
	}
	for s, e := range l.ends {
		if e.err != nil && !mayFail {
			t.Errorf("slot %d: %v", s, e.err)
			return
		}
	}
}

// ctxFor bounds a test.
func ctxFor(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func cluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2), kfake.SeedTopics(3, "a", "b")}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// config is the default one with quick retries, for topics a and b.
func config(c *kfake.Cluster, l *ledger) native.Config {
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck = c.ListenAddrs(), []string{"a", "b"}, l.ack
	cfg.RetryBackoff, cfg.RetryBackoffMax = 5*time.Millisecond, 20*time.Millisecond
	cfg.ReconnectBackoff, cfg.ReconnectBackoffMax = 5*time.Millisecond, 20*time.Millisecond
	return cfg
}

func open(t *testing.T, cfg native.Config) *native.Producer {
	t.Helper()
	p, err := native.New(ctxFor(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

// records makes n records with all kinds of keys, values and headers; slots count from first.
func records(first, n int) []native.Record {
	out := make([]native.Record, n)
	for i := range out {
		s := first + i
		r := &out[i]
		*r = native.Record{Slot: uint32(s), Topic: int32(s % 2), Partition: -1, Value: fmt.Appendf(nil, "value %d", s)}
		switch s % 5 {
		case 1:
			r.Key = fmt.Appendf(nil, "key %d", s%17)
		case 2:
			r.Key = []byte{}
			r.Headers = []native.Header{{Key: "slot", Value: fmt.Append(nil, s)}, {Key: "null"}, {Key: "", Value: []byte{}}}
		case 3:
			r.Value = bytes.Repeat([]byte{byte(s)}, s%3000)
		case 4:
			r.Value = nil
			r.Key = fmt.Append(nil, s)
		}
	}
	return out
}

type where struct {
	topic     string
	partition int32
	offset    int64
}

// names are the topics of the fake cluster.
var names = []string{"a", "b"}

// consume reads n records of topics a and b.
func consume(t *testing.T, addrs []string, n int) map[where]*kgo.Record {
	t.Helper()
	return consumeTopics(t, addrs, names, n)
}

func consumeTopics(t *testing.T, addrs, topics []string, n int) map[where]*kgo.Record {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topics...),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	got := map[where]*kgo.Record{}
	ctx, cancel := context.WithTimeout(ctxFor(t), 10*time.Second)
	defer cancel()
	for len(got) < n {
		fs := cl.PollFetches(ctx)
		if errs := fs.Errors(); len(errs) > 0 {
			t.Fatalf("%d of %d records read, then %v", len(got), n, errs[0].Err)
		}
		fs.EachRecord(func(r *kgo.Record) { got[where{r.Topic, r.Partition, r.Offset}] = r })
	}
	quiet, stop := context.WithTimeout(ctx, 100*time.Millisecond)
	defer stop()
	cl.PollFetches(quiet).EachRecord(func(r *kgo.Record) { got[where{r.Topic, r.Partition, r.Offset}] = r })
	if len(got) != n {
		t.Errorf("%d records read, want %d: some are there twice", len(got), n)
	}
	return got
}

// same compares a record as sent and as read; nil and empty differ.
func same(sent *native.Record, got *kgo.Record) error {
	eq := func(a, b []byte) bool { return bytes.Equal(a, b) && (a == nil) == (b == nil) }
	if !eq(sent.Key, got.Key) {
		return fmt.Errorf("key %q, want %q", got.Key, sent.Key)
	}
	if !eq(sent.Value, got.Value) {
		return fmt.Errorf("value %.40q, want %.40q", got.Value, sent.Value)
	}
	if len(sent.Headers) != len(got.Headers) {
		return fmt.Errorf("%d headers, want %d", len(got.Headers), len(sent.Headers))
	}
	for i, h := range sent.Headers {
		if h.Key != got.Headers[i].Key || !eq(h.Value, got.Headers[i].Value) {
			return fmt.Errorf("header %v, want %v", got.Headers[i], h)
		}
	}
	return nil
}

// readBack compares every acknowledged record with what a consumer finds at its offset.
func readBack(t *testing.T, addrs []string, l *ledger, sent []native.Record) {
	t.Helper()
	readBackTopics(t, addrs, names, l, sent)
}

func readBackTopics(t *testing.T, addrs, topics []string, l *ledger, sent []native.Record) {
	t.Helper()
	got := consumeTopics(t, addrs, topics, len(sent))
	for i := range sent {
		e, ok := l.get(sent[i].Slot)
		if !ok || e.err != nil {
			t.Fatalf("slot %d: ended %v, error %v", sent[i].Slot, ok, e.err)
		}
		r := got[where{topics[e.topic], e.partition, e.offset}]
		if r == nil {
			t.Fatalf("slot %d: nothing at %v", sent[i].Slot, e)
		}
		if e.topic != sent[i].Topic {
			t.Fatalf("slot %d: topic %d, want %d", sent[i].Slot, e.topic, sent[i].Topic)
		}
		if err := same(&sent[i], r); err != nil {
			t.Fatalf("slot %d: %v", sent[i].Slot, err)
		}
	}
}

func produce(t *testing.T, p *native.Producer, recs []native.Record) {
	t.Helper()
	ctx := ctxFor(t)
	for i := 0; i < len(recs); i += 64 {
		if err := p.Produce(ctx, recs[i:min(i+64, len(recs))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestStats compares the counters with what happened.
func TestStats(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		c, l := cluster(t), newLedger()
		cfg := config(c, l)
		cfg.Compression, _ = native.ParseCompression(codec)
		p := open(t, cfg)
		produce(t, p, records(0, 1000))
		s := p.Stats()
		if s.Requests == 0 || s.Batches < s.Requests || s.WireBytes < s.CompressedBytes || s.ProduceVersion < 9 {
			t.Errorf("%s: stats %+v", codec, s)
		}
		if codec != "none" && s.CompressedBytes*2 > s.UncompressedBytes {
			t.Errorf("%s: %d bytes from %d", codec, s.CompressedBytes, s.UncompressedBytes)
		}
	}
}

// TestNoEmptyBatches: with any partitioner, no batch is written without a record. Records go one by one and are flushed,
// so that each makes a batch of its own.
func TestNoEmptyBatches(t *testing.T) {
	for _, partitioner := range []native.Partitioner{native.PartitionerDefault, native.PartitionerRoundRobin, native.PartitionerRandom} {
		c, l := cluster(t), newLedger()
		cfg := config(c, l)
		cfg.Partitioner, cfg.Linger = partitioner, 0
		p := open(t, cfg)
		recs := records(0, 60)
		for i := range recs {
			produce(t, p, recs[i:i+1])
		}
		if got := p.Stats().Batches; got != int64(len(recs)) {
			t.Errorf("%v: %d batches for %d records", partitioner, got, len(recs))
		}
	}
}

// TestModes goes through acks, idempotence, in flight and linger, and checks the order in each partition.
func TestModes(t *testing.T) {
	for _, m := range []struct {
		acks       int16
		idempotent bool
		inFlight   int
		linger     time.Duration
	}{{-1, true, 5, 0}, {-1, true, 1, time.Millisecond}, {-1, false, 1, 0}, {-1, false, 5, time.Millisecond},
		{1, false, 1, 0}, {1, false, 5, 0}, {0, false, 1, 0}, {0, false, 5, time.Millisecond}} {
		t.Run(fmt.Sprintf("%+v", m), func(t *testing.T) {
			c, l := cluster(t), newLedger()
			cfg := config(c, l)
			cfg.Acks, cfg.EnableIdempotence, cfg.MaxInFlight, cfg.Linger = m.acks, m.idempotent, m.inFlight, m.linger
			cfg.BatchSize = 1000
			p := open(t, cfg)
			recs := records(0, 2000)
			produce(t, p, recs)
			l.check(t, len(recs), false)
			if m.acks != 0 {
				readBack(t, c.ListenAddrs(), l, recs)
				inOrder(t, l, len(recs))
			} else {
				consume(t, c.ListenAddrs(), len(recs))
			}
		})
	}
}

// inOrder checks that slots and offsets agree in each partition.
func inOrder(t *testing.T, l *ledger, n int) {
	t.Helper()
	last := map[[2]int32]int64{}
	for s := range n {
		e, _ := l.get(uint32(s))
		k := [2]int32{e.topic, e.partition}
		if prev, ok := last[k]; ok && e.offset <= prev {
			t.Fatalf("slot %d of %v has offset %d after %d", s, k, e.offset, prev)
		}
		last[k] = e.offset
	}
}

// TestCloseInFlight closes with records in flight: each ends once.
func TestCloseInFlight(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.Linger = time.Hour / 2
	cfg.DeliveryTimeout = time.Hour
	p := open(t, cfg)
	recs := records(0, 300)
	if err := p.Produce(ctxFor(t), recs); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	l.check(t, len(recs), true)
	if err := p.Produce(ctxFor(t), records(300, 10)); !errors.Is(err, native.ErrClosed) {
		t.Errorf("Produce after Close: %v", err)
	}
	l.check(t, len(recs)+10, true)
}

// checkContent checks that each record is somewhere in its topic, once.
func checkContent(t *testing.T, got map[where]*kgo.Record, sent []native.Record) {
	t.Helper()
	show := func(topic string, key, value []byte, headers int) string {
		return fmt.Sprintf("%s %v %q %v %q %d", topic, key == nil, key, value == nil, value, headers)
	}
	have := map[string]int{}
	for _, r := range got {
		have[show(r.Topic, r.Key, r.Value, len(r.Headers))]++
	}
	for i := range sent {
		r := &sent[i]
		have[show(names[r.Topic], r.Key, r.Value, len(r.Headers))]--
	}
	for k, n := range have {
		if n != 0 {
			t.Errorf("%d too many of %.80s", n, k)
		}
	}
}
