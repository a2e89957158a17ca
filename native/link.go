package native

import (
	"fmt"
	"sync"
	"time"

	"kbench/native/wire"
)

// link is a connection that produces: one goroutine writes requests, another reads responses.
type link struct {
	*conn
	version int16 // of the Produce API, the highest that both sides speak

	// writing is held while a request is written. A response to a request that isn't completely written yet would let its
	// buffers be reused under the writer; who takes answers waits for the writer first.
	writing sync.Mutex
	done    chan struct{} // closed when the reader ended

	// reading is held by who takes answers: the reader, which waits for them, or the writer, which looks in on its way.
	reading sync.Mutex
	in      *inbox // nil: the reader alone takes them

	settled []*batch             // scratch of whoever settles: who takes answers, or with acks=0 the writer
	answer  wire.ProduceResponse // scratch of who takes answers

	// Guarded by Producer.mu.
	flight     []*request // in the order sent
	spare      []*request
	broken     error // why it can't be used any more
	timedOut   bool
	answered   bool        // a response came
	answeredAt int64       // ns since the start: the last one, or the end of throttling
	answers    chan []byte // not nil while the session is renewed: where responses go instead
}

// Versions of the Produce API: the lowest and highest that this producer speaks, the first with zstd, the last with topics'
// names. From 13 on they have ids, so that what was meant for a deleted topic can't land in a new one of its name (KIP-516).
const (
	produceLowest  = 3
	produceHighest = 13
	produceZstd    = 7
	produceNames   = 12
	// produceTxnV1 is the last version with which a broker expects partitions to have been added to the transaction before
	// (KIP-890). Source: ProduceRequest.LAST_STABLE_VERSION_BEFORE_TRANSACTION_V2.
	produceTxnV1 = 11
)

// newLink connects for producing, within setup.
func (pr *Producer) newLink(addr string, setup time.Duration) (*link, error) {
	c, err := dial(pr.ctx, &pr.cfg, addr, dialing{setup: setup})
	if err != nil {
		return nil, err
	}
	v, err := c.pickProduce(&pr.cfg)
	if err != nil {
		c.nc.Close()
		return nil, err
	}
	pr.learnFeatures(c)
	l := &link{conn: c, version: v, done: make(chan struct{})}
	if l.in = newInbox(c.nc); l.in != nil {
		l.br.Reset(l.in) // nothing is in it: the broker answers only what it was asked
	}
	return l, nil
}

// pickProduce chooses the version of the Produce API.
func (c *conn) pickProduce(cfg *Config) (int16, error) {
	v, err := c.pick(wire.KeyProduce, produceLowest, produceHighest)
	if err == nil && v < produceZstd && cfg.Compression == CompressionZstd {
		err = fmt.Errorf("%s: %w: compression.type zstd needs version %d of Produce, it speaks up to %d", c.addr, ErrUnsupported, produceZstd, v)
	}
	return v, err
}

// breakOff notes the first reason why the link can't be used. Producer.mu is held.
func (l *link) breakOff(err error) {
	if l.broken == nil {
		l.broken = err
	}
}

// spareRequest is an empty request.
func (l *link) spareRequest() *request {
	if n := len(l.spare); n > 0 {
		req := l.spare[n-1]
		l.spare = l.spare[:n-1]
		return req
	}
	return &request{}
}

func (l *link) popFlight() *request {
	req := l.flight[0]
	copy(l.flight, l.flight[1:])
	l.flight[len(l.flight)-1] = nil
	l.flight = l.flight[:len(l.flight)-1]
	return req
}

// recycle makes a settled request a spare one.
func (l *link) recycle(req *request) {
	clear(req.batches)
	req.batches, req.parts = req.batches[:0], req.parts[:0]
	req.written.Store(false)
	l.spare = append(l.spare, req)
}

// read settles requests as their responses arrive, until the connection ends.
func (l *link) read(n *node) {
	defer close(l.done)
	for {
		var err error
		if l.in == nil {
			err = l.takeAnswer(n)
		} else if err = l.in.await(); err == nil {
			l.reading.Lock()
			err = l.takeAnswers(n, true)
			l.reading.Unlock()
		}
		if err != nil {
			n.pr.mu.Lock()
			l.breakOff(err)
			n.kick()
			n.pr.mu.Unlock()
			return
		}
	}
}

// lookIn is what the writer does on its way: it settles the requests whose responses are there, unless the reader is at it.
func (l *link) lookIn(n *node) error {
	if l.in == nil || !l.reading.TryLock() {
		return nil
	}
	defer l.reading.Unlock()
	return l.takeAnswers(n, false)
}

// takeAnswers settles the requests whose responses are there. It doesn't wait, but for the rest of a response that is larger
// than the buffer, and only where that is said: the writer has deadlines to watch. reading is held.
func (l *link) takeAnswers(n *node, waitForRest bool) error {
	l.in.look()
	for {
		switch there, err := l.frameThere(); {
		case err != nil:
			return err
		case there == noFrame, there == largeFrame && !waitForRest:
			return nil
		}
		l.in.waits = true
		err := l.takeAnswer(n)
		l.in.waits = false
		if err != nil {
			return err
		}
	}
}

// takeAnswer reads one response and settles its request.
func (l *link) takeAnswer(n *node) error {
	frame, err := l.readFrame()
	if err != nil {
		return err
	}
	return l.handle(n, frame)
}

// handle settles the first request in flight with its response.
func (l *link) handle(n *node, frame []byte) error {
	pr := n.pr
	correlation, body := wire.ResponseBody(frame, wire.KeyProduce, l.version)
	var req *request
	pr.mu.Lock()
	if l.answers != nil {
		defer pr.mu.Unlock()
		return l.pass(frame)
	}
	if len(l.flight) > 0 && pr.cfg.Acks != 0 { // with acks=0 it is the writer's
		req = l.flight[0]
	}
	pr.mu.Unlock()
	if req == nil || req.correlation != correlation {
		return fmt.Errorf("%w: an answer to request %d, which wasn't asked", wire.ErrMalformed, correlation)
	}
	if !req.written.Load() {
		l.writing.Lock() // the writer is about to say that it's done
		//lint:ignore SA2001 only waits for the writer
		l.writing.Unlock()
		if !req.written.Load() {
			return fmt.Errorf("%w: an answer to request %d before its end", wire.ErrMalformed, correlation)
		}
	}
	if err := wire.DecodeProduce(&body, req.version, &l.answer); err != nil {
		return err
	}
	pr.mu.Lock()
	now := pr.now()
	l.popFlight()
	pr.noteAnswer(l, req, now)
	l.answered, n.failures = true, 0
	if ms := l.answer.ThrottleMS; ms > 0 {
		n.throttle(l, now, int64(ms)*1e6)
	}
	pr.meetLeaders(req, &l.answer)
	l.settled = pr.settleResults(req, l.answer.Results, now, l.settled)
	l.recycle(req)
	if n.ready.head != nil {
		n.kick()
	}
	pr.mu.Unlock()
	pr.deliver(l.settled)
	l.settled = l.settled[:0]
	return nil
}

// throttle stops sending for the time that the broker asked for, which doesn't count towards request.timeout.ms (KIP-219).
func (n *node) throttle(l *link, now, ns int64) {
	n.resumeAt = max(n.resumeAt, now+ns)
	n.pr.stats.ThrottleNS += ns
	l.answeredAt = max(l.answeredAt, now+ns)
	for _, req := range l.flight {
		req.deadline += ns
	}
}

// settleResults settles a request's batches with the broker's answer for each. Producer.mu is held.
func (pr *Producer) settleResults(req *request, results []wire.ProduceResult, now int64, done []*batch) []*batch {
	for _, b := range req.batches {
		b.part.settling = b
	}
	for _, res := range results {
		p := pr.partitionOf(req, &res)
		if p == nil {
			continue // not asked: ignore
		}
		if b := p.settling; b != nil {
			p.settling = nil
			done = pr.settle(b, res, now, done)
		}
	}
	for _, p := range req.parts {
		if b := p.settling; b != nil { // not answered
			p.settling = nil
			done = pr.settle(b, noAnswer(codeUnknownServer), now, done)
		}
		pr.place(p, now)
	}
	return done
}

// partitionOf is the partition that a result is about; nil: there is none. Producer.mu is held.
func (pr *Producer) partitionOf(req *request, res *wire.ProduceResult) *partition {
	t := pr.byName[string(res.Topic)]
	if req.version > produceNames {
		t = pr.byID[res.TopicID]
	}
	if t == nil || res.Partition < 0 || int(res.Partition) >= len(t.partitions) {
		return nil
	}
	return t.partitions[res.Partition]
}

// settleAll settles a request's batches with one code. Producer.mu is held.
func (pr *Producer) settleAll(req *request, code int16, now int64, done []*batch) []*batch {
	for _, b := range req.batches {
		done = pr.settle(b, noAnswer(code), now, done)
	}
	for _, p := range req.parts {
		pr.place(p, now)
	}
	return done
}

// noAnswer stands for a broker's answer where there was none.
func noAnswer(code int16) wire.ProduceResult {
	return wire.ProduceResult{Code: code, BaseOffset: -1, Leader: -1, LeaderEpoch: -1}
}
