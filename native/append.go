package native

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"kbench/native/wire"
)

// burst is how many records are appended under one lock at most: about 5 µs.
const burst = 128

// yieldFrom is the size from which on a batch that is full is worth a turn of the goroutine that writes it, where there is only
// one processor: it is in the caches still, and so will be the memory of those that were acknowledged meanwhile.
const yieldFrom = 64 << 10

// Produce appends records in order. Where buffer.memory is exhausted, or a record asks for a partition that isn't known yet,
// it waits, max.block.ms in all; a record that finds no room or partition by then fails. Each record gets exactly one Ack,
// whatever Produce returns. An error means that records failed because ctx was done, that the producer can't be used any more
// (closed, or refused for good by the brokers), or that there is no transaction to take them. Safe for concurrent use.
func (pr *Producer) Produce(ctx context.Context, recs []Record) error {
	if len(pr.cfg.Interceptors) > 0 {
		return pr.intercept(ctx, recs)
	}
	var err error
	a := appender{pr: pr, ctx: ctx}
	for len(recs) > 0 && err == nil {
		var done int
		done, err = a.append(recs[:min(burst, len(recs))])
		recs = recs[done:]
	}
	if len(recs) > 0 {
		pr.refuseRecords(recs, err)
	}
	return err
}

// appender is one call of Produce.
type appender struct {
	pr       *Producer
	ctx      context.Context
	deadline int64     // of waiting for memory and partitions, ns since the start; 0: hasn't waited yet
	yields   bool      // a large batch is ready, and there is one processor
	settled  int       // records of the burst that are with the producer, should a callback panic
	slot     [1]uint32 // scratch
}

// append appends one burst. It returns how many records are settled with the producer (appended or refused), and an error
// if the rest can't be.
func (a *appender) append(recs []Record) (done int, err error) {
	pr := a.pr
	now := pr.now()
	timeMS := pr.wallMS(now)
	pr.mu.Lock()
	for i := 0; i < len(recs); i++ {
		if err := pr.refusal; err != nil {
			pr.mu.Unlock()
			return i, err
		}
		if i += a.appendRun(recs[i:], timeMS); i == len(recs) {
			break
		}
		r := &recs[i]
		var part int32
		var err error
		switch {
		case pr.tmpl != nil:
			part, err = a.appendTemplate(r)
		case r.TimestampMS == 0:
			part, err = a.appendOne(r, now, timeMS)
		case r.TimestampMS > 0:
			part, err = a.appendOne(r, now, r.TimestampMS)
		default: // ProducerRecord
			part, err = -1, fmt.Errorf("Record.TimestampMS: %w: %d is negative", ErrArgument, r.TimestampMS)
		}
		if err != nil {
			var ended []*batch
			if pr.txn != nil {
				ended = pr.txn.recordRefused(err)
			}
			over := pr.dead != nil && errors.Is(err, pr.refusal)
			pr.mu.Unlock()
			a.settled = i
			pr.deliver(ended)
			if over || a.ctx.Err() != nil {
				return i, err
			}
			a.settled = i + 1
			pr.refuseRecord(r, part, err)
			pr.mu.Lock()
		}
		if a.yields {
			recs = recs[:i+1]
		}
	}
	pr.mu.Unlock()
	a.yield()
	return len(recs), nil
}

// seal seals p's open batch, which is full, and notes whether that is worth a yield. Producer.mu is held.
func (a *appender) seal(p *partition, size int, now int64) {
	p.seal(now)
	a.pr.place(p, now)
	if size >= yieldFrom && p.node != nil && runtime.GOMAXPROCS(0) == 1 {
		p.node.kick() // also where it waits for answers: they may be there
		a.yields = true
	}
}

// yield gives the writer its turn, if a large batch is ready. Producer.mu is not held.
func (a *appender) yield() {
	if a.yields {
		a.yields = false
		runtime.Gosched()
	}
}

// appendOne appends one record under Producer.mu, which is let go while it waits for memory. On failure it returns
// the partition, if known.
func (a *appender) appendOne(r *Record, now, timeMS int64) (int32, error) {
	pr := a.pr
	t, err := pr.topicOf(r)
	if err != nil {
		return -1, err
	}
	headers := 1
	if len(r.Headers) > 0 {
		headers = wire.HeadersSize(r.Headers)
	}
	// The partition is chosen once: asking round-robin or random again would leave the batch opened for the first choice
	// empty. Only a sticky partition that turns out to be full is given up for another.
	var p *partition
	for {
		if p == nil {
			if p, err = a.route(t, r); err != nil {
				return -1, err
			}
		}
		if b := p.open; b != nil {
			body := wire.RecordBodySize(timeMS-b.baseTime, len(b.slots), r.Key, r.Value, headers)
			if size := wire.VarintLen(int64(body)) + body; len(b.buf)+size <= b.limit && size <= pr.maxRecord {
				b.append(r, body, timeMS)
				t.sticky.bytes += body
				if len(b.buf)-b.crcTo >= crcChunk && pr.cfg.Compression == CompressionNone {
					b.sumUp()
				}
				return p.id, nil
			}
		}
		body := wire.RecordBodySize(0, 0, r.Key, r.Value, headers)
		size := wire.BatchHeaderSize + wire.VarintLen(int64(body)) + body
		if err := pr.cfg.fits(size); err != nil {
			return p.id, err
		}
		if p.open != nil {
			a.seal(p, len(p.open.buf), now)
			if s := &t.sticky; s.part == p && s.bytes+size >= pr.cfg.BatchSize {
				// Its batch is full: leave the sticky partition now, or its next batch would be left half full.
				s.bytes = max(s.bytes, pr.cfg.BatchSize)
				p = nil
				continue
			}
		}
		part := p.id
		if p, err = a.open(p, r, size, now, timeMS); err != nil {
			return part, err
		}
	}
}

// open opens a batch on p for a first record of size bytes, waiting for memory if it must. Then the record may have another
// partition, or none, or somebody else may have opened the batch: it returns the partition to go on with.
func (a *appender) open(p *partition, r *Record, size int, now, timeMS int64) (*partition, error) {
	pr := a.pr
	mem := pr.mem.charge(size)
	if pr.mem.tryTake(mem) {
		pr.openBatch(p, mem, now, timeMS)
		return p, nil
	}
	if err := a.wait(mem); err != nil {
		return p, err
	}
	if err := pr.refusal; err != nil { // the transaction ended meanwhile
		pr.mem.refund(mem)
		return p, err
	}
	if p = pr.route(p.topic, r); p == nil || p.open != nil {
		pr.mem.refund(mem)
	} else {
		pr.openBatch(p, mem, pr.now(), timeMS)
	}
	return p, nil
}

// topicOf is the topic that r names.
func (pr *Producer) topicOf(r *Record) (*topic, error) {
	if uint(r.Topic) >= uint(len(pr.topics)) {
		return nil, fmt.Errorf("%w: Record.Topic %d of %d topics", ErrUnknownTopic, r.Topic, len(pr.topics))
	}
	return pr.topics[r.Topic], nil
}

// wait waits for memory until max.block.ms after this call of Produce first had to.
func (a *appender) wait(mem int64) error {
	pr := a.pr
	a.startWaiting(pr.now())
	err := pr.waitMemory(a.ctx, mem, a.deadline)
	if errors.Is(err, ErrClosed) {
		return pr.refusal // closed, or refused for good
	}
	return err
}

// startWaiting sets the deadline at the first wait.
func (a *appender) startWaiting(now int64) {
	if a.deadline == 0 {
		a.deadline = now + int64(a.pr.cfg.MaxBlock)
	}
}

// openBatch opens a batch with memory already charged.
func (pr *Producer) openBatch(p *partition, mem, now, timeMS int64) {
	b := pr.mem.take(mem)
	b.reset(p, pr.gen, now, timeMS)
	b.refs = 1
	pr.gen.batches++
	pr.unfinished++
	p.open = b
	if pr.txn != nil {
		pr.txn.join(p)
	}
	if p.node == nil {
		pr.refreshMetadata()
	}
	pr.place(p, now)
}

// maxRecord is how many bytes a record may take with its own length field: a batch of it alone fits.
func (c *Config) maxRecord() int {
	return int(min(int64(c.MaxRequestSize), c.BufferMemory)) - wire.BatchHeaderSize
}

// fits is an error if a batch of size bytes with one record is too large; its text is the same for every record.
func (c *Config) fits(size int) error {
	switch {
	case size > c.MaxRequestSize:
		return fmt.Errorf("%w: max.request.size = %d", ErrRecordTooLarge, c.MaxRequestSize)
	case int64(size) > c.BufferMemory:
		return fmt.Errorf("%w: buffer.memory = %d", ErrRecordTooLarge, c.BufferMemory)
	}
	return nil
}

// noPartition says why a record has no partition to go to.
func (pr *Producer) noPartition(t *topic, r *Record) error {
	if len(t.current()) == 0 {
		return topicError(t.name, codeUnknownTopic)
	}
	want := r.Partition
	if want < 0 { // it came from a rule
		want, _ = pr.table.lookup(r.Key)
	}
	return fmt.Errorf("%w: %d of topic %q, which has %d", ErrUnknownPartition, want, t.name, len(t.current()))
}

// refuseRecord acknowledges a record that never got into a batch.
func (pr *Producer) refuseRecord(r *Record, partition int32, err error) {
	pr.ackMu.Lock()
	defer pr.ackMu.Unlock()
	pr.refused[0] = r.Slot
	pr.acknowledge(Ack{Slots: pr.refused[:], Topic: r.Topic, Partition: partition, BaseOffset: -1, Err: err})
}

// refuseRecords is refuseRecord for each of recs, also where a callback panics.
func (pr *Producer) refuseRecords(recs []Record, err error) {
	defer func() {
		if len(recs) > 0 {
			pr.refuseRecords(recs, err)
		}
	}()
	for len(recs) > 0 {
		r := &recs[0]
		recs = recs[1:]
		pr.refuseRecord(r, -1, err)
	}
}

// refuse acknowledges records that never got into a batch.
func (pr *Producer) refuse(slots []uint32, topic, partition int32, err error) {
	pr.ackMu.Lock()
	defer pr.ackMu.Unlock()
	pr.acknowledge(Ack{Slots: slots, Topic: topic, Partition: partition, BaseOffset: -1, Err: err})
}
