package sink

import (
	"encoding/binary"
	"hash/crc32"
)

// Where the fields of a record batch's header are (format 2, the only one since Produce v3).
const (
	batchLength     = 8  // int32: bytes after this field
	batchMagic      = 16 // int8
	batchCRC        = 17 // uint32: CRC-32C of everything after this field
	batchAttributes = 21 // int16: the first field that the CRC covers
	batchLastDelta  = 23 // int32: offset of the last record, relative to the first
	batchCount      = 57 // int32: records
	batchHeader     = 61 // size of the header

	batchPrefix = batchLength + 4 // what batchLength doesn't count
)

// records takes the record batches of one partition, size bytes in all. The partition's batches are accepted together
// or not at all, so that its end offset always is the number of records that a client was told were taken.
func (p *producing) records(t *topic, size int) (taken, int16) {
	if size == 0 {
		return taken{}, errInvalidRecord
	}
	tk := taken{bytes: size}
	for left := size; left > 0 && p.frame.err == nil; tk.batches++ {
		n, length, wrong := p.batch(t, left)
		left -= length
		tk.records += n
		if wrong != 0 {
			p.frame.skip(left)
			return taken{}, wrong
		}
	}
	return tk, 0
}

// batch takes one record batch out of at most left bytes; it used up length of them.
func (p *producing) batch(t *topic, left int) (records, length int, code int16) {
	if left < batchHeader {
		return 0, 0, errCorruptMessage
	}
	h := p.frame.take(batchHeader)
	if h == nil {
		return 0, 0, errCorruptMessage
	}
	// All of h is used before anything else is read: it lies in the input buffer.
	length = int(int32(binary.BigEndian.Uint32(h[batchLength:]))) + batchPrefix
	records = int(int32(binary.BigEndian.Uint32(h[batchCount:])))
	last := int(int32(binary.BigEndian.Uint32(h[batchLastDelta:])))
	switch {
	case h[batchMagic] != 2 || length < batchHeader || length > left:
		return 0, batchHeader, errCorruptMessage
	case length > t.maxMessage:
		return 0, batchHeader, errMessageTooLarge
	case records < 1 || last != records-1:
		return 0, batchHeader, errInvalidRecord
	}
	if !p.server.opts.CheckCRC {
		p.frame.skip(length - batchHeader)
		return records, length, 0
	}
	want := binary.BigEndian.Uint32(h[batchCRC:])
	got := crc32.Update(0, castagnoli, h[batchAttributes:])
	for rest := length - batchHeader; rest > 0 && p.frame.err == nil; {
		b := p.frame.take(min(rest, inputBytes))
		got = crc32.Update(got, castagnoli, b)
		rest -= len(b)
	}
	if got != want {
		return 0, length, errCorruptMessage
	}
	return records, length, 0
}

// castagnoli is the polynomial of CRC-32C; the table is never written.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)
