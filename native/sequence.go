package native

// producerID is an idempotent producer's identity; id −1: not idempotent.
type producerID struct {
	id    int64
	epoch int16
}

// noID is the identity of batches that aren't idempotent.
var noID = producerID{-1, -1}

const maxEpoch = 1<<15 - 1

// sequence is a partition's idempotent state. Guarded by Producer.mu.
//
// A batch gets identity and sequence when it is drained first, and keeps both on every retry, so that the broker knows it
// again. When the broker says that it lost count, the partition waits until nothing of it is in a request, then takes a new
// epoch and counts from 0 (Kafka: TransactionManager.requestIdempotentEpochBumpForPartition).
//
// A batch that had been sent and failed here leaves its sequence unresolved: it may be in the log or not, and so may those
// behind it whose answers were lost. They are sent again as they were, or the broker would write them a second time. If one
// is acknowledged, the failed one is there and the count goes on; if the broker misses the failed one, or nothing is left to
// send again, a new epoch begins. Without that, the next batch could be taken for the failed one (franz-go #1484).
type sequence struct {
	id        producerID
	next      int32 // sequence of the next new batch
	lastAcked int32 // sequence of the last acknowledged record; −1: none
	everAcked bool  // a batch of this identity was acknowledged: KAFKA-15591
	bump      bool  // take a new epoch before anything else is sent, and renumber what is to be sent again
	// unresolved: send no new batches until those before them ended (Kafka: hasUnresolvedSequence).
	unresolved bool
	// gap: a batch of a transaction was refused, and those behind it take its sequences before anything is sent.
	gap        bool
	lastOffset int64 // of the last acknowledged record; −1: none
}

// addSequence wraps at 2^31.
func addSequence(seq, n int32) int32 { return int32(uint32(seq+n) & (1<<31 - 1)) }

func (s *sequence) restart(id producerID) {
	*s = sequence{id: id, lastAcked: -1, lastOffset: -1}
}

// assign gives a batch its identity and sequence at its first drain.
func (pr *Producer) assign(p *partition, b *batch) {
	if !pr.cfg.EnableIdempotence {
		b.id, b.sequence = noID, -1
		return
	}
	b.id, b.sequence, b.hasSeq = p.seq.id, p.seq.next, true
	p.seq.next = addSequence(p.seq.next, b.count)
}

// bump takes a new epoch for a partition that has nothing in a request, and renumbers what it has to send again.
// It reports false when the epochs are used up and a new producer id is on its way. In a transaction the epoch stays: only the
// coordinator gives another one, and the broker counts from 0 again because it forgot the producer.
func (pr *Producer) bump(p *partition) bool {
	if pr.txn != nil {
		last := p.seq.lastOffset
		p.seq.restart(pr.id)
		p.seq.lastOffset = last
		p.renumber()
		return true
	}
	if pr.id.epoch == maxEpoch {
		pr.needID = true
		pr.refreshMetadata()
	}
	if pr.needID {
		return false
	}
	pr.id.epoch++
	p.seq.restart(pr.id)
	p.renumber()
	return true
}

// adopt moves a partition without unfinished batches to the producer's current identity. It reports false if the
// partition may not take new batches yet.
func (pr *Producer) adopt(p *partition) bool {
	if p.seq.id == pr.id {
		return true
	}
	if len(p.assigned) > 0 || pr.needID {
		return false
	}
	p.seq.restart(pr.id)
	return true
}

// resolve ends the wait for unresolved sequences once everything that was sent has ended: the count goes on where the last
// batch was acknowledged, or a new epoch begins. It reports false if the partition may not take new batches yet.
// Source: TransactionManager.maybeResolveSequences.
func (pr *Producer) resolve(p *partition) bool {
	switch {
	case !p.seq.unresolved:
		return true
	case len(p.assigned) > 0:
		return false
	case p.seq.next == addSequence(p.seq.lastAcked, 1):
		p.seq.unresolved = false
		return true
	case pr.txn != nil: // it is to be aborted: see resolveTransaction
		return false
	}
	return pr.bump(p)
}

// misses says whether OUT_OF_ORDER_SEQUENCE_NUMBER for b means that the broker lacks for good what was before b: then it has
// nothing behind it either. Otherwise only a batch before b is to come yet. Behind a failed one it takes two answers in a
// row: the first may be ahead of requests on a connection that was given up, which a broker that stalled still reads.
func (p *partition) misses(b *batch) bool {
	return p.seq.isNext(b) || p.seq.unresolved && p.assigned[0] == b && b.lastCode == codeOutOfOrder
}

// isNext says whether b is what the broker should expect next.
func (s *sequence) isNext(b *batch) bool {
	return b.id == s.id && b.sequence == addSequence(s.lastAcked, 1)
}
