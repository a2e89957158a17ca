package native

import "kbench/native/wire"

// join makes p a partition of the transaction before its first batch. With transaction.version 2 the partition's leader tells
// the coordinator (KIP-890), before that the producer has to. Source: TransactionManager.maybeAddPartition.
func (x *transactions) join(p *partition) {
	if p.txn != outside {
		return
	}
	x.joined = append(x.joined, p)
	if x.v2 {
		p.txn = inside
		x.started = true
		return
	}
	p.txn = joining
	x.fresh = append(x.fresh, p)
	x.kick()
}

// ending says that batches don't linger. Source: RecordAccumulator.batchReady.
func (x *transactions) ending() bool { return x.state == txnCommitting || x.state == txnAborting }

// rested says that nothing of the transaction is on its way any more, neither a batch that waits for its end nor one whose
// records were failed but that a connection may still be writing: at a broker it mustn't come behind the transaction's end.
func (x *transactions) rested() bool {
	if x.pr.unfinished > 0 {
		return false
	}
	for _, p := range x.joined {
		if p.sent > 0 {
			return false
		}
	}
	return true
}

// batchFailed notes that a batch of the transaction failed. A new epoch is asked for after the transaction's end, also where
// it is ending already, which Java's client leaves out: there the request for it would be missing.
// Source: TransactionManager.maybeTransitionToErrorState, needToTriggerEpochBumpFromClient.
func (x *transactions) batchFailed(err error, done []*batch) []*batch {
	if x.pr.dead != nil {
		return done
	}
	x.bump = x.bump || x.bumps && !x.v2
	return x.abortable(err, done)
}

// recordRefused notes that Produce refused a record of the transaction, which can't be committed without it. Producer.mu is
// held; the batches to deliver are returned. Source: KafkaProducer.doSend, TransactionManager.maybeTransitionToErrorState.
func (x *transactions) recordRefused(err error) []*batch {
	if x.state != txnOpen || x.pr.dead != nil {
		return nil // not a record of it: it ended while Produce waited
	}
	return x.abortable(err, nil)
}

// dropUnsent fails every batch that was never sent. Producer.mu is held; the batches to deliver are appended to done.
// Source: RecordAccumulator.abortUndrainedBatches.
func (pr *Producer) dropUnsent(err error, done []*batch) []*batch {
	now := pr.now()
	for _, p := range pr.txn.joined {
		if p.open != nil {
			p.seal(now)
		}
		for len(p.queue) > 0 {
			done = pr.end(p.popQueue(), err, done)
		}
		pr.place(p, now)
	}
	return done
}

// retriesLost says whether a batch of a transaction is sent again though the broker doesn't have what is before it.
// Source: TransactionManager.canRetry.
func (pr *Producer) retriesLost(b *batch, res wire.ProduceResult) bool {
	s := &b.part.seq
	if res.Code == codeOutOfOrder {
		return !s.unresolved && (b.renumbered || !s.isNext(b)) // one before it is still to come
	}
	switch {
	case res.LogStart < 0: // the leader moved away before it could say more
		return true
	case b.renumbered:
		return true
	case s.lastOffset < res.LogStart: // retention removed what the producer wrote, and the broker forgot the producer with it
		s.bump = true
		return true
	}
	s.bump = true // it counts from 0 after this
	return false
}

// refuseInTransaction fails a batch of a transaction that the broker has answered for good: it isn't in the log, so those
// behind it move up. Source: TransactionManager.handleFailedBatch, TxnPartitionEntry.adjustSequencesDueToFailedBatch.
func (pr *Producer) refuseInTransaction(b *batch, code int16, err error, done []*batch) []*batch {
	if code == codeUnknownServer || b.attempts > int64(pr.cfg.Retries) { // it may be in the log
		return pr.fail(b, err, done)
	}
	p := b.part
	p.drop(b)
	p.seq.gap = b.id == p.seq.id
	return pr.txn.batchFailed(err, pr.end(b, err, done))
}

// moveUp numbers what is to be sent again from the last acknowledged record on. Nothing of p is in a request.
func (p *partition) moveUp() {
	s := &p.seq
	s.gap = false
	s.next = addSequence(s.lastAcked, 1)
	p.renumber()
}

// renumber gives the assigned batches the sequences from next on.
func (p *partition) renumber() {
	s := &p.seq
	for _, b := range p.assigned {
		b.id, b.sequence, b.renumbered = s.id, s.next, true
		s.next = addSequence(s.next, b.count)
	}
}

// resolveTransaction settles the sequences of partitions that rest. It is an error if one of them is unknown for good and the
// coordinator has no new epoch to give. Source: TransactionManager.maybeResolveSequences.
func (x *transactions) resolveTransaction() error {
	for _, p := range x.joined {
		s := &p.seq
		switch {
		case s.unresolved && s.next != addSequence(s.lastAcked, 1): // before s.bump, which would count anew within the epoch
			if !x.v2 && !x.bumps {
				return errUnresolved
			}
			x.bump = x.bump || !x.v2
		case s.bump:
			x.pr.bump(p)
		case s.gap:
			p.moveUp()
		}
		s.unresolved = false
	}
	return nil
}
