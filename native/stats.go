package native

// Stats are cumulative counters since New. Each counts requests, batches or waits, nothing costs a record anything.
type Stats struct {
	Requests          int64 // produce requests written
	WireBytes         int64 // bytes of produce requests written
	Batches           int64 // record batches written, retries included
	UncompressedBytes int64 // bytes of the batches' records before compression, without headers
	CompressedBytes   int64 // and after
	Retries           int64 // batches queued to be sent again
	ThrottleNS        int64 // throttle_time_ms that brokers asked for (KIP-219), in ns
	ProduceVersion    int64 // highest version of the Produce API used
	BufferWaits       int64 // waits of Produce for buffer.memory that have ended, with memory or without
	BufferWaitNS      int64 // how long they took
	BatchesSplit      int64 // batches that the broker found too large, halved and sent again; a half can be split again
	BatchesExpired    int64 // batches given up at delivery.timeout.ms, whether they had been sent or not
	Connections       int64 // connections opened, secured and ready, for producing and for metadata
}

// Stats reads the counters. Safe at any time, also after Close.
func (pr *Producer) Stats() Stats {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	s := pr.stats
	s.BufferWaits, s.BufferWaitNS = pr.mem.waits, pr.mem.waitNS
	s.Connections += pr.control.opened.Load()
	return s
}
