package main

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/twmb/franz-go/pkg/kgo"
)

// franzClient is franz-go used as sparingly as was found: records are made once and go round; the record's context leads the
// one promise back to it. sync.Pool, new records, other numbers of records and kgo.StickyPartitioner were tried: not faster.
type franzClient struct {
	cl     *kgo.Client
	values [][]byte
	ring   []franzRecord
	done   func(*kgo.Record, error) // promise: as a method value it would be allocated for each record
	stamp  bool                     // give each record its time, as kgo does otherwise

	acked  int64 // of the promises, which kgo calls one after the other
	shown  atomic.Int64
	failed atomic.Int64
}

// franzRecord is a record that goes round.
type franzRecord struct {
	context.Context
	rec  kgo.Record
	busy atomic.Bool // kgo has it
}

// franzBuffered is how many records kgo may hold; the ring holds some more, because kgo counts a record off only after its
// promise.
const franzBuffered = 1 << 16

func openFranz(ctx context.Context, s *setup, values [][]byte) (*franzClient, error) {
	codec, err := franzCodec(s.Codec)
	if err != nil {
		return nil, err
	}
	partitioner := kgo.UniformBytesPartitioner(s.BatchSize, true, true, nil)
	if s.InTurn {
		partitioner = kgo.RoundRobinPartitioner()
	}
	c := &franzClient{values: values, stamp: s.Client == clientFranzStamped, ring: make([]franzRecord, franzBuffered+franzBuffered/4)}
	c.done = c.promise
	for i := range c.ring {
		r := &c.ring[i]
		r.Context = context.Background()
		r.rec = kgo.Record{Topic: s.Topic, Context: r}
	}
	c.cl, err = kgo.NewClient(
		kgo.SeedBrokers(s.Bootstrap...),
		kgo.DisableClientMetrics(),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(codec),
		kgo.ProducerBatchMaxBytes(int32(s.BatchSize)),
		kgo.ProducerLinger(time.Duration(s.LingerMS)*time.Millisecond),
		kgo.MaxBufferedRecords(franzBuffered),
		kgo.RecordPartitioner(partitioner),
	)
	if err != nil {
		return nil, err
	}
	return c, c.cl.Ping(ctx)
}

// franzCodec is a codec at the level that native takes by default.
func franzCodec(name string) (kgo.CompressionCodec, error) {
	switch name {
	case "none":
		return kgo.NoCompression(), nil
	case "gzip":
		return kgo.GzipCompression().WithLevel(-1), nil
	case "snappy":
		return kgo.SnappyCompression(), nil
	case "lz4":
		return kgo.Lz4Compression().WithLevel(0), nil
	case "zstd":
		return kgo.ZstdCompression().WithLevel(int(zstd.EncoderLevelFromZstd(3))), nil
	}
	return kgo.CompressionCodec{}, fmt.Errorf("compression %q is unknown", name)
}

func (c *franzClient) send(_ int, stop *atomic.Bool) error {
	next := 0
	for i := 0; !stop.Load(); i += burstSize {
		var now time.Time
		if c.stamp {
			now = time.Now()
		}
		for j := range burstSize {
			r := &c.ring[next]
			if next++; next == len(c.ring) {
				next = 0
			}
			for r.busy.Load() {
				runtime.Gosched()
			}
			r.busy.Store(true)
			r.rec.Value, r.rec.Timestamp = c.values[(i+j)%len(c.values)], now
			c.cl.Produce(r, &r.rec, c.done)
		}
	}
	return nil
}

// promise counts; others see the count in steps, because an atomic write for each record would cost some ns.
func (c *franzClient) promise(r *kgo.Record, err error) {
	if err != nil {
		c.failed.Add(1)
	} else if c.acked++; c.acked%64 == 0 {
		c.shown.Store(c.acked)
	}
	r.Context.(*franzRecord).busy.Store(false)
}

func (c *franzClient) counts() (acked, failed, batches int64) {
	return c.shown.Load(), c.failed.Load(), -1
}

func (c *franzClient) finish() error {
	if err := c.cl.Flush(context.Background()); err != nil {
		return err
	}
	c.cl.Close()
	// Flush may return while the last promises run.
	for i := range c.ring {
		for c.ring[i].busy.Load() {
			runtime.Gosched()
		}
	}
	c.shown.Store(c.acked)
	return nil
}
