package native_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"kbench/native"
)

// TestInterceptors checks that interceptors see every record and every acknowledgement in their order, that what they change
// is what arrives, and that the caller's records stay as they are.
func TestInterceptors(t *testing.T) {
	c, l := cluster(t), newLedger()
	var calls []string
	acked := map[uint32]int{}
	cfg := config(c, l)
	cfg.MaxRequestSize = 50_000
	cfg.OnAck = func(a native.Ack) {
		calls = append(calls, "OnAck")
		l.ack(a)
	}
	cfg.Interceptors = []native.Interceptor{
		{
			OnSend: func(r *native.Record) {
				r.Value = append([]byte("first "), r.Value...)
				r.Headers = append(slices.Clip(r.Headers), native.Header{Key: "by", Value: []byte("first")})
			},
			OnAck: func(a native.Ack) {
				calls = append(calls, "first")
				for _, s := range a.Slots {
					acked[s]++
				}
			},
		},
		{}, // neither
		{
			OnSend: func(r *native.Record) {
				r.Value = append([]byte("second "), r.Value...)
				r.Topic, r.Partition, r.Key = 1, int32(r.Slot%3), []byte("k")
				r.Slot = 12345 // isn't its to change
			},
			OnAck: func(native.Ack) { calls = append(calls, "second") },
		},
	}
	p := open(t, cfg)
	recs := make([]native.Record, 1000)
	for i := range recs {
		recs[i] = native.Record{Slot: uint32(i), Partition: -1, Value: fmt.Append(nil, i), Headers: []native.Header{{Key: "own"}}}
	}
	recs[500].Value = make([]byte, 50_000) // refused
	produce(t, p, recs)
	p.Close()
	if err := p.Produce(context.Background(), []native.Record{{Slot: 1000}}); !errors.Is(err, native.ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	l.check(t, 1001, true)
	for s := range uint32(1001) {
		e, _ := l.get(s)
		if failed := e.err != nil; failed != (s == 500 || s == 1000) {
			t.Errorf("slot %d: %v", s, e.err)
		}
		if acked[s] != 1 {
			t.Errorf("slot %d was seen by an interceptor %d times", s, acked[s])
		}
	}
	for i := 0; i < len(calls); i += 3 {
		if !slices.Equal(calls[i:min(i+3, len(calls))], []string{"first", "second", "OnAck"}) {
			t.Fatalf("calls went %v", calls[i:])
		}
	}
	got := consume(t, c.ListenAddrs(), len(recs)-1)
	for i := range recs {
		r := &recs[i]
		if r.Topic != 0 || r.Partition != -1 || r.Key != nil || len(r.Headers) != 1 || r.Slot != uint32(i) {
			t.Fatalf("the caller's record %d became %+v", i, r)
		}
		if i == 500 {
			continue
		}
		e, _ := l.get(r.Slot)
		at := where{names[1], int32(i % 3), e.offset}
		want := native.Record{Key: []byte("k"), Value: fmt.Append(nil, "second first ", i),
			Headers: []native.Header{{Key: "own"}, {Key: "by", Value: []byte("first")}}}
		if got[at] == nil {
			t.Fatalf("record %d isn't at %v", i, at)
		}
		if err := same(&want, got[at]); err != nil {
			t.Fatalf("record %d: %v", i, err)
		}
	}
}

// TestTable sends keys where the rules say, and fails those whose partition isn't there.
func TestTable(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	cfg.Partitioner = native.PartitionerTable
	cfg.PartitionRules = []native.PartitionRule{{Prefix: "key 1", Partition: 2}, {Prefix: "key", Partition: 0}, {Prefix: "3", Partition: 3}}
	cfg.MaxBlock = 50 * time.Millisecond // how long it waits for partition 3
	p := open(t, cfg)
	recs := records(0, 1000)
	produce(t, p, recs)
	l.check(t, len(recs), true)
	refused := 0
	for i := range recs {
		e, _ := l.get(recs[i].Slot)
		key := string(recs[i].Key)
		want := int32(-1)
		switch {
		case len(key) >= 5 && key[:5] == "key 1":
			want = 2
		case len(key) >= 3 && key[:3] == "key":
			want = 0
		case len(key) > 0 && key[0] == '3':
			if refused++; !errors.Is(e.err, native.ErrUnknownPartition) {
				t.Fatalf("key %q: %v", key, e.err)
			}
			continue
		}
		if e.err != nil || want >= 0 && e.partition != want {
			t.Fatalf("key %q ended in partition %d, %v; want %d", key, e.partition, e.err, want)
		}
	}
	if refused == 0 {
		t.Fatal("nothing was refused")
	}
}
