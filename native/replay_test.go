package native_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker/sink"
	"kbench/native"
)

func openReplayer(t *testing.T, cfg native.Config, records []native.Record) *native.Replayer {
	t.Helper()
	rp, err := native.NewReplayer(ctxFor(t), cfg, records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rp.Close() })
	return rp
}

func flush(t *testing.T, p *native.Producer) {
	t.Helper()
	if err := p.Flush(ctxFor(t)); err != nil {
		t.Fatal(err)
	}
}

// slots counts n slots from first.
func slots(first, n int) []uint32 {
	out := make([]uint32, n)
	for i := range out {
		out[i] = uint32(first + i)
	}
	return out
}

// isPrefix checks that the records of each partition, in the order of their offsets, are runs of the template, each from its
// start, and returns how many runs there are.
func isPrefix(t *testing.T, topics []string, template []native.Record, got map[where]*kgo.Record) (runs int) {
	t.Helper()
	for _, topic := range topics {
		for part := range int32(3) {
			at := 0
			for off := int64(0); ; off++ {
				r := got[where{topic, part, off}]
				if r == nil {
					break
				}
				if at == len(template) || same(&template[at], r) != nil {
					at = 0
				}
				if at == 0 {
					runs++
				}
				if err := same(&template[at], r); err != nil {
					t.Fatalf("%s-%d, offset %d: %v", topic, part, off, err)
				}
				at++
			}
		}
	}
	return runs
}

// TestReplay sends records of every kind with every codec and mode in bursts of odd sizes, and reads all back: each batch
// is the beginning of the template, and each acknowledged offset holds a record.
func TestReplay(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, m := range []struct {
			acks       int16
			idempotent bool
			learn      bool
		}{{-1, true, true}, {-1, false, false}, {1, false, true}, {0, false, false}} {
			t.Run(fmt.Sprintf("%s acks=%d idempotent=%v learn=%v", codec, m.acks, m.idempotent, m.learn), func(t *testing.T) {
				addrs, topics := ownTopics(t)
				l := newLedger()
				cfg := native.DefaultConfig()
				cfg.Bootstrap, cfg.Topics, cfg.OnAck = addrs, topics, l.ack
				cfg.Acks, cfg.EnableIdempotence, cfg.Connections = m.acks, m.idempotent, 2
				cfg.Compression, _ = native.ParseCompression(codec)
				template := records(0, 50) // less than batch.size
				var rp *native.Replayer
				n := 0
				if m.learn {
					rp = openReplayer(t, cfg, nil)
					template = records(0, 3000)
					for i := range template { // one partition, so that order can be checked
						template[i].Topic, template[i].Partition = 0, 0
					}
					for n = 0; n < len(template); n += 7 {
						if err := rp.Produce(context.Background(), template[n:min(n+7, len(template))]); err != nil {
							t.Fatal(err)
						}
					}
					n = len(template)
				} else {
					rp = openReplayer(t, cfg, template)
				}
				if !rp.Complete() {
					t.Fatal("the template isn't complete")
				}
				for i, burst := range []int{1, 3, 64, 200, 1000, 2} {
					if err := rp.Replay(context.Background(), int32(i%2), int32(i%4)-1, slots(n, burst)); err != nil {
						t.Fatal(err)
					}
					n += burst
				}
				flush(t, rp.Producer)
				l.check(t, n, false)
				got := consumeTopics(t, addrs, topics, n)
				if runs := isPrefix(t, topics, template, got); runs < n/len(template) || runs > n {
					t.Errorf("%d runs of the template in %d records", runs, n)
				}
				places := map[where]bool{}
				for s := range n {
					e, _ := l.get(uint32(s))
					places[where{topics[e.topic], e.partition, e.offset}] = true
				}
				if m.acks != 0 && len(places) != n {
					t.Errorf("%d records acknowledged at %d places", n, len(places))
				}
			})
		}
	}
}

// TestReplayTimes checks that records sent later have later times, though their bytes are the same.
func TestReplayTimes(t *testing.T) {
	c, l := cluster(t), newLedger()
	rp := openReplayer(t, config(c, l), []native.Record{{Value: []byte("v")}})
	var before [2]time.Time
	for i := range before {
		before[i] = time.Now().Truncate(time.Millisecond)
		if err := rp.Replay(context.Background(), 0, 0, slots(i, 1)); err != nil {
			t.Fatal(err)
		}
		flush(t, rp.Producer)
		time.Sleep(5 * time.Millisecond)
	}
	got := consume(t, c.ListenAddrs(), 2)
	for i, b := range before {
		at := got[where{"a", 0, int64(i)}].Timestamp
		if at.Before(b) || at.After(b.Add(10*time.Second)) {
			t.Errorf("record %d is of %v, sent at %v", i, at, b)
		}
	}
}

// TestReplayCRC sends batches of every count to a sink that checks them, with each codec.
func TestReplayCRC(t *testing.T) {
	s, err := sink.Listen("127.0.0.1:0", sink.Options{CheckCRC: true, Partitions: 3})
	if err != nil {
		t.Fatal(err)
	}
	go s.Serve()
	defer s.Close()
	for codec := native.CompressionNone; codec <= native.CompressionZstd; codec++ {
		l := newLedger()
		cfg := native.DefaultConfig()
		cfg.Bootstrap, cfg.Topics, cfg.OnAck = []string{s.Addr().String()}, names, l.ack
		cfg.Compression, cfg.Connections, cfg.Retries, cfg.EnableIdempotence = codec, 3, 0, false
		rp := openReplayer(t, cfg, records(0, 300))
		n := 0
		for burst := 1; burst < 200; burst++ {
			if err := rp.Replay(context.Background(), 0, int32(burst%3), slots(n, burst)); err != nil {
				t.Fatal(err)
			}
			n += burst
			if burst%3 == 0 {
				flush(t, rp.Producer)
			}
		}
		flush(t, rp.Producer)
		l.check(t, n, false)
	}
}

// TestReplayRetries keeps order, loses and doubles nothing over errors, lost connections and a batch that is too large.
func TestReplayRetries(t *testing.T) {
	for _, codec := range []native.Compression{native.CompressionNone, native.CompressionZstd} {
		c, l := cluster(t), newLedger()
		cfg := config(c, l)
		cfg.Compression = codec
		template := records(0, 100)
		rp := openReplayer(t, cfg, template)
		n := 0
		send := func(rounds int) {
			for range rounds {
				if err := rp.Replay(context.Background(), 0, 1, slots(n, 70)); err != nil {
					t.Fatal(err)
				}
				n += 70
				time.Sleep(time.Millisecond)
			}
		}
		send(5)
		c.Fault(
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.NotLeaderForPartition, Count: 2},
			kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.MessageTooLarge, Count: 1},
		)
		send(30)
		flush(t, rp.Producer)
		l.check(t, n, false)
		isPrefix(t, names, template, consume(t, c.ListenAddrs(), n))
		last := int64(-1)
		for s := range n {
			if e, _ := l.get(uint32(s)); e.offset != last+1 {
				t.Fatalf("slot %d is at offset %d, the one before at %d", s, e.offset, last)
			} else {
				last = e.offset
			}
		}
		if s := rp.Stats(); s.Retries == 0 {
			t.Error("nothing was sent again")
		}
	}
}

// TestReplayFails checks how records end that can't be sent, each once.
func TestReplayFails(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.BatchSize, cfg.BufferMemory, cfg.MaxBlock = 1000, 3000, 30*time.Millisecond
	cfg.MaxRequestSize = 5000
	if _, err := native.NewReplayer(ctxFor(t), cfg, []native.Record{{Value: make([]byte, 5000)}}); !errors.Is(err, native.ErrRecordTooLarge) {
		t.Errorf("a template larger than max.request.size: %v", err)
	}
	rp := openReplayer(t, cfg, nil)
	if err := rp.Replay(context.Background(), 0, 0, slots(0, 2)); err == nil {
		t.Error("an empty template is replayed")
	}
	if err := rp.Produce(context.Background(), []native.Record{
		{Slot: 2, Value: make([]byte, 5000)}, {Slot: 3, Value: []byte("first")}, {Slot: 4, Topic: 7}}); err != nil {
		t.Fatal(err)
	}
	if err := rp.Replay(context.Background(), 1, 99, slots(5, 2)); err != nil {
		t.Fatal(err)
	}
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	var once sync.Once
	block := make(chan struct{})
	c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		once.Do(func() { <-block })
		return nil, nil, false
	})
	if err := rp.Replay(context.Background(), 0, 0, slots(7, 5000)); err != nil { // over 3000 bytes: some wait in vain
		t.Fatal(err)
	}
	if err := rp.Replay(canceled, 0, 0, slots(5007, 5000)); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled Replay that waits: %v", err)
	}
	close(block)
	flush(t, rp.Producer)
	rp.Close()
	if err := rp.Replay(context.Background(), 0, 0, slots(10007, 3)); !errors.Is(err, native.ErrClosed) {
		t.Errorf("Replay after Close: %v", err)
	}
	l.check(t, 10010, true)
	sent := 0
	for s := range uint32(10010) {
		e, _ := l.get(s)
		if e.err == nil {
			sent++
		}
		for _, want := range []struct {
			from, to uint32
			err      error
		}{{0, 1, nil}, {2, 2, native.ErrRecordTooLarge}, {4, 4, native.ErrUnknownTopic}, {5, 6, native.ErrUnknownPartition},
			{5006, 5006, native.ErrBufferExhausted}, {10006, 10006, context.Canceled}, {10007, 10009, native.ErrClosed}} {
			if s >= want.from && s <= want.to && (e.err == nil || want.err != nil && !errors.Is(e.err, want.err)) {
				t.Errorf("slot %d ended with %v, want %v", s, e.err, want.err)
			}
		}
	}
	got := consume(t, c.ListenAddrs(), sent)
	for _, r := range got {
		if !bytes.Equal(r.Value, []byte("first")) {
			t.Fatalf("value %q", r.Value)
		}
	}
}
