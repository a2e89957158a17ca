package native

import (
	"context"
	"errors"
	"fmt"

	"kbench/native/wire"
)

// Replayer is a Producer in template mode: the records that it sends are real, but they are the same ones again and again.
// It encodes and compresses nothing after its template is complete, and rewrites only the 61 bytes of each batch's header,
// to whose CRC that of the records is joined. So it costs little more than writing to the socket: what it reaches is the
// ceiling of the brokers, the network and the machine.
//
// Everything else is as in Producer: batching by batch.size (the template holds as many records as fit), linger.ms,
// buffer.memory (a batch counts batch.size, though it takes a few bytes), acks, idempotence, retries, acknowledgements. What
// differs is the content: whatever a topic, partition or key, a batch of n records holds the first n of the template, with
// the time at which the batch was opened. So a record with a TimestampMS of its own is an ErrArgument, wherever it is given.
type Replayer struct {
	*Producer
}

// NewReplayer opens a Replayer as New does a Producer. The template holds as many of records as fit into batch.size, and is
// complete then; without records it learns from the first that are passed to Produce. Keys, values and headers are what counts
// of records, which aren't kept: Replay and Produce say where they go, so Slot, Topic and Partition are as good as any.
func NewReplayer(ctx context.Context, cfg Config, records []Record) (*Replayer, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	tmpl := newTemplate(cfg.BatchSize)
	for i := range records {
		headers, err := cfg.fitsTemplate(&records[i])
		if err != nil {
			return nil, fmt.Errorf("record %d of the template: %w", i, err)
		}
		tmpl.learn(&records[i], headers)
	}
	tmpl.complete.Store(len(records) > 0)
	pr, err := newProducer(ctx, cfg, tmpl)
	if err != nil {
		return nil, err
	}
	return &Replayer{pr}, nil
}

// Complete says whether the template is complete: Produce looks at keys and sizes of records only, from then on, and Replay
// may be used.
func (rp *Replayer) Complete() bool { return rp.tmpl.complete.Load() }

// Replay produces len(slots) records of the template to a topic (an index into Config.Topics) and partition, or to the one
// that the partitioner chooses for records without a key where partition is −1. It is Produce without the records: nothing
// but the slots is looked at, and interceptors see the acknowledgements only. It blocks and fails as Produce does; those that
// find no memory fail together. A template that isn't complete is complete from here on; an empty one is an error.
func (rp *Replayer) Replay(ctx context.Context, topic, partition int32, slots []uint32) error {
	pr := rp.Producer
	if len(slots) == 0 {
		return nil
	}
	r := Record{Topic: topic, Partition: partition}
	a := appender{pr: pr, ctx: ctx}
	pr.mu.Lock()
	err := pr.refusal
	if err == nil && pr.tmpl.count() == 0 {
		err = errNoTemplate
	}
	part, done := int32(-1), 0
	if err == nil {
		pr.tmpl.complete.Store(true)
		done, part, err = a.replay(&r, slots)
	}
	pr.mu.Unlock()
	a.yield()
	if err == nil {
		return nil
	}
	pr.refuse(slots[done:], topic, part, err)
	for _, own := range []error{ErrBufferExhausted, ErrUnknownTopic, ErrUnknownPartition, ErrArgument} {
		if errors.Is(err, own) {
			return nil // what came of these records, not of the producer
		}
	}
	return err
}

var errNoTemplate = errors.New("the template is empty: give NewReplayer records, or Produce some first")

// appendTemplate is appendOne with a template: r is learnt from, or counted only.
func (a *appender) appendTemplate(r *Record) (int32, error) {
	pr := a.pr
	if _, err := pr.topicOf(r); err != nil {
		return -1, err
	}
	headers, err := pr.cfg.fitsTemplate(r)
	if err != nil {
		return -1, err
	}
	pr.tmpl.learn(r, headers)
	a.slot[0] = r.Slot
	_, part, err := a.replay(r, a.slot[:])
	return part, err
}

// fitsTemplate is an error if r can't be a record of a template, else the size of its encoded headers.
func (c *Config) fitsTemplate(r *Record) (headers int, err error) {
	if r.TimestampMS != 0 {
		return 0, fmt.Errorf("Record.TimestampMS: %w: %d: a template's records have the time of their batch, which 0 stands for", ErrArgument, r.TimestampMS)
	}
	headers = 1
	if len(r.Headers) > 0 {
		headers = wire.HeadersSize(r.Headers)
	}
	body := wire.RecordBodySize(0, 0, r.Key, r.Value, headers)
	return headers, c.fits(wire.BatchHeaderSize + wire.VarintLen(int64(body)) + body)
}

// replay counts slots into batches of the partitions that r is routed to. Producer.mu is held, but let go while it waits for
// memory. On failure it returns how many are settled with the producer, and the partition, if known. It reads the clock only
// where a batch begins or ends: for each call that would be the dearest part of it.
func (a *appender) replay(r *Record, slots []uint32) (done int, part int32, err error) {
	pr := a.pr
	t, err := pr.topicOf(r)
	if err != nil {
		return 0, -1, err
	}
	turns := pr.cfg.Partitioner == PartitionerRoundRobin || pr.cfg.Partitioner == PartitionerRandom
	each := r.Partition < 0 && turns // every record has a turn of its own
	for done < len(slots) {
		p, err := a.route(t, r)
		if err != nil {
			return done, -1, err
		}
		for p != nil && p.open == nil {
			now := pr.now()
			if p, err = a.open(p, r, wire.BatchHeaderSize+pr.tmpl.bytes(0, 1), now, pr.wallMS(now)); err != nil {
				return done, p.id, err
			}
		}
		if p == nil {
			continue // while it waited for memory, the partition went
		}
		b := p.open
		had := len(b.slots)
		n := min(len(slots)-done, pr.tmpl.count()-had)
		if each {
			n = min(n, 1)
		}
		b.slots = append(b.slots, slots[done:done+n]...)
		done += n
		t.sticky.bytes += pr.tmpl.bytes(had, had+n)
		if had+n == pr.tmpl.count() && pr.tmpl.complete.Load() { // full; n may be 0, if the template wasn't complete before
			now := pr.now()
			a.seal(p, pr.tmpl.bytes(0, had+n), now)
			if s := &t.sticky; s.part == p {
				s.bytes = max(s.bytes, pr.cfg.BatchSize)
			}
		}
	}
	return done, -1, nil
}
