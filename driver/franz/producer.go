package franz

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/workload"
)

// slot is the adapter's state of one record in flight. It is also the record's context, which is how the promise finds
// it without an allocation.
type slot struct {
	rec     kgo.Record
	headers []kgo.RecordHeader // kept for its capacity
	id      uint32
	refused error // why the adapter doesn't let kgo have the record
	// wait is set while Send may wait for buffer space with this record: what ends the wait. kgo keeps a record's context
	// and gives up its whole batch when that ends, so the context of Send must not stay behind in it.
	wait atomic.Pointer[context.Context]
}

// Done implements context.Context.
func (s *slot) Done() <-chan struct{} {
	if c := s.wait.Load(); c != nil {
		return (*c).Done()
	}
	return nil
}

// Err implements context.Context.
func (s *slot) Err() error {
	if c := s.wait.Load(); c != nil {
		return context.Cause(*c)
	}
	return nil
}

// Deadline implements context.Context.
func (s *slot) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Value implements context.Context.
func (s *slot) Value(any) any { return nil }

// producer implements driver.Producer.
type producer struct {
	client  *kgo.Client
	ack     driver.AckFunc
	promise func(*kgo.Record, error)
	slots   []slot
	topics  []string
	acks0   bool

	maxRequest driver.SizeLimit // max.request.size
	maxBuffer  int64            // buffer.memory
	maxBlock   time.Duration
	tooLarge   error // over max.request.size
	overBuffer error // over buffer.memory
	overBatch  error // over kgo's bound of a batch
	blocked    error // max.block.ms passed
	closed     bool

	one    [1]driver.Ack // of the promise: kgo calls promises one after the other
	handed int64         // records given to kgo, by Send
	acked  atomic.Int64  // promises called
}

// Send implements driver.Producer.
func (p *producer) Send(ctx context.Context, recs []workload.Record) error {
	room := p.maxBuffer - p.client.BufferedProduceBytes()
	for i := range recs {
		r := &recs[i]
		size := int64(r.Size())
		s := p.fill(r, size)
		if room -= size; room < 0 {
			// Acknowledgements may have made room since; kgo's count is asked only here, as it takes a lock.
			room = p.maxBuffer - p.client.BufferedProduceBytes() - size
		}
		if room >= 0 {
			p.client.Produce(s, &s.rec, p.promise)
		} else {
			p.produceOrGiveUp(ctx, s)
		}
	}
	p.handed += int64(len(recs))
	return nil
}

// produceOrGiveUp is for a record that has to wait for buffer space: ctx and max.block.ms end the wait.
func (p *producer) produceOrGiveUp(ctx context.Context, s *slot) {
	wait, cancel := context.WithTimeoutCause(ctx, p.maxBlock, p.blocked)
	defer cancel()
	s.wait.Store(&wait)
	p.client.Produce(s, &s.rec, p.promise)
	s.wait.Store(nil)
}

// fill prepares the record's slot. A record that mustn't be sent gets no topic: kgo then fails it through the promise,
// in turn with all others, which keeps acknowledgements from overlapping.
func (p *producer) fill(r *workload.Record, size int64) *slot {
	s := &p.slots[r.Slot]
	// Of the other fields, kgo sets all that it reads.
	k := &s.rec
	k.Key, k.Value, k.Headers = r.Key, r.Value, nil
	k.Topic, k.Partition = p.topics[r.Topic], r.Partition
	k.Timestamp = time.Time{}
	k.Context = s
	if len(r.Headers) > 0 {
		s.headers = s.headers[:0]
		for _, h := range r.Headers {
			s.headers = append(s.headers, kgo.RecordHeader(h))
		}
		s.rec.Headers = s.headers
	}
	s.refused = nil
	switch {
	case p.maxRequest.Exceeded(r, int(size)):
		s.refused, s.rec.Topic = p.tooLarge, ""
	case size > p.maxBuffer:
		s.refused, s.rec.Topic = p.overBuffer, ""
	}
	return s
}

// done is the promise of every record.
func (p *producer) done(r *kgo.Record, err error) {
	s := r.Context.(*slot)
	a := driver.Ack{Slot: s.id, Partition: r.Partition, Offset: r.Offset}
	if p.acks0 {
		a.Offset = -1
	}
	if err != nil {
		a.Offset = -1
		a.Err = p.cause(s, err)
	}
	p.one[0] = a
	p.ack(p.one[:])
	p.acked.Add(1)
}

// cause turns kgo's error into one that names the setting behind it.
func (p *producer) cause(s *slot, err error) error {
	switch {
	case s.refused != nil:
		return s.refused
	case !errors.Is(err, kerr.MessageTooLarge):
		return err
	case strings.Contains(err.Error(), sentBytes):
		return kerr.MessageTooLarge // the broker's answer
	}
	return p.overBatch
}

// sentBytes is in what kgo makes of a broker's MESSAGE_TOO_LARGE, and not in what its own check of a record says.
const sentBytes = ", compressed_bytes="

// Flush implements driver.Producer.
func (p *producer) Flush(ctx context.Context) error {
	if err := p.client.Flush(ctx); err != nil {
		return err
	}
	// kgo doesn't count the records that it refused as buffered: their promises may still be on the way.
	return driver.Settle(ctx, &p.acked, p.handed)
}

// Close implements driver.Producer.
func (p *producer) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	p.client.Close()
	return driver.Settle(context.Background(), &p.acked, p.handed)
}

var _ driver.Producer = (*producer)(nil)
