package native

import (
	"context"

	"kbench/driver"
	"kbench/native"
	"kbench/workload"
)

// piece is how many records or acknowledgements are translated at a time: few enough to stay in the L1 cache.
const piece = 128

// producer is the adapter's whole state: arrays to translate into.
type producer struct {
	core *native.Producer
	ack  driver.AckFunc

	// Of Send's goroutine.
	recs    [piece]native.Record
	headers []native.Header

	// Of whoever acknowledges; the core's calls never overlap.
	acks [piece]driver.Ack

	blocked                 *driver.BlockedError
	overRequest, overBuffer *driver.TooLargeError
}

func newProducer(cfg *workload.ProducerConfig, ack driver.AckFunc) *producer {
	return &producer{
		ack:         ack,
		blocked:     &driver.BlockedError{MaxBlockMS: cfg.MaxBlock.Milliseconds(), For: "buffer.memory"},
		overRequest: &driver.TooLargeError{Setting: "max.request.size", Limit: int64(cfg.MaxRequestSize)},
		overBuffer:  &driver.TooLargeError{Setting: "buffer.memory", Limit: cfg.BufferMemory},
	}
}

// Send implements driver.Producer. The core encodes records before it returns, so the translation's arrays are reused.
func (p *producer) Send(ctx context.Context, recs []workload.Record) error {
	var failed error
	for len(recs) > 0 {
		n := min(piece, len(recs))
		p.headers = p.headers[:0]
		for i := range n {
			r, out := &recs[i], &p.recs[i]
			out.Slot, out.Topic, out.Partition = r.Slot, r.Topic, r.Partition
			out.Key, out.Value = r.Key, r.Value
			out.Headers = nil
			if len(r.Headers) > 0 {
				at := len(p.headers)
				for _, h := range r.Headers {
					p.headers = append(p.headers, native.Header(h))
				}
				out.Headers = p.headers[at:]
			}
		}
		// Records after a failure are handed over all the same: the core acknowledges each.
		if err := p.core.Produce(ctx, p.recs[:n]); err != nil && ctx.Err() == nil {
			failed = p.translate(err)
		}
		recs = recs[n:]
	}
	return failed
}

// acknowledge passes the core's acknowledgements on.
func (p *producer) acknowledge(a native.Ack) {
	err := p.translate(a.Err)
	offset := a.BaseOffset
	for slots := a.Slots; len(slots) > 0; {
		n := min(piece, len(slots))
		for i, s := range slots[:n] {
			p.acks[i] = driver.Ack{Slot: s, Partition: a.Partition, Offset: offset, Err: err}
			if offset >= 0 {
				offset++
			}
		}
		p.ack(p.acks[:n])
		slots = slots[n:]
	}
}

// Flush implements driver.Producer.
func (p *producer) Flush(ctx context.Context) error { return p.core.Flush(ctx) }

// Close implements driver.Producer.
func (p *producer) Close() error { return p.core.Close() }

// stats translates the counters.
func (p *producer) stats() driver.Stats {
	s := p.core.Stats()
	return driver.Stats{
		Requests: s.Requests, WireBytes: s.WireBytes, Batches: s.Batches,
		UncompressedBytes: s.UncompressedBytes, CompressedBytes: s.CompressedBytes,
		Retries: s.Retries, ThrottleNS: s.ThrottleNS, ProduceVersion: s.ProduceVersion,
		BufferWaits: s.BufferWaits, BufferWaitNS: s.BufferWaitNS, BatchesSplit: s.BatchesSplit, BatchesExpired: s.BatchesExpired,
		Connections: s.Connections,
	}
}

// distributions passes the core's on; it is the only client that knows them all.
func (p *producer) distributions() *driver.Distributions {
	d := p.core.Distributions()
	return &driver.Distributions{
		BatchFill: &d.BatchFill, BatchRecords: &d.BatchRecords, LingerNS: &d.OpenNS, QueueNS: &d.QueueNS,
		RequestBatches: &d.RequestBatches, RequestRecords: &d.RequestRecords, RequestBytes: &d.RequestBytes,
		WriteNS: &d.WriteNS, FlightNS: &d.FlightNS, BrokerNS: &d.BrokerNS,
		DeliveryNS: &d.DeliveryNS, BufferWaitNS: &d.BufferWaitNS,
	}
}
