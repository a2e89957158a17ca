package native_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/native"
)

// TestPartitionsAdded asks for a partition that was added after the producer had heard of the topic: Produce learns of it and
// goes on.
func TestPartitionsAdded(t *testing.T) {
	addrs, topics := ownTopics(t)
	l := newLedger()
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck = addrs, topics, l.ack
	p := open(t, cfg)
	recs := onePartition(records(0, 20))
	produce(t, p, recs[:10])
	for i := range recs[10:] {
		recs[10+i].Partition = 4
	}
	waiting := make(chan error, 1)
	go func() { waiting <- p.Produce(ctxFor(t), recs[10:]) }() // may be ahead of the partitions
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if resp, err := kadm.NewClient(cl).UpdatePartitions(ctxFor(t), 5, topics[0]); err != nil || resp.Error() != nil {
		t.Fatal(err, resp)
	}
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
	produce(t, p, nil)
	l.check(t, len(recs), false)
	readBackTopics(t, addrs, topics, l, recs)
	if e, _ := l.get(10); e.partition != 4 {
		t.Errorf("a record for partition 4 went to %d", e.partition)
	}
}

// TestPartitionAwaited has Produce give up the wait for a partition that never comes: with its context, after max.block.ms
// in all, and with the producer.
func TestPartitionAwaited(t *testing.T) {
	c, l := cluster(t), newLedger()
	cfg := config(c, l)
	p := open(t, cfg)
	recs := onePartition(records(0, 8))
	for i := range recs {
		recs[i].Partition = 7
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
	defer cancel()
	if err := p.Produce(ctx, recs[:2]); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("its context done: %v", err)
	}
	time.AfterFunc(30*time.Millisecond, func() { p.Close() })
	if err := p.Produce(ctxFor(t), recs[2:4]); !errors.Is(err, native.ErrClosed) {
		t.Errorf("the producer closed: %v", err)
	}
	cfg.MaxBlock = 50 * time.Millisecond
	if err := open(t, cfg).Produce(ctxFor(t), recs[4:]); err != nil {
		t.Errorf("max.block.ms over: %v", err)
	}
	l.check(t, len(recs), true)
	for slot, want := range map[uint32]error{0: context.DeadlineExceeded, 3: native.ErrClosed,
		4: native.ErrUnknownPartition, 7: native.ErrUnknownPartition} {
		if e, _ := l.get(slot); !errors.Is(e.err, want) {
			t.Errorf("slot %d ended with %v, want %v", slot, e.err, want)
		}
	}
}
