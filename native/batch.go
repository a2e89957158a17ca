package native

import "kbench/native/wire"

// batchState says who may touch a batch.
type batchState uint8

const (
	stateOpen   batchState = iota // the partition appends to it
	stateQueued                   // sealed, never sent
	stateSent                     // in a request: its bytes belong to the connection until that settles
	stateRetry                    // came back, waits to be sent again
)

// batch is a record batch on its way: a header's room followed by records. Batches are pooled with their buffers.
//
// Who owns buf: the accumulator (under Producer.mu) in every state but stateSent; then the request does, until the
// response to a completely written request is read, or the connection is closed and its reader joined. Only the goroutine
// that drained a batch writes its header, before the first byte goes out. So no buffer is reused or patched under a writer,
// even if the batch's records were failed by expiry meanwhile (expired): KAFKA-19012 is what happens otherwise.
type batch struct {
	part *partition
	// topicID is the topic's at the last drain: the metadata may know another one by the time that the request is written.
	topicID [16]byte
	tmpl    *template // of a Replayer, else nil
	buf     []byte    // wire.BatchHeaderSize bytes of header, then the records, unless they are in block
	block   []byte    // of a sealed batch with a template: the records; shared, never written to
	limit   int       // len(buf) may grow up to here
	slots   []uint32
	count   int32 // records; stays when expiry takes the slots

	baseTime, maxTime int64 // ms since 1970
	crc               uint32
	crcTo             int        // crc covers buf[wire.BatchHeaderSize:crcTo]
	sum               wire.Block // of block

	created  int64 // ns since the start
	sealed   int64 // ns since the start
	attempts int64
	lastCode int16 // error code of the last attempt, or 0
	state    batchState
	expired  bool // its records were failed while it was in a request
	codec    Compression
	raw      int // bytes of the records before compression
	mem      int64

	hasSeq     bool
	renumbered bool // it had another sequence when it was sent before
	id         producerID
	sequence   int32

	gen  *generation
	refs int8 // of the accumulator or the acknowledgement in progress, and of the request; at 0 it is recycled

	// Set when it ends, for the acknowledgement.
	err        error
	bad        []recordError // by index; these records have errors of their own
	told       int           // slots before it have been acknowledged
	baseOffset int64
}

// crcChunk is how many bytes may be appended before the CRC follows: they are still in the L1 cache then.
const crcChunk = 8 << 10

// sumUp brings the CRC up to the end of the records.
func (b *batch) sumUp() {
	b.crc = wire.CRC32C(b.crc, b.buf[b.crcTo:])
	b.crcTo = len(b.buf)
}

// append encodes a record whose body has the size given and fits.
func (b *batch) append(r *Record, body int, timeMS int64) {
	b.buf = wire.AppendRecord(b.buf, body, timeMS-b.baseTime, len(b.slots), r.Key, r.Value, r.Headers)
	b.slots = append(b.slots, r.Slot)
	if timeMS > b.maxTime {
		b.maxTime = timeMS
	}
}

// reset makes a pooled batch ready for its first record.
func (b *batch) reset(p *partition, gen *generation, now, timeMS int64) {
	*b = batch{
		part: p, tmpl: b.tmpl, buf: b.buf[:wire.BatchHeaderSize], limit: b.limit, slots: b.slots[:0], mem: b.mem,
		crcTo: wire.BatchHeaderSize, baseTime: timeMS, maxTime: timeMS, created: now, gen: gen, bad: b.bad[:0], baseOffset: -1,
	}
}

// size is the number of bytes that it takes in a request as it is now.
func (b *batch) size() int {
	if b.tmpl != nil && b.block == nil {
		return len(b.buf) + b.tmpl.bytes(0, len(b.slots))
	}
	return len(b.buf) + len(b.block)
}

// finish compresses and writes the header; called by the goroutine that drained it, outside the lock.
func (b *batch) finish(c *compressor) {
	compress := b.codec == CompressionNone && c.codec != CompressionNone
	if b.tmpl != nil {
		if compress {
			b.tmpl.compress(b, c)
		}
	} else {
		if compress {
			b.compress(c)
		}
		if b.crcTo != len(b.buf) {
			b.sumUp()
		}
		b.sum = wire.NewBlock(len(b.buf)-wire.BatchHeaderSize, b.crc)
	}
	wire.PutBatchHeader(b.buf, wire.BatchHeader{
		Attributes: c.attributes | int16(b.codec), Count: b.count, BaseTime: b.baseTime, MaxTime: b.maxTime,
		ProducerID: b.id.id, Epoch: b.id.epoch, Sequence: b.sequence,
	}, b.sum)
}

// compress replaces the records with their compressed form, which is kept across retries. Where that doesn't fit the
// buffer, because the records can't be compressed, the batch stays as it is: every consumer reads either.
func (b *batch) compress(c *compressor) {
	out := c.encode(b.buf[wire.BatchHeaderSize:])
	if out == nil || wire.BatchHeaderSize+len(out) > cap(b.buf) {
		return
	}
	b.buf = append(b.buf[:wire.BatchHeaderSize], out...)
	b.codec = c.codec
	b.crc, b.crcTo = 0, wire.BatchHeaderSize
}
