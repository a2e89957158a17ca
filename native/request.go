package native

import (
	"cmp"
	"encoding/binary"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"kbench/native/wire"
)

// request is a Produce request in flight. Requests are reused by their link.
type request struct {
	correlation int32
	version     int16 // of the Produce API
	batches     []*batch
	parts       []*partition // of the batches
	drained     int64        // ns since the start
	sent        int64        // ns since the start: the last byte went out
	deadline    int64        // ns since the start
	written     atomic.Bool  // the last byte went out

	head []byte      // everything of the frame but the batches that are referenced
	cuts []cut       // where in head the referenced batches belong
	bufs net.Buffers // for one write
	keep net.Buffers // bufs before the write consumed it
}

// cut is a place in a request's head and the bytes that belong there.
type cut struct {
	at   int
	data []byte
}

// copyBelow is the size of batches that are copied into the frame: cheaper than a piece of writev.
const copyBelow = 4 << 10

// drain makes a request out of ready batches, and of those that still linger on this node as far as there is room: a node
// that gets a request gets all that is there for it (RecordAccumulator.drainBatchesForOneNode). max.request.size bounds it;
// a first larger batch goes alone. Producer.mu is held.
func (n *node) drain(l *link, now int64) *request {
	pr := n.pr
	req := l.spareRequest()
	d := drainer{pr: pr, req: req, now: now}
	for p := n.ready.head; p != nil && !d.full; p = n.ready.head {
		if !d.take(p) && !d.full {
			p.unlink()
			pr.place(p, now)
		}
	}
	if len(req.batches) == 0 {
		l.spare = append(l.spare, req)
		return nil
	}
	for p := n.lingering.head; p != nil && !d.full; {
		next := p.next // take unlinks p
		d.take(p)
		p = next
	}
	req.version = l.version
	if pr.txn != nil && !pr.txn.v2 {
		req.version = min(req.version, produceTxnV1)
	}
	for i, p := range req.parts {
		pr.place(p, now)
		req.batches[i].topicID = p.topic.id
		if p.topic.id == noTopicID {
			req.version = min(req.version, produceNames)
		}
	}
	pr.noteRequest(req, now)
	l.correlation++
	req.correlation = l.correlation
	req.deadline = now + int64(pr.cfg.RequestTimeout)
	l.flight = append(l.flight, req)
	return req
}

// drainer fills one request.
type drainer struct {
	pr   *Producer
	req  *request
	now  int64
	size int  // bytes of the batches, before compression
	full bool // the next batch doesn't fit
}

// take moves the next batch of p into the request, and p out of its list. It reports false if there is none to send now,
// or none that fits.
func (d *drainer) take(p *partition) bool {
	b := d.pr.pick(p, d.now)
	if b == nil {
		return false
	}
	if d.size > 0 && d.size+b.size() > d.pr.cfg.MaxRequestSize {
		d.full = true
		return false
	}
	p.unlink()
	d.pr.take(p, b, d.now)
	d.size += b.size()
	d.req.batches = append(d.req.batches, b)
	d.req.parts = append(d.req.parts, p)
	return true
}

// take moves the batch that pick chose into a request.
func (pr *Producer) take(p *partition, b *batch, now int64) {
	if b.state == stateRetry {
		p.retries--
	} else {
		if b.state == stateOpen {
			p.seal(now)
		}
		p.popQueue()
		pr.assign(p, b)
		p.assigned = append(p.assigned, b)
	}
	b.state = stateSent
	b.attempts++
	b.refs++
	p.sent++
}

// send writes a request. With acks=0 it settles it as well. Producer.mu is not held.
func (l *link) send(n *node, req *request) error {
	pr := n.pr
	raw, compressed := 0, 0
	for _, b := range req.batches {
		b.finish(n.comp)
		raw += b.raw - wire.BatchHeaderSize
		compressed += b.size() - wire.BatchHeaderSize
	}
	size := l.encode(pr, req)

	// Counted before the write: the response can be there, and the request used again, before the write returns here.
	pr.mu.Lock()
	s := &pr.stats
	pr.dist.RequestBytes.Record(int64(size))
	s.Requests++
	s.WireBytes += int64(size)
	s.Batches += int64(len(req.batches))
	s.UncompressedBytes += int64(raw)
	s.CompressedBytes += int64(compressed)
	s.ProduceVersion = max(s.ProduceVersion, int64(req.version))
	pr.mu.Unlock()

	l.writing.Lock()
	err := l.nc.SetWriteDeadline(time.Now().Add(pr.cfg.RequestTimeout))
	if err == nil {
		_, err = req.bufs.WriteTo(l.nc)
	}
	clear(req.keep)
	clear(req.cuts)
	req.sent = pr.now()
	req.written.Store(err == nil) // who takes answers may settle req from here on
	l.writing.Unlock()
	if err != nil || pr.cfg.Acks != 0 {
		return err
	}

	pr.mu.Lock()
	l.popFlight()
	pr.dist.WriteNS.Record(req.sent - req.drained)
	l.settled = pr.settleAll(req, codeNone, pr.now(), l.settled)
	l.recycle(req)
	pr.mu.Unlock()
	pr.deliver(l.settled)
	l.settled = l.settled[:0]
	return nil
}

// encode builds the frame around the batches and returns its size. Large batches are referenced, not copied.
func (l *link) encode(pr *Producer, req *request) int {
	topics := 1
	if b := req.batches; len(b) > 1 {
		byTopic := func(x, y *batch) int { return cmp.Compare(x.part.topic.index, y.part.topic.index) }
		if !slices.IsSortedFunc(b, byTopic) {
			slices.SortStableFunc(b, byTopic)
		}
		for i := 1; i < len(b); i++ {
			if b[i].part.topic != b[i-1].part.topic {
				topics++
			}
		}
	}
	v := req.version
	flex := wire.Flexible(wire.KeyProduce, v)
	h := wire.AppendInt32(req.head[:0], 0) // length: below
	h = wire.AppendRequestHeader(h, wire.KeyProduce, v, req.correlation, pr.cfg.ClientID)
	h = wire.AppendProduceHead(h, v, wire.ProduceHead{TransactionalID: pr.cfg.TransactionalID, Acks: pr.cfg.Acks,
		TimeoutMS: int32(min(pr.cfg.RequestTimeout.Milliseconds(), 1<<31-1)), Topics: topics})
	req.cuts = req.cuts[:0]
	size := 0
	for i := 0; i < len(req.batches); {
		t := req.batches[i].part.topic
		end := i + 1
		for end < len(req.batches) && req.batches[end].part.topic == t {
			end++
		}
		h = wire.AppendProduceTopic(h, v, wire.ProduceTopic{Name: t.name, ID: req.batches[i].topicID}, end-i)
		for ; i < end; i++ {
			b := req.batches[i]
			h = wire.AppendProducePartition(h, v, b.part.id, b.size())
			large := b.buf
			if b.tmpl != nil {
				h, large = append(h, b.buf...), b.block
			}
			if len(large) < copyBelow {
				h = append(h, large...)
			} else {
				req.cuts = append(req.cuts, cut{len(h), large})
				size += len(large)
			}
			h = wire.AppendNoTags(h, flex)
		}
		h = wire.AppendNoTags(h, flex)
	}
	h = wire.AppendNoTags(h, flex)
	size += len(h)
	binary.BigEndian.PutUint32(h, uint32(size-4))
	req.head = h
	req.gather()
	return size
}

// gather lines the pieces of the frame up for one write.
func (req *request) gather() {
	out, at := req.keep[:0], 0
	for _, c := range req.cuts {
		out = append(out, req.head[at:c.at], c.data)
		at = c.at
	}
	out = append(out, req.head[at:])
	req.keep, req.bufs = out, out
}
