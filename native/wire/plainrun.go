package wire

import "encoding/binary"

// PlainRun encodes records without key and headers, with values of one size and one time: what AppendRecord does, without
// working out again what doesn't change. The zero value fits no record.
type PlainRun struct {
	// Body is the RecordBodySize of each record, Size that with its own length field.
	Body, Size int

	value   int    // size of the values
	from    int    // offset deltas from this on …
	to      int    // … and below this take as many bytes as the first
	head    uint64 // length, attributes and time delta as they are written, the first byte lowest
	headLen uint   // bits of head
	valLen  uint16 // length of the value as it is written, in the same way
	valSize int    // bytes of valLen
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
	length, bits := shortVarint(r.Body)
	r.Size = int(bits/8) + r.Body
	r.head = length | uint64(timeDelta)<<1<<(bits+8) // attributes between them are 0
	r.headLen = bits + 16
	size, bits := shortVarint(len(value))
	r.valLen, r.valSize = uint16(size), int(bits/8)
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

// Append appends a record that fits. dst needs room for Size bytes.
func (r *PlainRun) Append(dst []byte, offsetDelta int, value []byte) []byte {
	u := uint64(offsetDelta) << 1
	offset, size := u, uint(8)
	if u >= 1<<14 {
		offset, size = u&0x7f|0x80|(u>>7&0x7f|0x80)<<8|u>>14<<16, 24
	} else if u >= 1<<7 {
		offset, size = u&0x7f|0x80|u>>7<<8, 16
	}
	at := r.headLen + size
	word := r.head | offset<<r.headLen | 1<<at // the key's length is −1
	p := dst[len(dst) : len(dst)+r.Size]
	binary.LittleEndian.PutUint64(p, word)
	i := int(at)/8 + 1
	binary.LittleEndian.PutUint16(p[i:], r.valLen)
	i += r.valSize
	copy(p[i:], value)
	p[len(p)-1] = 0 // headers
	return dst[:len(dst)+r.Size]
}
