package native

import (
	"time"
)

// expireBatches fails batches that are older than delivery.timeout.ms, wherever they are. As it comes by often, it looks at the wall clock, too.
func (pr *Producer) expireBatches() {
	defer pr.wg.Done()
	tick := time.NewTicker(min(max(pr.cfg.DeliveryTimeout/20, 5*time.Millisecond), 100*time.Millisecond))
	defer tick.Stop()
	var done []*batch
	for {
		select {
		case <-pr.ctx.Done():
			return
		case <-tick.C:
		}
		pr.setWall()
		pr.mu.Lock()
		if pr.unfinished > 0 {
			now := pr.now()
			for _, t := range pr.topics {
				for _, p := range t.partitions {
					done = pr.expire(p, now, done)
				}
			}
		}
		pr.mu.Unlock()
		pr.deliver(done)
		done = done[:0]
	}
}

// expire fails the batches of one partition that are too old. Those in a request are acknowledged now; their buffers
// stay with the request until it settles, and the partition sends nothing new until then.
func (pr *Producer) expire(p *partition, now int64, done []*batch) []*batch {
	before := len(done)
	tooOld := func(b *batch) bool { return b != nil && now >= b.created+int64(pr.cfg.DeliveryTimeout) }
	for i := 0; i < len(p.assigned); {
		b := p.assigned[i]
		if b.expired || !tooOld(b) {
			i++
			continue
		}
		err := pr.timedOut(b, b.lastCode)
		if b.state == stateRetry {
			p.retries--
			done = pr.fail(b, err, done)
			continue
		}
		b.expired = true
		p.seq.unresolved = p.seq.unresolved || b.hasSeq
		done = pr.end(b, err, done)
		if pr.mem.early {
			pr.mem.giveEarly(b)
		}
		i++
	}
	for len(p.queue) > 0 && tooOld(p.queue[0]) {
		done = pr.end(p.queue[0], pr.timedOut(p.queue[0], codeNone), done)
		p.popQueue()
	}
	if tooOld(p.open) {
		p.seal(now)
		done = pr.end(p.queue[0], pr.timedOut(p.queue[0], codeNone), done)
		p.popQueue()
	}
	if len(done) > before {
		if pr.txn != nil {
			done = pr.txn.batchFailed(done[before].err, done)
		}
		pr.place(p, now)
	}
	return done
}
