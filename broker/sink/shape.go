package sink

import (
	"encoding/binary"
	"errors"
	"strings"
)

// shape is the fields of a request's flexible versions, from version lowest on:
//
//	1 2 4 8  a number of so many bytes
//	u        a UUID
//	s        a string, perhaps null
//	{x}      an array of x
//	[…]      an array of structures, each with tagged fields at its end
//
// Every structure, and the request itself, ends in tagged fields.
type shape struct {
	key, lowest int16
	fields      string
}

// shapes are those of apis, as in the message definitions of Kafka (clients/src/main/resources/common/message). The
// versions before have no tagged fields, and Produce has its own way.
func shapes() []shape {
	return []shape{
		{1, 12, "4444144[s[448484]][s{4}]s"}, {1, 13, "4444144[u[448484]][u{4}]s"}, {1, 15, "444144[u[448484]][u{4}]s"},
		{2, 6, "41[s[448]]"}, {2, 10, "41[s[448]]4"},
		{3, 9, "[s]111"}, {3, 10, "[us]111"}, {3, 11, "[us]11"},
		{10, 3, "s1"}, {10, 4, "1{s}"},
		{apiVersionsKey, 3, "ss"},
		{19, 5, "[s42[4{4}][ss]]41"},
		{20, 4, "{s}4"}, {20, 6, "[su]4"},
		{22, 2, "s4"}, {22, 3, "s482"},
		{32, 4, "[1s{s}]11"},
		{60, 0, "1"}, {60, 1, "11"}, {60, 2, "111"},
	}
}

var errShape = errors.New("malformed request: its fields reach beyond its end")

// checkShape walks over the body of a request of a flexible version, before kmsg decodes it: kmsg counts tagged fields down
// also where there are no bytes left, and a request of 20 bytes that announces 4 billion of them would keep a CPU busy for
// a minute.
func checkShape(key, version int16, body []byte) error {
	fields := ""
	for _, s := range shapes() {
		if s.key == key && version >= s.lowest {
			fields = s.fields // the last that fits
		}
	}
	w := walker{b: body, replica: key == 1}
	w.walk(fields)
	w.tags()
	if w.short {
		return errShape
	}
	return nil
}

// walker passes over the fields of a request. Once they reach beyond its end, nothing is left.
type walker struct {
	b       []byte
	short   bool
	replica bool // tag 1 outside of all arrays is Fetch's ReplicaState, a structure that has tagged fields itself
}

func (w *walker) skip(n int64) []byte {
	if n < 0 || n > int64(len(w.b)) {
		w.b, w.short = nil, true
		return nil
	}
	b := w.b[:n]
	w.b = w.b[n:]
	return b
}

// uvarint is an unsigned varint of at most 32 bits.
func (w *walker) uvarint() int64 {
	v, n := binary.Uvarint(w.b)
	if n <= 0 || n > 5 || v > 1<<32-1 {
		w.skip(-1)
		return 0
	}
	w.b = w.b[n:]
	return int64(v)
}

// walk passes over fields. Every element of an array takes a byte at least, so that no number keeps it going for longer
// than there are bytes.
func (w *walker) walk(fields string) {
	for i := 0; i < len(fields) && !w.short; i++ {
		switch c := fields[i]; c {
		case 's':
			if n := w.uvarint() - 1; n > 0 {
				w.skip(n)
			}
		case 'u':
			w.skip(16)
		case '{':
			for n := w.uvarint() - 1; n > 0 && !w.short; n-- {
				w.walk(fields[i+1 : i+2])
			}
			i += 2
		case '[':
			inner := fields[i+1 : i+closing(fields[i:])]
			for n := w.uvarint() - 1; n > 0 && !w.short; n-- {
				w.walk(inner)
				element := walker{b: w.b}
				element.tags()
				w.b, w.short = element.b, w.short || element.short
			}
			i += len(inner) + 1
		default:
			w.skip(int64(c - '0'))
		}
	}
}

// closing is where the bracket that fields begins with is closed.
func closing(fields string) int {
	depth := 0
	return strings.IndexFunc(fields, func(c rune) bool {
		switch c {
		case '[':
			depth++
		case ']':
			depth--
		}
		return depth == 0
	})
}

// tags passes over the tagged fields at the end of a structure.
func (w *walker) tags() {
	for n := w.uvarint(); n > 0 && !w.short; n-- {
		tag := w.uvarint()
		field := w.skip(w.uvarint())
		if tag == 1 && w.replica {
			state := walker{b: field}
			state.walk("48")
			state.tags()
			w.short = w.short || state.short
		}
	}
}
