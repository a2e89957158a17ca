package wire

import "encoding/binary"

// PlainRun encodes records without key and headers, with values of one size and one time: what AppendRecord does, without
// working out again what doesn't change. The zero value fits no record.
type PlainRun struct {
	// Body is the RecordBodySize of each record, Size that with its own length field.
	Body, Size int

	// ValueAt is where the value begins in a record.
	ValueAt int

	value    int    // size of the values
	from     int    // offset deltas from this on …
	to       int    // … and below this take as many bytes as the first
	head     uint64 // all before the value's length as it is written but for the offset delta, the first byte lowest
	offsetAt uint   // bits of head before the offset delta
	lengthAt int    // bytes before the value's length
	length   uint16 // of the value as it is written, the first byte lowest
}

// Bounds of what a PlainRun is for: the fields before the value's length take at most 8 bytes, that takes 2.
const (
	plainMinValue = 8       // so that 8 bytes can be written wherever a record begins
	plainMaxValue = 1 << 12 // the record's length and the value's take 2 bytes at most
	plainMaxDelta = 1 << 6  // ms: 1 byte
	plainMaxCount = 1 << 20 // offsets: 3 bytes
)

// Start prepares for records like the first one, and says whether it can. For one record alone it costs more than it saves.
func (r *PlainRun) Start(timeDelta int64, offsetDelta int, value []byte) bool {
	if len(value) < plainMinValue || len(value) >= plainMaxValue || uint64(timeDelta) >= plainMaxDelta || uint(offsetDelta) >= plainMaxCount {
		return false
	}
	r.Body = RecordBodySize(timeDelta, offsetDelta, nil, value, 1)
	r.value, r.from, r.to = len(value), offsetDelta, 1<<(7*VarintLen(int64(offsetDelta))-1)
	size, bits := shortVarint(r.Body)
	r.Size = int(bits/8) + r.Body
	r.offsetAt = bits + 16 // behind the attributes, which are 0, and the time delta
	offsetLen := uint(VarintLen(int64(offsetDelta)))
	more := uint64(0x808080) >> (8 * (4 - offsetLen)) // all bytes of a varint but the last have their highest bit set
	keyAt := r.offsetAt + 8*offsetLen
	r.head = size | uint64(timeDelta)<<1<<(bits+8) | more<<r.offsetAt | 1<<keyAt // the key's length is −1
	r.lengthAt = int(keyAt)/8 + 1
	length, bits := shortVarint(len(value))
	r.length, r.ValueAt = uint16(length), r.lengthAt+int(bits/8)
	return true
}

// shortVarint is a zig-zag varint of one or two bytes, the first one lowest, and its length in bits.
func shortVarint(v int) (word uint64, bits uint) {
	u := uint64(v) << 1
	if u < 1<<7 {
		return u, 8
	}
	return u&0x7f | 0x80 | u>>7<<8, 16
}

// Fits says whether a record is one of the run's.
func (r *PlainRun) Fits(offsetDelta int, value []byte) bool {
	return len(value) == r.value && offsetDelta >= r.from && offsetDelta < r.to
}

// Left is how many records with offset deltas from offsetDelta on fit.
func (r *PlainRun) Left(offsetDelta int) int { return r.to - offsetDelta }

// PutHead writes what comes before the value of a record that fits into p, which is the record's Size bytes. It may overwrite
// the value's first bytes: that is written next, at ValueAt, and a 0 behind it says that there are no headers.
func (r *PlainRun) PutHead(p []byte, offsetDelta int) {
	u := uint64(offsetDelta) << 1
	binary.LittleEndian.PutUint64(p, r.head|(u&0x7f|u>>7&0x7f<<8|u>>14<<16)<<r.offsetAt)
	binary.LittleEndian.PutUint16(p[r.lengthAt:], r.length)
}
