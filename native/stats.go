package native

// Stats are cumulative counters since New.
type Stats struct {
	Requests          int64 // produce requests written
	WireBytes         int64 // bytes of produce requests written
	Batches           int64 // record batches written, retries included
	UncompressedBytes int64 // bytes of the batches' records before compression, without headers
	CompressedBytes   int64 // and after
	Retries           int64 // batches queued to be sent again
	ThrottleNS        int64 // throttle_time_ms that brokers asked for (KIP-219), in ns
	ProduceVersion    int64 // highest version of the Produce API used
	BufferWaits       int64 // calls of Produce that waited for buffer.memory
	BufferWaitNS      int64 // how long they waited
}

// Stats reads the counters. Safe at any time, also after Close.
func (pr *Producer) Stats() Stats {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	s := pr.stats
	s.BufferWaits, s.BufferWaitNS = pr.mem.waits, pr.mem.waitNS
	return s
}
