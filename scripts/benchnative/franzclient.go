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

// franzClient is franz-go used as sparingly as was found: records are made once and go round between the one promise, which
// kgo calls for one record after the other, and the goroutine that sends. sync.Pool, new records, other numbers of records and
// kgo.StickyPartitioner were tried: not faster.
type franzClient struct {
	cl     *kgo.Client
	values [][]byte
	stamp  bool                     // give each record its time, as kgo does otherwise
	done   func(*kgo.Record, error) // promise: as a method value it would be allocated for each record

	free  []*kgo.Record // a ring: those from taken to given are free
	taken int64         // of the sender
	given int64         // of the promise
	shown atomic.Int64  // given, as the sender may know it

	failed atomic.Int64
}

const (
	// franzBuffered is how many records kgo may hold: there it blocks.
	franzBuffered = 1 << 16
	// franzRecords is more than that: kgo counts a record off only after its promise, and those are shown in steps.
	franzRecords = franzBuffered + franzBuffered/4
	// franzStep is by how many records the promise shows its progress: an atomic write for each would cost some ns.
	franzStep = burstSize
)

func openFranz(ctx context.Context, s *setup, values [][]byte) (*franzClient, error) {
	codec, err := franzCodec(s.Codec)
	if err != nil {
		return nil, err
	}
	partitioner := kgo.UniformBytesPartitioner(s.BatchSize, true, true, nil)
	if s.InTurn {
		partitioner = kgo.RoundRobinPartitioner()
	}
	c := &franzClient{values: values, stamp: s.Client == clientFranzStamped, free: make([]*kgo.Record, franzRecords), given: franzRecords}
	for i := range c.free {
		c.free[i] = &kgo.Record{Topic: s.Topic}
	}
	c.done = c.promise
	c.shown.Store(c.given)
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
	ctx, shown := context.Background(), c.shown.Load()
	for i := 0; !stop.Load(); i += burstSize {
		var now time.Time
		if c.stamp {
			now = time.Now()
		}
		for j := range burstSize {
			for c.taken == shown {
				if shown = c.shown.Load(); c.taken == shown {
					runtime.Gosched() // kgo's bound comes first, but for what it is about to count off
				}
			}
			r := c.free[c.taken%franzRecords]
			c.taken++
			r.Value, r.Timestamp = c.values[(i+j)%len(c.values)], now
			c.cl.Produce(ctx, r, c.done)
		}
	}
	return nil
}

// promise gives a record back.
func (c *franzClient) promise(r *kgo.Record, err error) {
	if err != nil {
		c.failed.Add(1)
	}
	c.free[c.given%franzRecords] = r
	if c.given++; c.given%franzStep == 0 {
		c.shown.Store(c.given)
	}
}

func (c *franzClient) counts() (acked, failed, batches int64) {
	failed = c.failed.Load()
	return c.shown.Load() - franzRecords - failed, failed, -1
}

func (c *franzClient) finish() error {
	if err := c.cl.Flush(context.Background()); err != nil {
		return err
	}
	// Bursts and steps are of the same size, so the last promise shows the last record. Flush may return before it runs.
	for c.shown.Load() != c.taken+franzRecords {
		runtime.Gosched()
	}
	c.cl.Close()
	return nil
}
