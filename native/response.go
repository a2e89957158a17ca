package native

import (
	"fmt"
	"time"

	"kbench/native/wire"
)

// settle ends the stay of b in a request, with the broker's answer or the code that stands for none. Producer.mu is held;
// batches that are to be delivered are appended to done.
func (pr *Producer) settle(b *batch, res wire.ProduceResult, now int64, done []*batch) []*batch {
	p := b.part
	p.sent--
	b.refs--
	if b.expired {
		p.drop(b)
		if b.refs == 0 {
			pr.recycle(b)
		}
		if pr.txn != nil {
			pr.txn.kick() // it may have waited for this one
		}
		return done
	}
	info := lookup(res.Code)
	if info.outcome == acked {
		pr.dist.DeliveryNS.Record(now - b.created)
		if res.Code != codeNone {
			res.BaseOffset = -1
		}
		return pr.succeed(b, res.BaseOffset, done)
	}
	if pr.dead != nil {
		return pr.fail(b, pr.dead, done)
	}
	switch info.outcome {
	case retryRefresh:
		pr.refreshMetadata()
		return pr.retry(b, res, now, done)
	case retry:
		return pr.retry(b, res, now, done)
	case tooLarge:
		if b.count > 1 {
			return pr.split(b, now, done)
		}
	case lostSequence:
		if pr.txn != nil {
			if pr.retriesLost(b, res) {
				return pr.retry(b, res, now, done)
			}
		} else if b.hasSeq {
			if b.id == p.seq.id && (res.Code == codeUnknownProducer || p.misses(b)) {
				p.seq.bump = true
			}
			return pr.retry(b, res, now, done)
		}
	case fatal:
		err := newError(res.Code, string(res.Message))
		return pr.abandon(err, pr.lose(b, err, done))
	}
	return pr.refuseBatch(b, res, done)
}

// succeed ends an acknowledged batch.
func (pr *Producer) succeed(b *batch, offset int64, done []*batch) []*batch {
	p := b.part
	p.drop(b)
	if b.hasSeq && b.id == p.seq.id {
		p.seq.everAcked = true
		p.seq.lastAcked = addSequence(b.sequence, b.count-1)
		if offset >= 0 {
			p.seq.lastOffset = max(p.seq.lastOffset, offset+int64(b.count)-1)
		}
	}
	b.baseOffset = offset
	return pr.end(b, nil, done)
}

// retry queues b to be sent again, or fails it where retries or delivery.timeout.ms are used up.
func (pr *Producer) retry(b *batch, res wire.ProduceResult, now int64, done []*batch) []*batch {
	p := b.part
	if b.attempts > int64(pr.cfg.Retries) {
		return pr.refuseBatch(b, res, done)
	}
	if now >= b.created+int64(pr.cfg.DeliveryTimeout) {
		return pr.fail(b, pr.timedOut(b, res.Code), done)
	}
	b.lastCode = res.Code
	b.state = stateRetry
	p.retries++
	p.retryAt = max(p.retryAt, now+pr.backoff(b.attempts, pr.cfg.RetryBackoff, pr.cfg.RetryBackoffMax))
	pr.stats.Retries++
	if n := pr.nodeOf(p, res.Leader); n != nil && res.LeaderEpoch > p.leaderEpoch {
		pr.lead(p, n, res.LeaderEpoch, now) // KIP-951
	}
	return done
}

// timedOut counts a batch that ran into delivery.timeout.ms, and is its error; code is that of the last attempt, or 0. Batches
// that end for the same reason have the same text, so that a table of errors stays short.
func (pr *Producer) timedOut(b *batch, code int16) error {
	pr.stats.BatchesExpired++
	switch {
	case code != codeNone:
		return fmt.Errorf("%w = %d: the last attempt ended with %w", ErrDeliveryTimeout, pr.cfg.DeliveryTimeout.Milliseconds(), newError(code, ""))
	case b.part.node == nil:
		return fmt.Errorf("%w = %d: the partition has no leader", ErrDeliveryTimeout, pr.cfg.DeliveryTimeout.Milliseconds())
	case b.attempts == 0:
		return fmt.Errorf("%w = %d: never sent", ErrDeliveryTimeout, pr.cfg.DeliveryTimeout.Milliseconds())
	}
	return fmt.Errorf("%w = %d: no answer", ErrDeliveryTimeout, pr.cfg.DeliveryTimeout.Milliseconds())
}

// fail ends an assigned batch that isn't in a request with an error, which a transaction won't survive. What was sent may have
// been written: see sequence.
func (pr *Producer) fail(b *batch, err error, done []*batch) []*batch {
	done = pr.lose(b, err, done)
	if pr.txn != nil {
		done = pr.txn.batchFailed(err, done)
	}
	return done
}

// lose is fail without a word to the transaction.
func (pr *Producer) lose(b *batch, err error, done []*batch) []*batch {
	b.part.drop(b)
	if b.hasSeq {
		b.part.seq.unresolved = true
	}
	return pr.end(b, err, done)
}

// end hands b over to deliver.
func (pr *Producer) end(b *batch, err error, done []*batch) []*batch {
	b.err = err
	return append(done, b)
}

// deliver acknowledges batches and gives them back. Producer.mu is not held.
func (pr *Producer) deliver(done []*batch) {
	if len(done) == 0 {
		return
	}
	defer pr.giveBack(done) // also where a callback panics, in Produce, AbortTransaction or Close: see Interceptor
	pr.ackMu.Lock()
	defer pr.ackMu.Unlock()
	pr.acknowledgeBatches(done)
}

// acknowledgeBatches tells how each batch ended. Producer.ackMu is held.
func (pr *Producer) acknowledgeBatches(done []*batch) {
	defer func() {
		if len(done) > 0 { // a callback panicked: the rest comes all the same
			pr.acknowledgeBatches(done)
		}
	}()
	for len(done) > 0 {
		pr.acknowledgeBatch(done[0])
		done = done[1:]
	}
}

// giveBack takes batches over from deliver.
func (pr *Producer) giveBack(done []*batch) {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	for i, b := range done {
		pr.unfinished--
		b.gen.finished()
		if b.refs--; b.refs == 0 {
			pr.recycle(b)
		}
		done[i] = nil
	}
	if pr.txn != nil && pr.unfinished == 0 {
		pr.txn.kick() // it may be ending
	}
}

// recycle gives a batch back that nobody holds any more.
func (pr *Producer) recycle(b *batch) { pr.mem.give(b) }

// backoff is min(max, initial·2^n·rand[0.8, 1.2]) for the n-th retry, from 0 (KIP-580).
func (pr *Producer) backoff(attempts int64, initial, maximum time.Duration) int64 {
	d := float64(initial)
	for n := int64(1); n < attempts && d < float64(maximum); n++ {
		d *= 2
	}
	d *= 0.8 + 0.4*pr.rng.Float64()
	return int64(min(d, float64(maximum)))
}
