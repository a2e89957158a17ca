package native

import (
	"context"
	"fmt"
	"runtime"

	"kbench/driver"
	"kbench/native"
	"kbench/workload"
)

// Replay describes the native producer in template mode.
func Replay() driver.Driver {
	caps := append(capabilities(),
		driver.Capability{Setting: "compression.type", Support: driver.Mapped, How: "compresses once for each count of records in a batch, then sends that again"},
	)
	return driver.Driver{
		Name:    "replay",
		Client:  "kbench/native, template mode",
		Version: native.Version,
		About: "the ceiling of the target: sends the first records' bytes again and again, so later keys and values aren't those generated; " +
			"counts, batches and acknowledgements are real",
		Capabilities: caps,
		Open:         openReplay,
	}
}

// openReplay connects a producer in template mode. It has a connection for each processor, up to maxConnections: writing to
// the socket is nearly all that it does.
func openReplay(ctx context.Context, cfg driver.Config, ack driver.AckFunc) (driver.Session, error) {
	if err := driver.Check(Replay(), &cfg.Producer); err != nil {
		return driver.Session{}, err
	}
	nc, err := config(ctx, &cfg)
	if err != nil {
		return driver.Session{}, err
	}
	nc.Connections = min(maxConnections, runtime.GOMAXPROCS(0))
	p := newProducer(&cfg.Producer, ack)
	nc.OnAck = p.acknowledge
	rp, err := native.NewReplayer(ctx, nc, nil)
	if err != nil {
		return driver.Session{}, fmt.Errorf("replay: %w", err)
	}
	p.core = rp.Producer
	r := &replayer{
		producer: p, core: rp,
		limit: driver.NewSizeLimit(int(min(int64(cfg.Producer.MaxRequestSize), cfg.Producer.BufferMemory))),
		keyed: nc.Partitioner == native.PartitionerDefault && !nc.PartitionerIgnoreKeys,
	}
	return driver.Session{Producer: r, Effective: effective(rp.Config(), &cfg.Producer), Stats: p.stats, Distributions: p.distributions}, nil
}

// maxConnections bounds the connections of one replaying producer to each broker.
const maxConnections = 4

// replayer is the adapter in template mode.
type replayer struct {
	*producer
	core  *native.Replayer
	limit driver.SizeLimit
	keyed bool // a key decides about the partition

	slots [piece]uint32 // of Send's goroutine
}

// Send implements driver.Producer. The core is told of records by their slots alone, but gets them whole while it still
// learns its template, where the partition depends on a key, and where a record is too large to be sent.
func (p *replayer) Send(ctx context.Context, recs []workload.Record) error {
	if !p.core.Complete() {
		return p.producer.Send(ctx, recs)
	}
	var failed error
	for len(recs) > 0 {
		var err error
		n := p.alike(recs)
		if n > 0 {
			if err = p.core.Replay(ctx, recs[0].Topic, recs[0].Partition, p.slots[:n]); err != nil {
				err = p.translate(err)
			}
		} else {
			n = p.whole(recs)
			err = p.producer.Send(ctx, recs[:n])
		}
		if err != nil && ctx.Err() == nil {
			failed = err
		}
		recs = recs[n:]
	}
	return failed
}

// alike notes the slots of the first records that may go to the core together by their slots, and returns how many they are.
func (p *replayer) alike(recs []workload.Record) int {
	first := &recs[0]
	n := min(len(recs), piece)
	for i := range n {
		r := &recs[i]
		if r.Topic != first.Topic || r.Partition != first.Partition || p.matters(r) {
			return i
		}
		p.slots[i] = r.Slot
	}
	return n
}

// whole is how many of the first records, at most a piece of them, must go to the core whole.
func (p *replayer) whole(recs []workload.Record) int {
	n := min(len(recs), piece)
	for i := range n {
		if !p.matters(&recs[i]) {
			return i
		}
	}
	return n
}

// matters says whether a record's key or size decides about what becomes of it.
func (p *replayer) matters(r *workload.Record) bool {
	return p.keyed && r.Key != nil && r.Partition < 0 || p.limit.Exceeded(r, len(r.Key)+len(r.Value))
}

var _ driver.Producer = (*replayer)(nil)
