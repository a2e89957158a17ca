package native

import (
	"fmt"
	"math"
	"time"

	"kbench/native/auth"
)

// never is a time that doesn't come.
const never = math.MaxInt64

// node is one broker: the partitions that it leads and the goroutine that sends to it.
type node struct {
	pr    *Producer
	id    int32
	wake  chan struct{} // of capacity 1
	timer *time.Timer   // of its goroutine
	comp  *compressor   // of its goroutine

	// Guarded by Producer.mu.
	addr      string
	ready     partList // something to send now
	lingering partList // by the end of linger.ms
	delayed   partList // by the end of the retry backoff
	link      *link    // nil: not connected
	failures  int64    // to connect, in a row
	connectAt int64    // not before
	resumeAt  int64    // not before: throttled (KIP-219)
	sleeping  bool
	drainedAt int64 // when it last took a batch, or had nothing ready
}

func (pr *Producer) newNode(id int32, addr string) *node {
	n := &node{pr: pr, id: id, addr: addr, wake: make(chan struct{}, 1), timer: time.NewTimer(time.Hour), comp: newCompressor(&pr.cfg)}
	pr.wg.Add(1)
	go n.run()
	return n
}

// canSend says whether waking the node's goroutine would do any good.
func (n *node) canSend() bool {
	return n.link == nil || n.link.broken != nil || len(n.link.flight) < n.pr.cfg.MaxInFlight
}

// stalled says whether it had something ready for longer than timeout without sending any.
func (n *node) stalled(now, timeout int64) bool {
	return n.ready.head != nil && now-n.drainedAt > timeout
}

// kick wakes its goroutine. Producer.mu is held.
func (n *node) kick() {
	if n.sleeping {
		n.sleeping = false
		n.wake <- struct{}{}
	}
}

// interrupt makes a blocked read or write return. Producer.mu is held.
func (n *node) interrupt() {
	if n.link != nil {
		n.link.nc.Close()
	}
}

// sleep waits until kicked, or a time. Producer.mu is held on entry and on return.
func (n *node) sleep(now, until int64) {
	n.sleeping = true
	n.pr.mu.Unlock()
	if until == never {
		select {
		case <-n.wake:
		case <-n.pr.ctx.Done():
		}
	} else {
		n.timer.Reset(time.Duration(max(0, until-now)))
		select {
		case <-n.wake:
		case <-n.timer.C:
		case <-n.pr.ctx.Done():
		}
		n.timer.Stop()
	}
	n.pr.mu.Lock()
	if !n.sleeping { // kicked, perhaps after the timer
		select {
		case <-n.wake:
		default:
		}
	}
	n.sleeping = false
}

// run is the node's goroutine: it connects when there is something to send, and sends until the connection ends.
func (n *node) run() {
	pr := n.pr
	defer pr.wg.Done()
	for n.awaitWork() {
		pr.mu.Lock()
		addr := n.addr
		pr.mu.Unlock()
		l, err := pr.newLink(addr, n.setupTimeout())
		if err != nil {
			if auth.Permanent(err) {
				pr.refusedBy(err)
			}
			n.postpone()
			continue
		}
		go l.read(n)
		pr.mu.Lock()
		n.link = l
		pr.stats.Connections++
		if pr.ctx.Err() != nil {
			n.interrupt()
		}
		pr.mu.Unlock()
		n.serve(l)
		n.disconnect(l)
	}
}

// awaitWork waits until there is something to send and connecting is allowed. It reports false when the producer closes.
func (n *node) awaitWork() bool {
	pr := n.pr
	pr.mu.Lock()
	defer pr.mu.Unlock()
	for pr.ctx.Err() == nil {
		now := pr.now()
		pr.promote(n, now)
		at := int64(never)
		if n.ready.head != nil {
			if n.connectAt <= now {
				return true
			}
			at = n.connectAt
		}
		n.sleep(now, min(at, n.nextTimed()))
	}
	return false
}

// nextTimed is when the next partition stops lingering or backing off.
func (n *node) nextTimed() int64 {
	at := int64(never)
	if p := n.lingering.head; p != nil {
		at = p.due
	}
	if p := n.delayed.head; p != nil {
		at = min(at, p.due)
	}
	return at
}

// setupTimeout is how long the next attempt to connect may take: it grows with the attempts that failed in a row, by the
// same rule as a backoff (KIP-601).
func (n *node) setupTimeout() time.Duration {
	pr := n.pr
	pr.mu.Lock()
	defer pr.mu.Unlock()
	first := pr.cfg.SocketSetupTimeout
	if n.failures == 0 {
		return first
	}
	return time.Duration(pr.backoff(n.failures+1, first, max(first, pr.cfg.SocketSetupTimeoutMax)))
}

// postpone backs off after a connection that couldn't be made.
func (n *node) postpone() {
	pr := n.pr
	pr.mu.Lock()
	n.failures++
	n.connectAt = pr.now() + pr.backoff(n.failures, pr.cfg.ReconnectBackoff, pr.cfg.ReconnectBackoffMax)
	pr.refreshMetadata() // the leader may be elsewhere by now
	pr.mu.Unlock()
}

// serve sends on a connection until it breaks, idles too long or the producer closes.
func (n *node) serve(l *link) {
	pr := n.pr
	pr.mu.Lock()
	defer pr.mu.Unlock()
	lastUsed := pr.now()
	looked := false // for answers, since it slept or sent
	for pr.ctx.Err() == nil && l.broken == nil {
		now := pr.now()
		pr.promote(n, now)
		until := n.nextTimed()
		switch {
		case n.ready.head == nil:
			n.drainedAt = now
		case len(l.flight) >= pr.cfg.MaxInFlight && !looked:
			looked = true
			n.use(l, func() error { return l.lookIn(n) })
			continue
		case len(l.flight) >= pr.cfg.MaxInFlight: // woken by the reader
		case n.resumeAt > now:
			until = min(until, n.resumeAt)
		case l.sessionEnds() && len(l.flight) > 0: // woken by the reader
		case l.sessionEnds():
			n.use(l, func() error { return l.renew(pr) })
			continue
		default:
			if req := n.drain(l, now); req != nil {
				lastUsed, n.drainedAt, looked = now, now, false
				n.use(l, func() error { return l.send(n, req) })
			}
			continue
		}
		if len(l.flight) > 0 {
			deadline := l.flight[0].deadline
			if deadline <= now {
				l.breakOff(fmt.Errorf("no response within request.timeout.ms = %v", pr.cfg.RequestTimeout))
				l.timedOut = true
				return
			}
			until = min(until, deadline)
		}
		if idle := int64(pr.cfg.ConnectionsMaxIdle); idle > 0 {
			left := lastUsed + idle - now
			if left <= 0 && len(l.flight) == 0 {
				return
			}
			if left <= 0 {
				left = idle // the last answer won't wake this goroutine
			}
			until = min(until, now+left)
		}
		n.sleep(now, until)
		looked = false
	}
}

// use does something with a connection, whose end it is if that fails. Producer.mu is held on entry and on return, not meanwhile.
func (n *node) use(l *link, do func() error) {
	n.pr.mu.Unlock()
	err := do()
	n.pr.mu.Lock()
	if err != nil {
		l.breakOff(err)
	}
}

// disconnect closes a connection and settles what was in flight. It runs on the goroutine that writes, and joins the one
// that reads: from then on nobody holds the batches' buffers but the producer.
func (n *node) disconnect(l *link) {
	l.nc.Close()
	<-l.done
	pr := n.pr
	pr.mu.Lock()
	n.link = nil
	now := pr.now()
	var done []*batch
	if l.broken != nil {
		if l.answered {
			n.failures = 0
		}
		n.failures++
		n.connectAt = now + pr.backoff(n.failures, pr.cfg.ReconnectBackoff, pr.cfg.ReconnectBackoffMax)
		pr.refreshMetadata()
	}
	for len(l.flight) > 0 {
		req := l.popFlight()
		code := int16(codeNetwork)
		if l.timedOut && req.deadline <= now {
			code = codeRequestTimedOut
		}
		done = pr.settleAll(req, code, now, done)
	}
	pr.mu.Unlock()
	pr.deliver(done)
}
