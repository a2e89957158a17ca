package sink

import (
	"encoding/binary"
	"io"
)

// responses is the one way by which answers leave a connection: begin and end bracket one, appended to buf in between;
// send writes those that are complete. Sending follows the order of the requests, as Kafka's protocol wants.
//
// Where answers are held, they are taken out of buf between end and send, which then has nothing to do: see held.
type responses struct {
	w     io.Writer
	buf   []byte // complete answers, and at the end the one being written
	start int    // where the one being written starts
}

// keepBytes is how large a response buffer may stay once it is empty: enough for a request of 30,000 partitions.
const keepBytes = 1 << 20

// begin starts the answer to a request: its length, filled in by end, and its header.
func (r *responses) begin(correlation int32, flexibleHeader bool) {
	r.start = len(r.buf)
	r.buf = append(r.buf, 0, 0, 0, 0)
	r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(correlation))
	if flexibleHeader {
		r.buf = append(r.buf, 0) // no tags
	}
}

// end completes an answer.
func (r *responses) end() {
	binary.BigEndian.PutUint32(r.buf[r.start:], uint32(len(r.buf)-r.start-4))
}

// drop takes the answer being written back.
func (r *responses) drop() { r.buf = r.buf[:r.start] }

// send writes the complete answers. It blocks while the client doesn't read.
func (r *responses) send() error {
	if len(r.buf) == 0 {
		return nil
	}
	_, err := r.w.Write(r.buf)
	r.clear()
	return err
}

// clear forgets the complete answers.
func (r *responses) clear() {
	r.buf = r.buf[:0]
	if cap(r.buf) > keepBytes {
		r.buf = nil
	}
}

// Fields of an answer; the flexible encodings are those of KIP-482.

func (r *responses) int16(v int16) { r.buf = binary.BigEndian.AppendUint16(r.buf, uint16(v)) }
func (r *responses) int32(v int32) { r.buf = binary.BigEndian.AppendUint32(r.buf, uint32(v)) }
func (r *responses) int64(v int64) { r.buf = binary.BigEndian.AppendUint64(r.buf, uint64(v)) }

func (r *responses) arrayLen(n int, flexible bool) {
	if flexible {
		r.buf = binary.AppendUvarint(r.buf, uint64(n+1))
		return
	}
	r.int32(int32(n))
}

func (r *responses) string(s []byte, flexible bool) {
	if flexible {
		r.buf = binary.AppendUvarint(r.buf, uint64(len(s)+1))
	} else {
		r.int16(int16(len(s)))
	}
	r.buf = append(r.buf, s...)
}

// nullString is a string that isn't there.
func (r *responses) nullString(flexible bool) {
	if flexible {
		r.buf = append(r.buf, 0)
		return
	}
	r.int16(-1)
}

// noTags ends a structure of a flexible answer.
func (r *responses) noTags(flexible bool) {
	if flexible {
		r.buf = append(r.buf, 0)
	}
}
