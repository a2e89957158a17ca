package sink

import (
	"encoding/binary"
	"errors"
	"fmt"

	"kbench/words"
)

// frame reads the fields of one request out of the input. The first error sticks, and makes every later field zero, so
// a caller checks once at the end; it must check before it believes what it read. No field reaches beyond the request.
type frame struct {
	in   *input
	left int // bytes of the request not yet used
	err  error
}

// errShort is why a field can't be read: the request's size says that it ends before.
var errShort = errors.New("malformed request: a field reaches beyond the request's end")

func (f *frame) start(size int) { f.left, f.err = size, nil }

func (f *frame) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

// take is the next n ≤ inputBytes bytes: part of the input buffer, valid until the next read. nil after an error.
func (f *frame) take(n int) []byte {
	if f.err != nil {
		return nil
	}
	if n > f.left {
		f.err = errShort
		return nil
	}
	if f.in.buffered() < n {
		if err := f.in.fill(n); err != nil {
			f.err = noEOF(err)
			return nil
		}
	}
	b := f.in.buf[f.in.r : f.in.r+n]
	f.in.r += n
	f.left -= n
	return b
}

// skip passes over n bytes.
func (f *frame) skip(n int) {
	if f.err != nil {
		return
	}
	if n < 0 || n > f.left { // below 0: a length of 2³¹ or more, where an int has 32 bits
		f.err = errShort
		return
	}
	f.left -= n
	f.err = f.in.skip(n)
}

// end reports the sticky error, or bytes that are left over.
func (f *frame) end() error {
	if f.err == nil && f.left > 0 {
		f.err = fmt.Errorf("malformed request: %s more than its fields take", words.Count(f.left, "byte"))
	}
	return f.err
}

func (f *frame) int16() int16 {
	if b := f.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (f *frame) int32() int32 {
	if b := f.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint is an unsigned varint of at most 32 bits.
func (f *frame) uvarint() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := f.take(1)
		if b == nil {
			return 0
		}
		v |= uint64(b[0]&0x7f) << shift
		if b[0] < 0x80 {
			if v > 1<<32-1 {
				break
			}
			return uint32(v)
		}
	}
	f.fail(errors.New("malformed request: a varint of more than 32 bits"))
	return 0
}

// length is the length of bytes, or of an array whose elements take at least each bytes; −1: null.
func (f *frame) length(flexible bool, each int) int {
	n := 0
	if flexible {
		n = int(f.uvarint()) - 1
	} else {
		n = int(f.int32())
	}
	switch {
	case f.err != nil:
		return -1
	case n < -1 || n > f.left/each:
		f.fail(fmt.Errorf("malformed request: a length of %d where %d bytes are left", n, f.left))
		return -1
	}
	return n
}

// stringLen is the length of a string; −1: null.
func (f *frame) stringLen(flexible bool) int {
	n := 0
	if flexible {
		n = int(f.uvarint()) - 1
	} else {
		n = int(f.int16())
	}
	if f.err == nil && (n < -1 || n > 1<<15-1) {
		f.fail(fmt.Errorf("malformed request: a string of %d bytes", n))
	}
	if f.err != nil {
		return -1
	}
	return n
}

// skipString passes over a string that may be null.
func (f *frame) skipString(flexible bool) {
	if n := f.stringLen(flexible); n > 0 {
		f.skip(n)
	}
}

// skipTags passes over tagged fields; in a request that isn't flexible there are none.
func (f *frame) skipTags(flexible bool) {
	if !flexible {
		return
	}
	for n := f.uvarint(); n > 0 && f.err == nil; n-- {
		f.uvarint() // tag
		size := f.uvarint()
		f.skip(int(size))
	}
}
