package sink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
)

const produceKey = 0

// Versions of Produce. 0–2 are listed but refused, as brokers since 4.0 do: librdkafka wants to see them (KAFKA-18659).
const (
	minProduce    = 3
	maxProduce    = 13
	produceFlex   = 9  // compact encodings and tagged fields
	produceErrors = 8  // per-record errors and an error message in the answer
	produceIDs    = 13 // topics by id
)

// The fewest bytes that a topic and a partition of the request take: name or id, array, tags; index, records, tags.
const (
	minTopic     = 1 + 1 + 1
	minPartition = 4 + 1 + 1
)

// produce takes one Produce request, batch by batch as it arrives, and writes the answer alongside. Only when the whole
// request is here and well formed do its batches count: one that is cut off in the middle adds nothing, as with Kafka.
func (c *conn) produce(h header) error {
	if h.version < 0 || h.version > maxProduce {
		return errVersion(h, 0, maxProduce)
	}
	f, flexible := &c.frame, h.version >= produceFlex
	f.skipTags(flexible) // of the header
	if h.version >= 3 {
		f.skipString(flexible) // transactional id
	}
	acks := f.int16()
	f.int32() // time-out: nothing takes long here
	c.out.begin(h.correlation, flexible)
	c.taken = c.taken[:0]
	p := producing{conn: c, version: h.version, flexible: flexible}
	if acks < -1 || acks > 1 {
		p.refuse = errInvalidRequiredAcks
	} else if h.version < minProduce {
		p.refuse = errUnsupportedVersion
	}
	topics := f.length(flexible, minTopic)
	if topics < 0 {
		f.fail(errors.New("malformed request: no array of topics"))
	}
	c.out.arrayLen(max(topics, 0), flexible)
	for ; topics > 0 && f.err == nil; topics-- {
		p.topic()
	}
	f.skipTags(flexible)
	if err := f.end(); err != nil {
		c.out.drop()
		return err
	}
	throttle := int32(0)
	if c.held != nil {
		throttle = p.arrived(acks)
	}
	c.commit()
	if h.version >= 1 {
		c.out.int32(throttle)
	}
	c.out.noTags(flexible)
	c.out.end()
	if acks != 0 {
		return nil
	}
	c.out.drop()
	if p.failed != 0 {
		// Without an answer, closing is the only way to tell the client: Kafka's brokers do the same.
		return fmt.Errorf("acks=0 and %w", codeError(p.failed))
	}
	return nil
}

// producing is the state of one Produce request.
type producing struct {
	*conn
	version  int16
	flexible bool
	refuse   int16 // error for every partition of the request
	failed   int16 // error that some partition was answered with
}

// topic takes one topic of the request.
func (p *producing) topic() {
	f := &p.frame
	var t *topic
	if p.version >= produceIDs {
		id := f.take(16)
		p.out.buf = append(p.out.buf, id...)
		t = p.server.topics.byID(id)
	} else {
		n := f.stringLen(p.flexible)
		if n < 0 {
			f.fail(errors.New("malformed request: a topic without a name"))
		}
		name := f.take(max(n, 0))
		p.out.string(name, p.flexible)
		if f.err == nil {
			t = p.server.topics.byName(name)
		}
	}
	partitions := f.length(p.flexible, minPartition)
	if partitions < 0 {
		f.fail(errors.New("malformed request: no array of partitions"))
	}
	p.out.arrayLen(max(partitions, 0), p.flexible)
	for ; partitions > 0 && f.err == nil; partitions-- {
		p.partition(t)
	}
	f.skipTags(p.flexible)
	p.out.noTags(p.flexible)
}

// partition takes one partition of the request; t is nil where the topic can't exist.
func (p *producing) partition(t *topic) {
	index := p.frame.int32()
	size := p.frame.length(p.flexible, 1)
	if p.frame.err != nil {
		return
	}
	code := p.check(t, index)
	if code != 0 {
		p.frame.skip(max(size, 0))
	} else {
		var tk taken
		if tk, code = p.records(t, max(size, 0)); code == 0 {
			tk.next, tk.at = &t.next[index], len(p.out.buf)+offsetAt
			p.taken = append(p.taken, tk)
		}
	}
	p.frame.skipTags(p.flexible)
	if code != 0 {
		p.failed = code
	}
	p.answer(index, code)
}

// taken is what one partition of a request holds.
type taken struct {
	next                    *atomic.Int64 // the partition's end offset
	batches, records, bytes int
	at                      int // where in the answer the base offset goes
}

// offsetAt is where in a partition's answer the base offset is: after the index and the error code.
const offsetAt = 4 + 2

// arrived passes the request through the gate, which may put an error into its answer, and returns the throttle time.
func (p *producing) arrived(acks int16) int32 {
	e := LogEntry{Conn: p.id, Partition: -1, Acks: acks}
	for i, tk := range p.taken {
		if i == 0 {
			e.Partition = int32(binary.BigEndian.Uint32(p.out.buf[tk.at-offsetAt:]))
		}
		e.Records += uint32(tk.records)
		e.Bytes += uint32(tk.bytes)
	}
	p.held.next = p.server.gate.admit(e, p.held.last)
	if code := p.held.next.code; code != 0 {
		p.refuseAll(code)
	}
	return p.held.next.throttle
}

// refuseAll makes an error of every partition that was taken.
func (p *producing) refuseAll(code int16) {
	for _, tk := range p.taken {
		binary.BigEndian.PutUint16(p.out.buf[tk.at-2:], uint16(code))
		if p.version >= 5 {
			const startAt = 8 + 8 // after base offset and append time
			binary.BigEndian.PutUint64(p.out.buf[tk.at+startAt:], 1<<64-1)
		}
	}
	p.taken, p.failed = p.taken[:0], code
}

// commit counts what the request brought, and fills in the offsets that it got.
func (c *conn) commit() {
	c.counts.produce.Add(1)
	var batches, records, bytes int
	for _, tk := range c.taken {
		end := tk.next.Add(int64(tk.records))
		binary.BigEndian.PutUint64(c.out.buf[tk.at:], uint64(end-int64(tk.records)))
		batches += tk.batches
		records += tk.records
		bytes += tk.bytes
	}
	c.counts.batches.Add(uint64(batches))
	c.counts.records.Add(uint64(records))
	c.counts.bytes.Add(uint64(bytes))
}

// check says what is wrong with a partition before its records are looked at.
func (p *producing) check(t *topic, index int32) int16 {
	switch {
	case p.refuse != 0:
		return p.refuse
	case t == nil && p.version >= produceIDs:
		return errUnknownTopicID
	}
	return p.checkPartition(t, index)
}

// answer writes one partition of the answer.
func (p *producing) answer(index int32, code int16) {
	out := &p.out
	out.int32(index)
	out.int16(code)
	out.int64(-1) // base offset: commit knows it
	if p.version >= 2 {
		out.int64(-1) // append time: the producer's time-stamps are kept
	}
	if p.version >= 5 {
		start := int64(0)
		if code != 0 {
			start = -1
		}
		out.int64(start)
	}
	if p.version >= produceErrors {
		out.arrayLen(0, p.flexible) // per-record errors
		out.nullString(p.flexible)  // message
	}
	out.noTags(p.flexible)
}
