package native

import "kbench/native/hist"

// Histogram counts values ≥ 0 in buckets: the form of every distribution.
type Histogram = hist.Histogram

// Distributions tell how batches and requests went, since New: each batch and request is counted once for what happens to it
// once, at no cost for a record. Times are in ns. A batch that is sent again counts in requests again, not in its own times.
type Distributions struct {
	// Of each batch when it is sent first.
	BatchFill    Histogram // bytes before compression in thousandths of batch.size; over 1000: a record larger than it
	BatchRecords Histogram // records
	// OpenNS is from its first record until it is sealed: full, flushed, or taken into a request after linger.ms (with others
	// for the same broker also before). Where leader or connection are busy by then it stays open, and that counts here.
	OpenNS  Histogram
	QueueNS Histogram // from there until it is taken into a request: leader, connection or max.in.flight were busy

	// Of each request.
	RequestBatches Histogram // batches
	RequestRecords Histogram // records
	RequestBytes   Histogram // bytes written, compressed, with all headers
	WriteNS        Histogram // from being put together to its last byte in the socket: compression and a full socket
	FlightNS       Histogram // from there to its answer; not with acks=0
	// BrokerNS is the part of FlightNS that no earlier request of the connection explains: brokers take them one after the
	// other, so it begins when the request was written or the answer before was read, whichever is later; where the broker
	// throttles the connection (KIP-219), when that ends. It bounds the broker's own time from above: the network is in it.
	// A broker's answer tells nothing of its own time but how long it throttles (Stats.ThrottleNS).
	BrokerNS Histogram

	// Of each acknowledged batch.
	DeliveryNS Histogram // from its first record to its acknowledgement, retries and all

	// Of each wait for buffer.memory.
	BufferWaitNS Histogram
}

// Distributions takes a snapshot. Safe at any time, also after Close. It is about 65 KB: made for reading now and then.
func (pr *Producer) Distributions() *Distributions {
	d := new(Distributions)
	pr.mu.Lock()
	defer pr.mu.Unlock()
	*d = pr.dist
	return d
}

// Since is what was counted since an earlier snapshot of the same producer.
func (d *Distributions) Since(earlier *Distributions) *Distributions {
	out := new(Distributions)
	from, to := earlier.each(), out.each()
	for i, h := range d.each() {
		*to[i] = h.Since(from[i])
	}
	return out
}

// Add counts all of o as well: the distributions of several producers together.
func (d *Distributions) Add(o *Distributions) {
	from := o.each()
	for i, h := range d.each() {
		h.Add(from[i])
	}
}

// each lists the histograms.
func (d *Distributions) each() []*Histogram {
	return []*Histogram{
		&d.BatchFill, &d.BatchRecords, &d.OpenNS, &d.QueueNS,
		&d.RequestBatches, &d.RequestRecords, &d.RequestBytes, &d.WriteNS, &d.FlightNS, &d.BrokerNS,
		&d.DeliveryNS, &d.BufferWaitNS,
	}
}

// noteRequest counts a request that was just put together, with its batches. Producer.mu is held.
func (pr *Producer) noteRequest(req *request, now int64) {
	d := &pr.dist
	records := int64(0)
	for _, b := range req.batches {
		records += int64(b.count)
		if b.lastCode != codeNone {
			continue // it, or the batch that it was split from, was sent before
		}
		d.BatchFill.Record(int64(b.raw) * 1000 / int64(max(1, pr.cfg.BatchSize)))
		d.BatchRecords.Record(int64(b.count))
		d.OpenNS.Record(b.sealed - b.created)
		d.QueueNS.Record(now - b.sealed)
	}
	d.RequestBatches.Record(int64(len(req.batches)))
	d.RequestRecords.Record(records)
	req.drained = now
}

// noteAnswer counts the answer to a request that was written. Producer.mu is held.
func (pr *Producer) noteAnswer(l *link, req *request, now int64) {
	d := &pr.dist
	d.WriteNS.Record(req.sent - req.drained)
	d.FlightNS.Record(now - req.sent)
	d.BrokerNS.Record(now - max(req.sent, l.answeredAt))
	l.answeredAt = now
}
