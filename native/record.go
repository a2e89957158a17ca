package native

import "kbench/native/wire"

// Header is one record header. A nil Value is a null.
type Header = wire.RecordHeader

// Record is one message. Produce encodes it before it returns, so the caller may reuse everything in it at once.
type Record struct {
	// Slot comes back in the record's Ack; the producer doesn't interpret it.
	Slot uint32
	// Topic is an index into Config.Topics.
	Topic int32
	// Partition is an explicit partition, so that a zero Record's is 0, or −1: the partitioner chooses. Below −1 it is an
	// ErrArgument.
	Partition int32
	// TimestampMS is the record's create time in ms since 1970; 0: the time of Produce. A negative one is an ErrArgument.
	TimestampMS int64
	// Key is nil for a null key.
	Key []byte
	// Value is nil for a null value.
	Value []byte
	// Headers is encoded in order.
	Headers []Header
}

// Ack tells how the records of one batch ended.
type Ack struct {
	// Slots holds the records' slots in the order of their offsets. It is the producer's, valid during the call only.
	Slots []uint32
	// Topic is an index into Config.Topics.
	Topic int32
	// Partition is −1 for a record that failed before it had one.
	Partition int32
	// BaseOffset is the offset of the first slot's record, the others follow; −1 if unknown (acks=0, a duplicate, a failure).
	BaseOffset int64
	// Err is nil for acknowledged records. See Error for what it can be.
	Err error
}

// AckFunc receives acknowledgements: each record passed to Produce is in exactly one. Calls never overlap. They come from
// the producer's goroutines, or from inside Produce, AbortTransaction or Close for records that fail there. It must not block
// (meanwhile nothing is sent to the broker that answered), call the Producer, or panic: on the producer's goroutines that ends
// the program, as any panic does.
type AckFunc func(Ack)
