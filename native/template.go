package native

import (
	"sync"
	"sync/atomic"

	"kbench/native/wire"
)

// template is the record block that a Replayer sends again and again. Offsets and timestamps in a batch are relative to its
// header, so the same bytes are right at any offset and time. The first n records of a block of records are a block of
// records too: one template serves batches of every count, and a table knows each prefix's length and CRC.
//
// It learns from the first records produced, until the next one wouldn't fit into batch.size. Bytes before the end of block
// don't change or move once they are there, so batches refer to them without a lock.
type template struct {
	// Guarded by Producer.mu.
	block []byte
	limit int      // len(block) may grow up to here; a first larger record is taken nevertheless
	ends  []int    // ends[i] is where record i ends in block
	crcs  []uint32 // crcs[i] is the CRC-32C of block[:ends[i]]
	last  wire.Block

	complete atomic.Bool // nothing is added any more; written under Producer.mu

	packMu sync.Mutex
	packs  map[int32]pack // by count
	size   int            // bytes of packs
}

// pack is the compressed form of the first records of a template.
type pack struct {
	codec Compression
	block []byte
	sum   wire.Block
}

// packRoom bounds the compressed forms kept for different counts of records.
const packRoom = 64 << 20

func newTemplate(batchSize int) *template {
	limit := max(0, batchSize-wire.BatchHeaderSize)
	return &template{block: make([]byte, 0, limit), limit: limit, packs: map[int32]pack{}}
}

// count is the number of records.
func (t *template) count() int { return len(t.ends) }

// learn appends a record if there is room, else ends the learning. Producer.mu is held.
func (t *template) learn(r *Record, headers int) {
	if t.complete.Load() {
		return
	}
	body := wire.RecordBodySize(0, t.count(), r.Key, r.Value, headers)
	if len(t.block)+wire.VarintLen(int64(body))+body > t.limit && t.count() > 0 {
		t.complete.Store(true)
		return
	}
	at, crc := len(t.block), uint32(0)
	if n := len(t.crcs); n > 0 {
		crc = t.crcs[n-1]
	}
	// No batch refers to the block before it holds a record: growing it for a first large one moves nothing.
	t.block = wire.AppendRecord(t.block, body, 0, t.count(), r.Key, r.Value, r.Headers)
	t.ends = append(t.ends, len(t.block))
	t.crcs = append(t.crcs, wire.CRC32C(crc, t.block[at:]))
}

// bytes is the size of the records from..to.
func (t *template) bytes(from, to int) int {
	if to == 0 {
		return 0
	}
	if from == 0 {
		return t.ends[to-1]
	}
	return t.ends[to-1] - t.ends[from-1]
}

// prefix makes the first b.count records the content of b. Producer.mu is held.
func (t *template) prefix(b *batch) {
	end := t.ends[b.count-1]
	b.block = t.block[:end:end]
	if t.last.Size != end {
		t.last = wire.NewBlock(end, t.crcs[b.count-1])
	}
	b.sum = t.last
}

// compress makes the compressed form of b's records its content. A form is made once for each count of records.
func (t *template) compress(b *batch, c *compressor) {
	t.packMu.Lock()
	defer t.packMu.Unlock()
	p, ok := t.packs[b.count]
	if !ok {
		p = t.pack(b, c)
	}
	b.codec, b.block, b.sum = p.codec, p.block, p.sum
}

// pack compresses what b holds and keeps the result, in place of others where there is no more room.
func (t *template) pack(b *batch, c *compressor) pack {
	p := pack{block: b.block, sum: b.sum}
	if out := c.encode(b.block); out != nil && len(out) <= len(b.block)+len(b.block)/64+packSlack {
		p.codec, p.block = c.codec, append([]byte(nil), out...)
		p.sum = wire.NewBlock(len(out), wire.CRC32C(0, out))
	}
	for count, other := range t.packs {
		if t.size+len(p.block) <= packRoom {
			break
		}
		if int(count) != t.count() {
			t.size -= len(other.block)
			delete(t.packs, count)
		}
	}
	t.packs[b.count] = p
	t.size += len(p.block)
	return p
}
