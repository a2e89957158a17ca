package wire

import (
	"encoding/binary"
	"hash/crc32"
)

// Sizes and offsets of the record batch header, magic 2.
const (
	offLength      = 8                  // after base offset
	offLeaderEpoch = offLength + 4      // after batch length
	offMagic       = offLeaderEpoch + 4 // after partition leader epoch
	offCRC         = offMagic + 1       // after magic
	offAttributes  = offCRC + 4         // after the CRC, which covers everything from here
	offLastDelta   = offAttributes + 2  //
	offBaseTime    = offLastDelta + 4   //
	offMaxTime     = offBaseTime + 8    //
	offProducerID  = offMaxTime + 8     //
	offEpoch       = offProducerID + 8  //
	offSequence    = offEpoch + 2       //
	offCount       = offSequence + 4    //

	// BatchHeaderSize is the size of a record batch's header; the records follow.
	BatchHeaderSize = offCount + 4 // 61
)

// Transactional is the bit of a batch's attributes that puts it into a transaction.
const Transactional = 1 << 4

// BatchHeader is what varies in the header of a record batch.
type BatchHeader struct {
	Attributes int16 // bits 0–2: codec; Transactional
	Count      int32 // records
	BaseTime   int64 // ms since 1970, of the first record
	MaxTime    int64
	ProducerID int64 // −1: not idempotent
	Epoch      int16
	Sequence   int32 // of the first record
}

// castagnoli is read-only.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// CRC32C continues a CRC-32C over more bytes; start with 0.
func CRC32C(crc uint32, b []byte) uint32 { return crc32.Update(crc, castagnoli, b) }

// Block is what a batch's header says about the records that follow it: their size and their CRC-32C alone, to which the
// header's own is joined, so that the records aren't read again.
type Block struct {
	Size  int
	CRC   uint32
	shift uint32 // powersOfX(Size)
}

// NewBlock describes size bytes of records with the CRC given. It takes about half a microsecond: keep it for records that
// are sent again.
func NewBlock(size int, crc uint32) Block { return Block{size, crc, powersOfX(size)} }

// PutBatchHeader writes the header of a batch into the first BatchHeaderSize bytes of b.
func PutBatchHeader(b []byte, h BatchHeader, records Block) {
	be := binary.BigEndian
	be.PutUint64(b, 0) // base offset: the broker assigns it
	be.PutUint32(b[offLength:], uint32(BatchHeaderSize+records.Size-offLeaderEpoch))
	be.PutUint32(b[offLeaderEpoch:], ^uint32(0)) // unknown, the broker fills it in
	b[offMagic] = 2
	be.PutUint16(b[offAttributes:], uint16(h.Attributes))
	be.PutUint32(b[offLastDelta:], uint32(h.Count-1))
	be.PutUint64(b[offBaseTime:], uint64(h.BaseTime))
	be.PutUint64(b[offMaxTime:], uint64(h.MaxTime))
	be.PutUint64(b[offProducerID:], uint64(h.ProducerID))
	be.PutUint16(b[offEpoch:], uint16(h.Epoch))
	be.PutUint32(b[offSequence:], uint32(h.Sequence))
	be.PutUint32(b[offCount:], uint32(h.Count))
	crc := multiplyModP(records.shift, CRC32C(0, b[offAttributes:BatchHeaderSize])) ^ records.CRC
	be.PutUint32(b[offCRC:], crc)
}

// RecordHeader is one header of a record. A nil Value is a null.
type RecordHeader struct {
	Key   string
	Value []byte
}

// RecordBodySize is the size of an encoded record without its own length field, headers' bytes given (see HeadersSize).
func RecordBodySize(timeDelta int64, offsetDelta int, key, value []byte, headers int) int {
	return 1 + // attributes
		VarintLen(timeDelta) +
		VarintLen(int64(offsetDelta)) +
		bytesSize(key) +
		bytesSize(value) +
		headers
}

func bytesSize(b []byte) int {
	if b == nil {
		return 1 // length −1
	}
	return VarintLen(int64(len(b))) + len(b)
}

// HeadersSize is the size of the encoded headers with their count.
func HeadersSize(hs []RecordHeader) int {
	n := VarintLen(int64(len(hs)))
	for i := range hs {
		n += VarintLen(int64(len(hs[i].Key))) + len(hs[i].Key) + bytesSize(hs[i].Value)
	}
	return n
}

// AppendRecord appends a record whose RecordBodySize is body. With room for it in dst it doesn't allocate.
func AppendRecord(dst []byte, body int, timeDelta int64, offsetDelta int, key, value []byte, hs []RecordHeader) []byte {
	dst = AppendVarint(dst, int64(body))
	dst = append(dst, 0) // attributes
	dst = AppendVarint(dst, timeDelta)
	dst = AppendVarint(dst, int64(offsetDelta))
	dst = appendNullable(dst, key)
	dst = appendNullable(dst, value)
	if len(hs) == 0 {
		return append(dst, 0)
	}
	dst = AppendVarint(dst, int64(len(hs)))
	for i := range hs {
		dst = AppendVarint(dst, int64(len(hs[i].Key)))
		dst = append(dst, hs[i].Key...)
		dst = appendNullable(dst, hs[i].Value)
	}
	return dst
}

func appendNullable(dst, b []byte) []byte {
	if b == nil {
		return append(dst, 1) // zig-zag of −1
	}
	dst = AppendVarint(dst, int64(len(b)))
	return append(dst, b...)
}
