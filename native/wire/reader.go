package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrMalformed is wrapped by every error of a decoder.
var ErrMalformed = errors.New("malformed message")

// Reader decodes a message. The first error sticks: later calls return zero values, and Err reports it.
// Byte slices that it returns alias the message.
type Reader struct {
	b    []byte
	flex bool
	err  error
}

// NewReader reads from b; flex says whether the message has a flexible version.
func NewReader(b []byte, flex bool) Reader { return Reader{b: b, flex: flex} }

// Err is the first error, or nil.
func (r *Reader) Err() error { return r.err }

// Len is the number of bytes not yet read; 0 after an error.
func (r *Reader) Len() int { return len(r.b) }

func (r *Reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
	r.b = nil
}

// Take returns the next n bytes.
func (r *Reader) Take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.fail("it ends too early")
		return nil
	}
	out := r.b[:n:n]
	r.b = r.b[n:]
	return out
}

// Int8 reads one byte.
func (r *Reader) Int8() int8 {
	if b := r.Take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

// Bool reads one byte; anything but 0 is true.
func (r *Reader) Bool() bool { return r.Int8() != 0 }

// Int16 reads a big-endian integer.
func (r *Reader) Int16() int16 {
	if b := r.Take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

// Int32 reads a big-endian integer.
func (r *Reader) Int32() int32 {
	if b := r.Take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// Int64 reads a big-endian integer.
func (r *Reader) Int64() int64 {
	if b := r.Take(8); b != nil {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

// Uvarint reads an unsigned varint of at most 32 bits.
func (r *Reader) Uvarint() uint32 {
	var v uint64
	for i := 0; i < 5; i++ {
		b := r.Take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << (7 * i)
		if b[0] < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	r.fail("a varint is too long")
	return 0
}

// Varint reads a zig-zag varint of at most 64 bits.
func (r *Reader) Varint() int64 {
	var v uint64
	for i := 0; i < 10; i++ {
		b := r.Take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << (7 * i)
		if b[0] < 0x80 {
			return int64(v>>1) ^ -int64(v&1)
		}
	}
	r.fail("a varint is too long")
	return 0
}

// String reads a string; nil for null. It aliases the message.
func (r *Reader) String() []byte {
	n := 0
	if r.flex {
		n = int(r.Uvarint()) - 1
	} else {
		n = int(r.Int16())
	}
	if n < 0 {
		return nil
	}
	return r.Take(n)
}

// ArrayLen reads the length of an array; 0 for null. It is never more than the bytes that follow,
// as each element takes one at least: a hostile length can't make the caller allocate.
func (r *Reader) ArrayLen() int {
	n := 0
	if r.flex {
		n = int(r.Uvarint()) - 1
	} else {
		n = int(r.Int32())
	}
	if n <= 0 {
		return 0
	}
	if n > len(r.b) {
		r.fail("an array is longer than the message")
		return 0
	}
	return n
}

// Tags skips the tagged fields that end a structure of a flexible version.
func (r *Reader) Tags() {
	if !r.flex {
		return
	}
	for n := r.Uvarint(); n > 0 && r.err == nil; n-- {
		r.Tag()
	}
}

// TagCount reads the number of tagged fields; the caller reads each with Tag. 0 in a version that isn't flexible.
func (r *Reader) TagCount() uint32 {
	if !r.flex {
		return 0
	}
	return r.Uvarint()
}

// Tag reads one tagged field: its number and a Reader over its bytes.
func (r *Reader) Tag() (uint32, Reader) {
	tag := r.Uvarint()
	b := r.Take(int(r.Uvarint()))
	return tag, Reader{b: b, flex: r.flex, err: r.err}
}
