package driver

import "encoding/binary"

// reader takes Kafka's primitive types off a message. Once something is missing, bad is set and all further reads are zero.
// Byte slices alias the message.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n < 0 || n > len(r.b) {
		r.bad = true
		return nil
	}
	b := r.b[:n:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) int8() int8 {
	if b := r.take(1); b != nil {
		return int8(b[0])
	}
	return 0
}

func (r *reader) int16() int16 {
	if b := r.take(2); b != nil {
		return int16(binary.BigEndian.Uint16(b))
	}
	return 0
}

func (r *reader) int32() int32 {
	if b := r.take(4); b != nil {
		return int32(binary.BigEndian.Uint32(b))
	}
	return 0
}

// uvarint reads an unsigned varint of at most 32 bits.
func (r *reader) uvarint() int {
	v, n := binary.Uvarint(r.b)
	if r.bad || n <= 0 || v > 1<<32-1 {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return int(v)
}

// string reads a nullable string with a 16-bit length.
func (r *reader) string() []byte { return r.take(max(0, int(r.int16()))) }

// anyString reads a nullable string, compact in flexible versions.
func (r *reader) anyString(flexible bool) []byte {
	if flexible {
		return r.take(max(0, r.uvarint()-1))
	}
	return r.string()
}

// anyBytes reads nullable bytes, compact in flexible versions.
func (r *reader) anyBytes(flexible bool) []byte {
	if flexible {
		return r.take(max(0, r.uvarint()-1))
	}
	return r.take(max(0, int(r.int32())))
}

// arrayLen reads the length of an array, 0 for null. It can't be more than what is left in bytes.
func (r *reader) arrayLen(flexible bool) int {
	n := 0
	if flexible {
		n = r.uvarint() - 1
	} else {
		n = int(r.int32())
	}
	if n > len(r.b) {
		r.bad = true
	}
	if r.bad || n < 0 {
		return 0
	}
	return n
}

// tags skips tagged fields; a message of a version without them has none.
func (r *reader) tags(flexible bool) {
	if !flexible {
		return
	}
	for range r.uvarint() {
		r.uvarint()
		r.take(r.uvarint())
		if r.bad {
			return
		}
	}
}
