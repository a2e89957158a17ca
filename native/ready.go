package native

// pick says which batch of p would be sent now, without taking it, or nil. An open batch is picked only when it is the
// turn of new batches; the caller decides whether it has lingered enough.
// Source of the order rules: RecordAccumulator.shouldStopDrainBatchesForPartition.
func (pr *Producer) pick(p *partition, now int64) *batch {
	if p.retries > 0 && p.retryAt > now {
		return nil
	}
	if pr.txn != nil && p.txn != inside { // RecordAccumulator.shouldStopDrainBatchesForPartition
		return nil
	}
	ordered := pr.cfg.EnableIdempotence || pr.cfg.MaxInFlight == 1
	if p.seq.gap {
		if p.sent > 0 {
			return nil
		}
		p.moveUp()
	}
	if p.seq.bump && (p.sent > 0 || !pr.bump(p)) {
		return nil
	}
	if p.retries > 0 {
		if !ordered {
			return p.firstRetry()
		}
		if b := p.assigned[0]; b.state == stateRetry {
			return b
		}
		return nil // wait for the one before it
	}
	if pr.cfg.EnableIdempotence {
		if !pr.adopt(p) || !pr.resolve(p) || !p.seq.everAcked && p.sent > 0 {
			return nil
		}
	}
	if ordered && p.sent >= pr.cfg.MaxInFlight {
		return nil
	}
	if len(p.queue) > 0 {
		return p.queue[0]
	}
	return p.open
}

// place puts p where it belongs after any change: ready, lingering, backing off, or nowhere, if it has nothing to send or
// must wait for a response or a leader first.
func (pr *Producer) place(p *partition, now int64) {
	n := p.node
	if n == nil || !p.waits() {
		p.unlink()
		return
	}
	b := pr.pick(p, now)
	switch {
	case b == nil && p.retries > 0 && p.retryAt > now:
		pr.putTimed(p, &n.delayed, p.retryAt)
	case b == nil:
		p.unlink()
	case b.state != stateOpen || pr.urgent() || b.created+pr.linger <= now:
		pr.putReady(p)
	default:
		pr.putTimed(p, &n.lingering, b.created+pr.linger)
	}
}

// urgent says that batches don't linger: a flush runs, memory is exhausted, or a transaction ends.
func (pr *Producer) urgent() bool {
	return pr.flushing > 0 || len(pr.mem.waiting) > 0 || pr.txn != nil && pr.txn.ending()
}

func (pr *Producer) putReady(p *partition) {
	n := p.node
	if p.list != &n.ready {
		p.unlink()
		n.ready.pushBack(p)
	}
	if n.canSend() {
		n.kick()
	}
}

func (pr *Producer) putTimed(p *partition, l *partList, due int64) {
	if p.list == l && p.due == due {
		return
	}
	p.unlink()
	p.due = due
	l.insertTimed(p)
	if l.head == p {
		p.node.kick() // its timer is set later, or not at all
	}
}

// promote moves partitions whose time has come to the ready list.
func (pr *Producer) promote(n *node, now int64) {
	for p := n.delayed.head; p != nil && p.due <= now; p = n.delayed.head {
		p.unlink()
		pr.place(p, now)
	}
	urgent := pr.urgent()
	for p := n.lingering.head; p != nil && (urgent || p.due <= now); p = n.lingering.head {
		p.unlink()
		pr.putReady(p)
	}
}

// hurry makes every node look at once, because batches stop lingering.
func (pr *Producer) hurry() {
	for _, conns := range pr.nodes {
		for _, n := range conns {
			if n.lingering.head != nil {
				n.kick()
			}
		}
	}
}
