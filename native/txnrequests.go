package native

import (
	"cmp"
	"fmt"
	"slices"

	"kbench/native/wire"
)

// conclude acts on a verdict other than verdictOK.
func (x *transactions) conclude(c *coordinator, verdict txnVerdict, err error) txnPace {
	pr := x.pr
	switch verdict {
	case verdictRetry, verdictFind:
		if verdict == verdictFind {
			c.forget()
		}
		pr.mu.Lock()
		x.trouble = err
		pr.mu.Unlock()
		return later
	}
	var done []*batch
	pr.mu.Lock()
	if verdict == verdictAbortBump {
		verdict = verdictFatal
		if x.v2 || x.bumps {
			x.bump, verdict = x.bump || !x.v2, verdictAbort
		}
	}
	switch verdict {
	case verdictAbort:
		if x.state == txnAborting || x.state == txnAbortable { // as it should be; ask again, if the state still calls for it
			x.trouble = err
			pr.mu.Unlock()
			return later
		}
		x.bump = x.bump || x.state == txnInitializing && pr.id != noID // the new epoch is still to come
		done = x.abortable(err, done)
	case verdictReinit:
		x.identify(noID)
		if x.move(txnUninitialized, nil) {
			x.finishCall(err)
		}
	default:
		done = pr.abandon(err, done)
	}
	pr.mu.Unlock()
	pr.deliver(done)
	return atOnce
}

// current is what requests of the transaction begin with. Producer.mu is not held.
func (x *transactions) current() wire.Txn {
	x.pr.mu.Lock()
	defer x.pr.mu.Unlock()
	return wire.Txn{TransactionalID: x.coordinator.key, ProducerID: x.pr.id.id, Epoch: x.pr.id.epoch}
}

// initProducer asks for a producer id, or for a new epoch of the one that there is (KIP-360).
func (x *transactions) initProducer() txnPace {
	t := x.current()
	p := wire.InitProducer{TransactionalID: t.TransactionalID, TimeoutMS: int32(x.pr.cfg.TransactionTimeout.Milliseconds()),
		ProducerID: t.ProducerID, Epoch: t.Epoch}
	r, _, verdict, err := x.ask(&x.coordinator, apiRange{wire.KeyInitProducerID, 0, 5}, func(dst []byte, v int16) []byte {
		return wire.AppendInitProducer(dst, v, p)
	})
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, err)
	}
	res, err := wire.DecodeInitProducerID(&r)
	if err != nil {
		return x.conclude(&x.coordinator, verdictFind, err)
	}
	if verdict = judge(wire.KeyInitProducerID, res.Code); verdict != verdictOK {
		err := answered("InitProducerId", res.Code)
		if res.Code == codeTransactionTimeout {
			err = fmt.Errorf("transaction.timeout.ms = %d is more than transaction.max.timeout.ms of the broker (900000 by default): %w", p.TimeoutMS, err)
		}
		return x.conclude(&x.coordinator, verdict, err)
	}
	x.pr.mu.Lock()
	defer x.pr.mu.Unlock()
	x.initialized(producerID{res.ProducerID, res.Epoch})
	return atOnce
}

// addPartitions tells the coordinator of partitions, all or none of which it takes.
func (x *transactions) addPartitions() txnPace {
	pr := x.pr
	slices.SortFunc(x.adding, func(p, q *partition) int { return cmp.Compare(p.topic.index, q.topic.index) })
	x.parts = x.parts[:0]
	for _, p := range x.adding {
		x.parts = append(x.parts, wire.TxnPartition{Topic: p.topic.name, Partition: p.id})
	}
	t := x.current()
	before := false
	r, _, verdict, err := x.ask(&x.coordinator, apiRange{wire.KeyAddPartitionsToTxn, 0, 3}, func(dst []byte, v int16) []byte {
		pr.mu.Lock()
		before, x.unsure = x.unsure, true
		pr.mu.Unlock()
		return wire.AppendAddPartitionsToTxn(dst, v, t, x.parts)
	})
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, err)
	}
	results, err := wire.DecodeTxnPartitions(&r)
	if err == nil && len(results) < len(x.adding) {
		err = fmt.Errorf("AddPartitionsToTxn: an answer for %d partitions of %d", len(results), len(x.adding))
	}
	if err != nil {
		return x.conclude(&x.coordinator, verdictFind, err)
	}
	pr.mu.Lock()
	x.unsure = slices.ContainsFunc(results, func(res wire.TxnPartitionResult) bool {
		return doubtful(before, wire.KeyAddPartitionsToTxn, res.Code)
	})
	first := len(x.joined) == len(x.adding)+len(x.fresh)
	pr.mu.Unlock()
	err = nil
	for _, res := range results {
		switch verdict = judge(wire.KeyAddPartitionsToTxn, res.Code); {
		case verdict == verdictOK:
		case verdict == verdictAbort && res.Code != codeTransactionAbortable:
			if err == nil || res.Code != codeNotAttempted { // which only says that another failed
				err = answeredFor("AddPartitionsToTxn", res)
			}
		case res.Code == codeConcurrentTransactions && first:
			x.conclude(&x.coordinator, verdictRetry, answeredFor("AddPartitionsToTxn", res))
			return soon
		default:
			return x.conclude(&x.coordinator, verdict, answeredFor("AddPartitionsToTxn", res))
		}
	}
	if err != nil {
		return x.conclude(&x.coordinator, verdictAbort, err)
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	x.started = true
	now := pr.now()
	for _, p := range x.adding {
		p.txn = inside
		pr.place(p, now)
	}
	x.adding = x.adding[:0]
	return atOnce
}

// firstOffsets is the call whose turn it is; nil if the producer was abandoned meanwhile.
func (x *transactions) firstOffsets() *offsetsCall {
	x.pr.mu.Lock()
	defer x.pr.mu.Unlock()
	if len(x.offsets) == 0 {
		return nil
	}
	return x.offsets[0]
}

// addOffsets tells the coordinator that the transaction has offsets of a group.
func (x *transactions) addOffsets() txnPace {
	pr, t := x.pr, x.current()
	c := x.firstOffsets()
	if c == nil {
		return atOnce
	}
	before := false
	r, _, verdict, err := x.ask(&x.coordinator, apiRange{wire.KeyAddOffsetsToTxn, 0, 4}, func(dst []byte, v int16) []byte {
		pr.mu.Lock()
		before, c.unsure = c.unsure, true
		pr.mu.Unlock()
		return wire.AppendAddOffsetsToTxn(dst, v, t, c.group.Group)
	})
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, err)
	}
	code, err := wire.DecodeAddOffsetsToTxn(&r)
	if err != nil {
		return x.conclude(&x.coordinator, verdictFind, err)
	}
	pr.mu.Lock()
	c.unsure = doubtful(before, wire.KeyAddOffsetsToTxn, code)
	verdict = judge(wire.KeyAddOffsetsToTxn, code)
	if verdict == verdictOK {
		x.started, c.added = true, true
	}
	pr.mu.Unlock()
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, answered("AddOffsetsToTxn", code))
	}
	return atOnce
}

// commitOffsets sends offsets to the group's coordinator.
func (x *transactions) commitOffsets() txnPace {
	pr := x.pr
	c := x.firstOffsets()
	if c == nil {
		return atOnce
	}
	if x.group.key != c.group.Group {
		x.group.forget()
		x.group = coordinator{kind: wire.CoordinatorGroup, key: c.group.Group}
	}
	lowest, highest := int16(0), int16(4)
	if c.group.Member != "" || c.group.Instance != "" {
		lowest = 3
	}
	if c.v2 {
		lowest, highest = 5, 5
	}
	req := wire.TxnOffsetCommit{Txn: x.current(), Group: c.group.Group,
		Generation: c.group.Generation, Member: c.group.Member, Instance: c.group.Instance}
	r, _, verdict, err := x.ask(&x.group, apiRange{wire.KeyTxnOffsetCommit, lowest, highest}, func(dst []byte, v int16) []byte {
		return wire.AppendTxnOffsetCommit(dst, v, req, c.left)
	})
	if verdict != verdictOK {
		return x.conclude(&x.group, verdict, err)
	}
	results, err := wire.DecodeTxnPartitions(&r)
	if err != nil {
		return x.conclude(&x.group, verdictFind, err)
	}
	worst, err := verdictOK, error(nil)
	for _, res := range results {
		switch verdict := judge(wire.KeyTxnOffsetCommit, res.Code); verdict {
		case verdictOK:
			c.left = slices.DeleteFunc(c.left, func(o wire.TxnOffset) bool {
				return o.Partition == res.Partition && o.Topic == string(res.Topic)
			})
		case verdictRetry, verdictFind:
			worst, err = max(worst, verdict), cmp.Or(err, answeredFor("TxnOffsetCommit", res))
		default:
			return x.conclude(&x.group, verdict, answeredFor("TxnOffsetCommit", res))
		}
	}
	if worst == verdictOK && len(c.left) > 0 {
		worst, err = verdictRetry, fmt.Errorf("TxnOffsetCommit: no answer for partition %d of topic %q", c.left[0].Partition, c.left[0].Topic)
	}
	if worst != verdictOK {
		return x.conclude(&x.group, worst, err)
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if len(x.offsets) > 0 && x.offsets[0] == c { // else the producer was abandoned
		x.offsets = x.offsets[1:]
		c.finish(nil)
	}
	return atOnce
}

// end commits or aborts the transaction, of which nothing is on its way any more.
func (x *transactions) end() txnPace {
	pr := x.pr
	pr.mu.Lock()
	v2 := x.v2
	if !x.ending() { // abandoned meanwhile
		pr.mu.Unlock()
		return atOnce
	}
	if err := x.resolveTransaction(); err != nil {
		pr.mu.Unlock()
		return x.conclude(&x.coordinator, verdictFatal, err)
	}
	if !x.started { // the coordinator has nothing to end
		x.complete()
		pr.mu.Unlock()
		return atOnce
	}
	pr.mu.Unlock()
	t := x.current()
	lowest, highest := int16(0), int16(4)
	if v2 {
		lowest, highest = 5, 5
	}
	commit := false
	r, version, verdict, err := x.ask(&x.coordinator, apiRange{wire.KeyEndTxn, lowest, highest}, func(dst []byte, v int16) []byte {
		pr.mu.Lock()
		commit = x.state == txnCommitting // until now it may have been retracted
		x.asked = commit
		pr.mu.Unlock()
		return wire.AppendEndTxn(dst, v, t, commit)
	})
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, err)
	}
	res, err := wire.DecodeEndTxn(&r, version)
	if err != nil {
		return x.conclude(&x.coordinator, verdictFind, err)
	}
	verdict = judge(wire.KeyEndTxn, res.Code)
	if !commit && (verdict == verdictAbort || verdict == verdictAbortBump) {
		verdict = verdictFatal // aborting an abort would go round in circles
	}
	if verdict != verdictOK {
		return x.conclude(&x.coordinator, verdict, answered("EndTxn", res.Code))
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if res.ProducerID >= 0 {
		x.identify(producerID{res.ProducerID, res.Epoch})
	}
	x.complete()
	return atOnce
}
