package workload

import "math/bits"

// recordBatchOverhead is what a batch of one record adds to its key, value and headers, at most. The terms are those of
// org.apache.kafka.common.record.DefaultRecordBatch and DefaultRecord (magic 2).
const recordBatchOverhead = 61 + // RECORD_BATCH_OVERHEAD: the batch's header
	5 + // length, a varint
	1 + // attributes
	10 + // timestamp delta, a varlong
	5 // offset delta, a varint

// RecordSizeUpperBound is the size in bytes that Kafka's producer compares with max.request.size: a batch of this
// record alone, uncompressed (AbstractRecords.estimateSizeInBytesUpperBound).
func RecordSizeUpperBound(key, value []byte, headers []Header) int {
	n := recordBatchOverhead + bytesSize(key) + bytesSize(value) + varintSize(len(headers))
	for i := range headers {
		k := len(headers[i].Key)
		n += varintSize(k) + k + bytesSize(headers[i].Value)
	}
	return n
}

// bytesSize is the size of b with its length in front; nil is the length −1, one byte.
func bytesSize(b []byte) int {
	if b == nil {
		return 1
	}
	return varintSize(len(b)) + len(b)
}

// varintSize is the number of bytes of n ≥ 0 as a zigzag varint: 7 bits a byte, one of them for the sign.
func varintSize(n int) int { return (bits.Len64(uint64(n)) + 1 + 6) / 7 }
