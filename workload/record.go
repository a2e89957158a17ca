// Package workload says what to send and when: profiles, plans, sweep cells, producer settings, schedules and records.
// It is pure: no Kafka client, no clock, no goroutine.
package workload

// Header is one record header. Value may be nil (a null header value); both alias the Source's arena.
type Header struct {
	Key   string
	Value []byte
}

// Record is one message on its way to a client. Key, Value and Headers alias an immutable arena:
// read-only, and valid for the whole run, so a client may keep them without copying.
type Record struct {
	// Slot names the record while it is in flight: unique until its Ack, below driver.Config.Slots.
	Slot uint32
	// Topic is an index into driver.Config.Topics.
	Topic int32
	// Partition is the explicit partition, or −1: the client's partitioner chooses.
	Partition int32
	// Key is nil for a null key.
	Key []byte
	// Value is nil for a null value (a tombstone).
	Value []byte
	// Headers is shared by many records: never written to.
	Headers []Header
}

// Size is the number of bytes of key, value and headers: what the user asked to move, without protocol overhead.
func (r *Record) Size() int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return n
}
