package driver

import "kbench/native/hist"

// Stats are cumulative counters of a client's wire traffic; −1 means unknown.
type Stats struct {
	Requests          int64 // produce requests written
	WireBytes         int64 // bytes of produce requests written
	Batches           int64 // record batches written
	UncompressedBytes int64 // bytes of the batches' records before compression
	CompressedBytes   int64 // and after
	Retries           int64 // batches or requests sent again
	ThrottleNS        int64 // throttle_time_ms that brokers asked for (KIP-219), in ns
	ProduceVersion    int64 // highest version of the Produce API used

	BufferWaits    int64 // waits for buffer.memory
	BufferWaitNS   int64 // how long they took, in ns
	BatchesSplit   int64 // batches that the broker found too large and that were halved
	BatchesExpired int64 // batches given up at delivery.timeout.ms
	Connections    int64 // connections opened and ready, for whatever
}

// UnknownStats has every counter unknown.
func UnknownStats() Stats {
	var s Stats
	for _, n := range s.counters() {
		*n = -1
	}
	s.ProduceVersion = -1
	return s
}

// counters lists the counters: all but ProduceVersion.
func (s *Stats) counters() []*int64 {
	return []*int64{
		&s.Requests, &s.WireBytes, &s.Batches, &s.UncompressedBytes, &s.CompressedBytes, &s.Retries, &s.ThrottleNS,
		&s.BufferWaits, &s.BufferWaitNS, &s.BatchesSplit, &s.BatchesExpired, &s.Connections,
	}
}

// Add counts o as well: clients of one run together. A counter that one of them doesn't know isn't known of both.
func (s *Stats) Add(o Stats) {
	from := o.counters()
	for i, n := range s.counters() {
		if *n < 0 || *from[i] < 0 {
			*n = -1
		} else {
			*n += *from[i]
		}
	}
	s.ProduceVersion = max(s.ProduceVersion, o.ProduceVersion)
}

// Since is what was counted since earlier. A counter that wasn't known then, but is now, had nothing to count until then.
func (s Stats) Since(earlier Stats) Stats {
	from := earlier.counters()
	for i, n := range s.counters() {
		if *n >= 0 {
			*n -= max(0, *from[i])
		}
	}
	return s
}

// Distributions tell how a client's batches and requests went, each counted when it happened; what the client doesn't tell is
// nil. Times are in ns, sizes in bytes. A batch or request that is sent again may be counted again, as each field says.
type Distributions struct {
	// Of each batch: at its first sending where the client tells that apart, else (or where it tells of acknowledged ones
	// alone) at each that it tells of.
	BatchFill    *hist.Histogram // size before compression with its header, in thousandths of batch.size; over 1000: a larger record
	BatchRecords *hist.Histogram // records
	LingerNS     *hist.Histogram // from its first record until it takes no more
	QueueNS      *hist.Histogram // from there until it is taken into a request

	// Of each request written, retries included.
	RequestBatches *hist.Histogram // batches
	RequestRecords *hist.Histogram // records
	RequestBytes   *hist.Histogram // bytes, compressed, with all headers
	WriteNS        *hist.Histogram // from being put together until its last byte is with the system; compression is in it
	FlightNS       *hist.Histogram // from there until its answer is read; none with acks=0
	// BrokerNS is the part of FlightNS that no earlier request of the connection explains: from the last byte, or the answer
	// before where that is later, until the answer. It bounds from above what a broker spent on the request that takes one
	// after the other, as Kafka does; the network is in it. Of its own time, a broker tells only how long it throttles.
	BrokerNS *hist.Histogram

	DeliveryNS   *hist.Histogram // of each acknowledged batch: from its first record to its acknowledgement, retries and all
	BufferWaitNS *hist.Histogram // of each wait for buffer.memory
}

// each lists the histograms.
func (d *Distributions) each() []**hist.Histogram {
	return []**hist.Histogram{
		&d.BatchFill, &d.BatchRecords, &d.LingerNS, &d.QueueNS,
		&d.RequestBatches, &d.RequestRecords, &d.RequestBytes, &d.WriteNS, &d.FlightNS, &d.BrokerNS,
		&d.DeliveryNS, &d.BufferWaitNS,
	}
}

// Add counts o as well, into the histograms that d has: clients of one run together. What o doesn't tell isn't told of both.
func (d *Distributions) Add(o *Distributions) {
	from := o.each()
	for i, h := range d.each() {
		switch {
		case *h == nil:
		case *from[i] == nil:
			*h = nil
		default:
			(*h).Add(*from[i])
		}
	}
}

// Since is what was counted since earlier, in histograms of its own.
func (d *Distributions) Since(earlier *Distributions) *Distributions {
	out := new(Distributions)
	from, to := earlier.each(), out.each()
	for i, h := range d.each() {
		if *h != nil && *from[i] != nil {
			since := (*h).Since(*from[i])
			*to[i] = &since
		}
	}
	return out
}
