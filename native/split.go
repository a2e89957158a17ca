package native

import (
	"fmt"

	"kbench/native/wire"
)

// split halves a batch that the broker found too large, in order and without spending a retry: the two take its place and,
// if it is idempotent, its sequences. Producer.mu is held. The halves have buffers of their own outside buffer.memory,
// as Java's have; they are rare.
func (pr *Producer) split(b *batch, now int64, done []*batch) []*batch {
	half := int(b.count) / 2
	first := b.piece(0, half)
	second := b.piece(half, int(b.count))
	if b.tmpl == nil {
		if err := b.deal(first, second); err != nil {
			return pr.fail(b, err, done)
		}
	}
	pr.stats.BatchesSplit++
	p := b.part
	for i, x := range p.assigned {
		if x == b {
			p.assigned = append(p.assigned, nil)
			copy(p.assigned[i+2:], p.assigned[i+1:])
			p.assigned[i], p.assigned[i+1] = first, second
			break
		}
	}
	p.retries += 2
	pr.unfinished += 2
	b.gen.batches += 2
	// The records live on in the halves.
	pr.unfinished--
	b.gen.finished()
	if b.refs--; b.refs == 0 {
		pr.recycle(b)
	}
	return done
}

// deal copies the records of b to two pieces.
func (b *batch) deal(first, second *batch) error {
	records, err := b.records()
	if err != nil {
		return err
	}
	r := wire.NewReader(records, false)
	for i := range int(b.count) {
		dst, at := first, i
		if half := int(first.count); i >= half {
			dst, at = second, i-half
		}
		if err := dst.copyRecord(&r, at); err != nil {
			return err
		}
	}
	return nil
}

// piece makes a batch for the records from..to of b: empty, or with as many of the template's records.
func (b *batch) piece(from, to int) *batch {
	out := &batch{
		tmpl: b.tmpl,
		part: b.part, buf: make([]byte, wire.BatchHeaderSize),
		slots: append([]uint32(nil), b.slots[from:to]...), count: int32(to - from),
		baseTime: b.baseTime, maxTime: b.maxTime, crcTo: wire.BatchHeaderSize,
		created: b.created, attempts: b.attempts - 1, lastCode: codeMessageTooLarge, state: stateRetry,
		hasSeq: b.hasSeq, renumbered: b.renumbered, id: b.id, sequence: pieceSequence(b, from), gen: b.gen, refs: 1, baseOffset: -1,
	}
	if b.tmpl != nil {
		b.tmpl.prefix(out)
		out.raw = out.size()
	} else {
		out.buf = append(make([]byte, 0, b.raw+1024), out.buf...)
	}
	return out
}

func pieceSequence(b *batch, from int) int32 {
	if !b.hasSeq {
		return -1
	}
	return addSequence(b.sequence, int32(from))
}

// copyRecord reads a record and appends it with another offset delta.
func (b *batch) copyRecord(r *wire.Reader, delta int) error {
	body := wire.NewReader(r.Take(int(r.Varint())), false)
	attributes, timeDelta := body.Int8(), body.Varint()
	body.Varint() // offset delta
	rest := body.Take(body.Len())
	if err := body.Err(); err != nil {
		return fmt.Errorf("splitting a batch: %w", err)
	}
	size := 1 + wire.VarintLen(timeDelta) + wire.VarintLen(int64(delta)) + len(rest)
	b.buf = wire.AppendVarint(b.buf, int64(size))
	b.buf = wire.AppendInt8(b.buf, attributes)
	b.buf = wire.AppendVarint(b.buf, timeDelta)
	b.buf = wire.AppendVarint(b.buf, int64(delta))
	b.buf = append(b.buf, rest...)
	b.raw = len(b.buf)
	return r.Err()
}

// records returns the batch's records uncompressed.
func (b *batch) records() ([]byte, error) {
	out, err := decompress(b.codec, b.buf[wire.BatchHeaderSize:], b.raw)
	if err != nil {
		return nil, fmt.Errorf("splitting a batch: %w", err)
	}
	return out, nil
}
