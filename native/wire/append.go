// Package wire encodes and decodes the part of Kafka's protocol that a producer needs. It imports nothing of this module,
// keeps no state and starts no goroutine.
//
// Encoders append to a byte slice and return it, as in the standard library's append functions. Decoders read through
// a Reader whose first error sticks, so that one check at the end covers a whole message. Functions with a flex argument
// encode both forms of a message: flexible versions (KIP-482) use compact lengths and end each structure with tagged fields.
package wire

import (
	"encoding/binary"
	"math/bits"
)

// AppendInt8 appends v.
func AppendInt8(dst []byte, v int8) []byte { return append(dst, byte(v)) }

// AppendBool appends v as one byte.
func AppendBool(dst []byte, v bool) []byte {
	if v {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// AppendInt16 appends v in big endian.
func AppendInt16(dst []byte, v int16) []byte { return binary.BigEndian.AppendUint16(dst, uint16(v)) }

// AppendInt32 appends v in big endian.
func AppendInt32(dst []byte, v int32) []byte { return binary.BigEndian.AppendUint32(dst, uint32(v)) }

// AppendInt64 appends v in big endian.
func AppendInt64(dst []byte, v int64) []byte { return binary.BigEndian.AppendUint64(dst, uint64(v)) }

// AppendUvarint appends v as an unsigned varint.
func AppendUvarint(dst []byte, v uint32) []byte {
	for v >= 0x80 {
		dst = append(dst, byte(v)|0x80)
		v >>= 7
	}
	return append(dst, byte(v))
}

// AppendVarint appends v as a zig-zag varint, the form that record batches use.
func AppendVarint(dst []byte, v int64) []byte {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		dst = append(dst, byte(u)|0x80)
		u >>= 7
	}
	return append(dst, byte(u))
}

// VarintLen is the number of bytes that AppendVarint takes for v.
func VarintLen(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	return (bits.Len64(u|1) + 6) / 7
}

// UvarintLen is the number of bytes that AppendUvarint takes for v.
func UvarintLen(v uint32) int { return (bits.Len32(v|1) + 6) / 7 }

// AppendString appends a string that is not null.
func AppendString(dst []byte, s string, flex bool) []byte {
	if flex {
		dst = AppendUvarint(dst, uint32(len(s))+1)
	} else {
		dst = AppendInt16(dst, int16(len(s)))
	}
	return append(dst, s...)
}

// AppendNullString appends a null string.
func AppendNullString(dst []byte, flex bool) []byte {
	if flex {
		return append(dst, 0)
	}
	return AppendInt16(dst, -1)
}

// AppendArrayLen appends the length of an array that is not null; its elements follow.
func AppendArrayLen(dst []byte, n int, flex bool) []byte {
	if flex {
		return AppendUvarint(dst, uint32(n)+1)
	}
	return AppendInt32(dst, int32(n))
}

// AppendBytesLen appends the length of a byte field that is not null; the bytes follow.
func AppendBytesLen(dst []byte, n int, flex bool) []byte { return AppendArrayLen(dst, n, flex) }

// AppendNoTags ends a structure without tagged fields.
func AppendNoTags(dst []byte, flex bool) []byte {
	if flex {
		return append(dst, 0)
	}
	return dst
}
