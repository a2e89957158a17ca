package driver

import (
	"fmt"

	"kbench/workload"
)

// Sizes of Kafka's record format v2, as the Java client bounds them before it knows the compressed size
// (org.apache.kafka.common.record.internal.DefaultRecordBatch and DefaultRecord).
const (
	BatchOverhead = 8 + // base offset
		4 + // batch length
		4 + // partition leader epoch
		1 + // magic
		4 + // CRC
		2 + // attributes
		4 + // last offset delta
		8 + // first timestamp
		8 + // max timestamp
		8 + // producer id
		2 + // producer epoch
		4 + // base sequence
		4 // number of records
	maxRecordOverhead = 5 + // record length
		10 + // timestamp delta
		5 + // offset delta
		1 // attributes
)

// SizeBound is the size that a batch with r alone can't exceed. A record whose bound is over max.request.size
// fails before it is sent, as in the Java client.
func SizeBound(r *workload.Record) int {
	n := BatchOverhead + maxRecordOverhead + varintLen(len(r.Key)) + len(r.Key) + varintLen(len(r.Value)) + len(r.Value) +
		varintLen(len(r.Headers))
	for i := range r.Headers {
		h := &r.Headers[i]
		n += varintLen(len(h.Key)) + len(h.Key) + varintLen(len(h.Value)) + len(h.Value)
	}
	return n
}

// SizeLimit is a bound of SizeBound that costs next to nothing for a record far below it.
type SizeLimit struct {
	limit int
	sure  int // a record of this Size with few headers is within the limit
}

// fewHeaders is up to how many headers SizeLimit doesn't look at; each costs at most two lengths of 5 bytes.
const fewHeaders = 8

// NewSizeLimit returns the bound limit, in bytes.
func NewSizeLimit(limit int) SizeLimit {
	const lengths = 3 * 5 // of key, value and headers
	return SizeLimit{limit, limit - BatchOverhead - maxRecordOverhead - lengths - fewHeaders*2*5}
}

// Exceeded reports whether SizeBound of r is over the limit; size is r.Size().
func (l SizeLimit) Exceeded(r *workload.Record, size int) bool {
	return (size > l.sure || len(r.Headers) > fewHeaders) && SizeBound(r) > l.limit
}

// EncodedSize is what r comes to within a batch before compression, if its offset there takes two bytes (64 to 8191 records
// a batch) and its time one (64 ms): a byte or two more or less otherwise.
func EncodedSize(r *workload.Record) int {
	n := 1 + // attributes
		1 + // timestamp delta
		2 + // offset delta
		bytesLen(len(r.Key), r.Key == nil) + bytesLen(len(r.Value), r.Value == nil) + varintLen(len(r.Headers))
	for i := range r.Headers {
		h := &r.Headers[i]
		n += bytesLen(len(h.Key), false) + bytesLen(len(h.Value), h.Value == nil)
	}
	return varintLen(n) + n
}

// bytesLen is the length of a byte string with its length before it; null is a length of −1.
func bytesLen(n int, null bool) int {
	if null {
		return 1
	}
	return varintLen(n) + n
}

// varintLen is the length of a zigzag varint of n ≥ 0.
func varintLen(n int) int {
	l := 1
	for v := uint64(n) << 1; v >= 0x80; v >>= 7 {
		l++
	}
	return l
}

// TooLargeError says that a record doesn't fit a size setting. It doesn't tell the record's size: the same text for every
// such record keeps a result's table of errors short.
type TooLargeError struct {
	Setting string // Kafka's name of the bound, such as max.request.size
	Limit   int64  // bytes
	Note    string // what else to know, or ""
}

// Error implements error.
func (e *TooLargeError) Error() string {
	s := fmt.Sprintf("record larger than %s=%d", e.Setting, e.Limit)
	if e.Note != "" {
		s += ": " + e.Note
	}
	return s
}

// BlockedError says that a record waited for max.block.ms in vain.
type BlockedError struct {
	MaxBlockMS int64
	For        string // what it waited for: buffer.memory, metadata of a topic
}

// Error implements error.
func (e *BlockedError) Error() string {
	return fmt.Sprintf("blocked for max.block.ms=%d waiting for %s", e.MaxBlockMS, e.For)
}
