package sarama

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/IBM/sarama"

	"kbench/driver"
	"kbench/workload"
)

// maxAcks is the most acknowledgements of one AckFunc call.
const maxAcks = 64

// slot is the adapter's state of one record in flight.
type slot struct {
	msg        sarama.ProducerMessage
	key, value encoder
	headers    []sarama.RecordHeader // kept for its capacity
	id         uint32
	busy       bool  // with sarama: set by Send, cleared by the receiver before it acknowledges
	refused    error // why the record didn't go to sarama
	size       int   // of the encoded record, when its batch is compressed
}

// encoder is a []byte that sarama takes without an allocation: a pointer to it becomes the interface value.
type encoder []byte

// Encode implements sarama.Encoder.
func (e *encoder) Encode() ([]byte, error) { return *e, nil }

// Length implements sarama.Encoder.
func (e *encoder) Length() int { return len(*e) }

// producer implements driver.Producer. Acknowledgements come from one goroutine, the receiver.
type producer struct {
	client sarama.Client
	async  sarama.AsyncProducer
	input  chan<- *sarama.ProducerMessage
	ack    driver.AckFunc
	slots  []slot
	topics []string

	maxRequest   driver.SizeLimit
	tooLarge     error // over max.request.size
	overBatch    error // over sarama's bound of a batch
	compressed   bool
	uncompressed atomic.Int64 // bytes of acknowledged records before compression

	refused chan *slot    // records that never went to sarama, for the receiver to fail
	giveUp  chan struct{} // closed: the receiver fails what is left and looks away from then on
	gone    chan struct{} // closed: sarama has ended, or was given up
	closing *atomic.Bool  // makes retries immediate
	dialer  *driver.Dialer
	closed  bool
	wait    *waiter      // of Send
	handed  int64        // records given to the adapter
	acked   atomic.Int64 // and acknowledged
}

// Send implements driver.Producer.
func (p *producer) Send(ctx context.Context, recs []workload.Record) error {
	if p.closed {
		return p.sendClosed(recs)
	}
	p.handed += int64(len(recs))
	for i := range recs {
		s := p.fill(&recs[i])
		if s.refused != nil {
			p.refused <- s
			continue
		}
		// A select with three cases costs four times a plain send: it is left for when sarama isn't ready.
		select {
		case p.input <- &s.msg:
		default:
			if s.refused = p.wait.send(ctx, p.input, &s.msg); s.refused != nil {
				p.refused <- s
			}
		}
	}
	p.wait.disarm()
	return nil
}

// sendClosed fails records after Close, when there is no receiver any more.
func (p *producer) sendClosed(recs []workload.Record) error {
	for i := range recs {
		p.ack([]driver.Ack{{Slot: recs[i].Slot, Partition: -1, Offset: -1, Err: sarama.ErrClosedClient}})
	}
	return sarama.ErrClosedClient
}

// fill prepares the record's slot.
func (p *producer) fill(r *workload.Record) *slot {
	s := &p.slots[r.Slot]
	// Offset stays −1 where sarama doesn't set it: for a duplicate, and with acks=0.
	s.msg = sarama.ProducerMessage{Topic: p.topics[r.Topic], Partition: r.Partition, Offset: -1, Metadata: s}
	if s.key = r.Key; r.Key != nil {
		s.msg.Key = &s.key
	}
	if s.value = r.Value; r.Value != nil {
		s.msg.Value = &s.value
	}
	if len(r.Headers) > 0 {
		s.headers = s.headers[:0]
		for i := range r.Headers {
			h := &r.Headers[i]
			s.headers = append(s.headers, sarama.RecordHeader{Key: readOnlyBytes(h.Key), Value: h.Value})
		}
		s.msg.Headers = s.headers
	}
	s.busy, s.refused = true, nil
	if p.compressed {
		s.size = driver.EncodedSize(r)
	}
	if p.maxRequest.Exceeded(r, r.Size()) {
		s.refused = p.tooLarge
	}
	return s
}

// readOnlyBytes is []byte(s) without the copy: sarama only reads header keys. It is never nil, which would be a null key,
// and brokers refuse those.
func readOnlyBytes(s string) []byte {
	if s == "" {
		return []byte{}
	}
	return unsafe.Slice(unsafe.StringData(s), len(s))
}

// receive passes on how records ended until sarama has ended, or Close gives it up.
func (p *producer) receive() {
	defer close(p.gone)
	acks := make([]driver.Ack, 0, maxAcks)
	successes, failures := p.async.Successes(), p.async.Errors()
	for successes != nil || failures != nil {
		acks = acks[:0]
		select {
		case m, ok := <-successes:
			if !ok {
				successes = nil
				continue
			}
			acks = p.more(append(acks, p.acknowledged(m)), successes)
		case e, ok := <-failures:
			if !ok {
				failures = nil
				continue
			}
			acks = append(acks, p.failed(e.Msg, e.Err))
		case s := <-p.refused:
			acks = append(acks, p.failed(&s.msg, s.refused))
		case <-p.giveUp:
			p.failRest()
			go drain(successes, failures)
			return
		}
		p.deliver(acks)
	}
	p.failRest() // what was refused while sarama ended
}

// more adds what is ready besides the first success, without waiting.
func (p *producer) more(acks []driver.Ack, successes <-chan *sarama.ProducerMessage) []driver.Ack {
	for len(acks) < maxAcks {
		select {
		case m, ok := <-successes:
			if !ok {
				return acks // seen again by the next receive
			}
			acks = append(acks, p.acknowledged(m))
		default:
			return acks
		}
	}
	return acks
}

func (p *producer) deliver(acks []driver.Ack) {
	p.ack(acks)
	p.acked.Add(int64(len(acks)))
}

func (p *producer) acknowledged(m *sarama.ProducerMessage) driver.Ack {
	s := m.Metadata.(*slot)
	s.busy = false
	if p.compressed {
		p.uncompressed.Add(int64(s.size))
	}
	return driver.Ack{Slot: s.id, Partition: m.Partition, Offset: m.Offset}
}

func (p *producer) failed(m *sarama.ProducerMessage, err error) driver.Ack {
	s := m.Metadata.(*slot)
	s.busy = false
	var config sarama.ConfigurationError
	if errors.As(err, &config) {
		err = p.overBatch // the only thing that sarama checks in a record itself
	}
	return driver.Ack{Slot: s.id, Partition: m.Partition, Offset: -1, Err: err}
}

// failRest fails every record that is still with sarama.
func (p *producer) failRest() {
	for i := range p.slots {
		if s := &p.slots[i]; s.busy {
			s.busy = false
			err := s.refused
			if err == nil {
				err = sarama.ErrShuttingDown
			}
			p.deliver([]driver.Ack{{Slot: s.id, Partition: s.msg.Partition, Offset: -1, Err: err}})
		}
	}
}

// drain keeps an abandoned sarama from blocking until its own time-outs end it.
func drain(successes <-chan *sarama.ProducerMessage, failures <-chan *sarama.ProducerError) {
	for successes != nil || failures != nil {
		select {
		case _, ok := <-successes:
			if !ok {
				successes = nil
			}
		case _, ok := <-failures:
			if !ok {
				failures = nil
			}
		}
	}
}

// Flush implements driver.Producer. Sarama has no flush: all there is to do is to wait.
func (p *producer) Flush(ctx context.Context) error { return driver.Settle(ctx, &p.acked, p.handed) }

// closePatience is how long sarama gets to give up its records by itself.
const closePatience = 3 * time.Second

// Close implements driver.Producer. Sarama's own Close delivers what it has, however long that takes; here its connections
// are cut and retries follow each other at once, so that it comes to its end.
func (p *producer) Close() error {
	if p.closed {
		return nil
	}
	p.closed = true
	if p.acked.Load() < p.handed {
		p.closing.Store(true)
		p.dialer.Shut()
	}
	p.async.AsyncClose()
	select {
	case <-p.gone:
	case <-time.After(closePatience):
		close(p.giveUp)
		<-p.gone
	}
	err := p.client.Close()
	p.dialer.Shut()
	return err
}

var _ driver.Producer = (*producer)(nil)
