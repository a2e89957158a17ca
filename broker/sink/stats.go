package sink

import "sync/atomic"

// Stats are sums since Listen.
type Stats struct {
	Connections     uint64 // accepted
	Requests        uint64 // of every kind, answered or (acks=0) taken without an answer
	ProduceRequests uint64 // among Requests
	Batches         uint64 // record batches accepted; this and the following leave out what was answered with an error
	Records         uint64 // records in these batches, as their headers say
	Bytes           uint64 // size of these batches, headers included
}

func (s *Stats) add(o Stats) {
	s.Connections += o.Connections
	s.Requests += o.Requests
	s.ProduceRequests += o.ProduceRequests
	s.Batches += o.Batches
	s.Records += o.Records
	s.Bytes += o.Bytes
}

// counts are one connection's share of Stats: written by its goroutine alone, so that connections share no cache line.
type counts struct {
	requests, produce, batches, records, bytes atomic.Uint64
}

func (c *counts) snapshot() Stats {
	return Stats{
		Requests:        c.requests.Load(),
		ProduceRequests: c.produce.Load(),
		Batches:         c.batches.Load(),
		Records:         c.records.Load(),
		Bytes:           c.bytes.Load(),
	}
}
