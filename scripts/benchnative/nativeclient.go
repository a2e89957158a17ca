package main

import (
	"context"
	"sync/atomic"

	"kbench/native"
)

// nativeClient is kbench/native, in bursts, one record a call, or replaying.
type nativeClient struct {
	pr     *native.Producer
	rp     *native.Replayer // nil: not replaying
	recs   []native.Record
	slots  []uint32
	step   int
	acked  atomic.Int64
	failed atomic.Int64
}

func openNative(ctx context.Context, s *setup, values [][]byte) (*nativeClient, error) {
	c := &nativeClient{recs: records(values), step: burstSize}
	if s.Client == clientSingle {
		c.step = 1
	}
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	cfg.OnAck = c.acknowledge
	c.pr, err = native.New(ctx, cfg)
	return c, err
}

func openReplay(ctx context.Context, s *setup, values [][]byte) (*nativeClient, error) {
	c := &nativeClient{slots: make([]uint32, replayBurst)}
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	cfg.OnAck = c.acknowledge
	template := records(values)
	for len(template)*s.Size < cfg.BatchSize {
		template = append(template, template...)
	}
	if c.rp, err = native.NewReplayer(ctx, cfg, template); err != nil {
		return nil, err
	}
	c.pr = c.rp.Producer
	return c, nil
}

// records are one for each value.
func records(values [][]byte) []native.Record {
	recs := make([]native.Record, len(values))
	for i, v := range values {
		recs[i] = native.Record{Slot: uint32(i), Partition: -1, Value: v}
	}
	return recs
}

// acknowledge counts; calls never overlap.
func (c *nativeClient) acknowledge(a native.Ack) {
	if a.Err != nil {
		c.failed.Add(int64(len(a.Slots)))
		return
	}
	c.acked.Add(int64(len(a.Slots)))
}

func (c *nativeClient) send(g int, stop *atomic.Bool) error {
	ctx := context.Background()
	if c.rp != nil {
		for !stop.Load() {
			if err := c.rp.Replay(ctx, 0, -1, c.slots); err != nil {
				return err
			}
		}
		return nil
	}
	for i := g * burstSize % len(c.recs); !stop.Load(); i = (i + c.step) % len(c.recs) {
		if err := c.pr.Produce(ctx, c.recs[i:min(i+c.step, len(c.recs))]); err != nil {
			return err
		}
	}
	return nil
}

func (c *nativeClient) counts() (acked, failed, batches int64) {
	return c.acked.Load(), c.failed.Load(), c.pr.Stats().Batches
}

func (c *nativeClient) finish() error {
	if err := c.pr.Flush(context.Background()); err != nil {
		return err
	}
	return c.pr.Close()
}
