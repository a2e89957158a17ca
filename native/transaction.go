package native

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kbench/native/wire"
)

// Errors of transactions. Test with errors.Is.
var (
	// ErrNotTransactional: Config.TransactionalID isn't set.
	ErrNotTransactional = errors.New("not a transactional producer: transactional.id isn't set")
	// ErrTransactionState: a call out of turn. Nothing has changed.
	ErrTransactionState = errors.New("not possible in this state of the transaction")
	// ErrTransactionPending: the call goes on, but didn't end within max.block.ms or while ctx lasted. Make the same call again.
	ErrTransactionPending = errors.New("still going on: make the same call again")
	// ErrTransactionAbortable: something of the transaction failed, so that it can't be committed. Call AbortTransaction.
	ErrTransactionAbortable = errors.New("the transaction has to be aborted")
	// ErrTransactionAborted: the end of a record that hadn't been sent when AbortTransaction was called.
	ErrTransactionAborted = errors.New("not sent, because the transaction was aborted")
	// ErrTransactionFatal: the producer can only be closed, and another one opened.
	ErrTransactionFatal = errors.New("the transactional producer can't go on")
	// ErrProducerFenced comes with ErrTransactionFatal: another producer has the same transactional.id, or the transaction
	// took longer than transaction.timeout.ms.
	ErrProducerFenced error = &Error{Code: codeFenced, Name: "PRODUCER_FENCED"}
)

// InitTransactions gets the producer its id, ends what an earlier producer of the same transactional.id left open, and fences
// that one: call it first. KafkaProducer.initTransactions.
func (pr *Producer) InitTransactions(ctx context.Context) error {
	return pr.callTransaction(ctx, "InitTransactions", txnInitializing, func(x *transactions) ([]*batch, error) {
		if err := x.usable(); err != nil {
			return nil, err
		}
		return nil, x.move(txnInitializing, nil)
	})
}

// BeginTransaction opens a transaction. It asks no broker: a transaction begins with its first record or offset.
func (pr *Producer) BeginTransaction() error {
	x := pr.txn
	if x == nil {
		return ErrNotTransactional
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if err := x.idle("BeginTransaction"); err != nil {
		return err
	}
	return x.move(txnOpen, nil)
}

// CommitTransaction sends what is left without lingering, waits until all of the transaction is acknowledged, and commits it.
// Where a record failed, so does this. In the rare case that the producer needs a new epoch afterwards and is refused one, the
// error comes though the transaction is committed.
func (pr *Producer) CommitTransaction(ctx context.Context) error {
	return pr.callTransaction(ctx, "CommitTransaction", txnCommitting, func(x *transactions) ([]*batch, error) {
		if err := x.usable(); err != nil {
			return nil, err
		}
		if err := x.move(txnCommitting, nil); err != nil {
			return nil, err
		}
		pr.sealAll()
		return nil, nil
	})
}

// AbortTransaction fails what wasn't sent with ErrTransactionAborted, waits until what was sent is acknowledged or failed, and
// aborts the transaction: consumers with isolation.level=read_committed won't see it.
func (pr *Producer) AbortTransaction(ctx context.Context) error {
	return pr.callTransaction(ctx, "AbortTransaction", txnAborting, func(x *transactions) ([]*batch, error) {
		if x.state != txnAbortable {
			if err := x.usable(); err != nil {
				return nil, err
			}
		}
		if err := x.move(txnAborting, nil); err != nil {
			return nil, err
		}
		x.fresh = x.fresh[:0] // no need to add them any more
		return pr.dropUnsent(ErrTransactionAborted, nil), nil
	})
}

// GroupMetadata says which consumer of which group offsets are of (KIP-447), so that those of a consumer that lost its
// partitions are refused.
type GroupMetadata struct {
	// Group is the group's id.
	Group string
	// Generation is the consumer's generation, or member epoch; it doesn't count where Member is empty.
	Generation int32
	// Member is the consumer's member id; empty if it has none: its partitions were assigned by hand.
	Member string
	// Instance is its group.instance.id; empty if it has none.
	Instance string
}

// Offset is the offset of the record to be read next in a partition of any topic.
type Offset struct {
	// Topic is the topic's name: not an index into Config.Topics, it needn't be one of these.
	Topic string
	// Partition is the partition's number.
	Partition int32
	// Offset is one more than that of the last record read.
	Offset int64
	// LeaderEpoch is that of the last record read; −1: unknown.
	LeaderEpoch int32
	// Metadata is what the consumer wants to keep with it.
	Metadata string
}

// SendOffsetsToTransaction commits offsets of a consumer group together with the transaction's records: read by the group once
// the transaction is committed, never if it is aborted. It keeps nothing of offsets.
func (pr *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []Offset, group GroupMetadata) error {
	x := pr.txn
	switch {
	case x == nil:
		return ErrNotTransactional
	case group.Member == "" && group.Generation > 0: // KafkaProducer.throwIfInvalidGroupMetadata
		return fmt.Errorf("group %q: generation %d without a member id", group.Group, group.Generation)
	case len(offsets) == 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	c := newOffsetsCall(offsets, group)
	pr.mu.Lock()
	err := x.idle("SendOffsetsToTransaction")
	if err == nil && x.state != txnOpen {
		err = x.outOfTurn("SendOffsetsToTransaction")
	}
	if err == nil {
		c.v2 = x.v2
		x.offsets = append(x.offsets, c)
		x.started = x.started || x.v2 // the group's coordinator adds it (KIP-890)
		x.kick()
	}
	pr.mu.Unlock()
	if err != nil {
		return err
	}
	return pr.awaitTransaction(ctx, &c.txnCall)
}

func newOffsetsCall(offsets []Offset, group GroupMetadata) *offsetsCall {
	if group.Member == "" {
		group.Generation = -1
	}
	c := &offsetsCall{txnCall: txnCall{op: "SendOffsetsToTransaction", done: make(chan struct{})}, group: group}
	for _, o := range offsets {
		c.left = append(c.left, wire.TxnOffset{TxnPartition: wire.TxnPartition{Topic: o.Topic, Partition: o.Partition},
			Offset: o.Offset, LeaderEpoch: o.LeaderEpoch, Metadata: o.Metadata})
	}
	slices.SortStableFunc(c.left, func(a, b wire.TxnOffset) int { return cmp.Compare(a.Topic, b.Topic) })
	return c
}

// txnCall is a call that waits for brokers. Source: TransactionalRequestResult, TransactionManager.PendingStateTransition.
type txnCall struct {
	op    string
	to    txnState      // that it moved to
	done  chan struct{} // closed at its end; err is set before
	err   error
	acked bool // a caller got the result; guarded by Producer.mu
}

// offsetsCall is a call of SendOffsetsToTransaction.
type offsetsCall struct {
	txnCall
	group GroupMetadata
	v2    bool             // the transaction's protocol
	left  []wire.TxnOffset // not committed yet; by topic
	added bool             // AddOffsetsToTxn is done
	// unsure: the answer to AddOffsetsToTxn was lost, so the coordinator may count the group in.
	unsure bool
}

func (c *txnCall) finish(err error) {
	c.err = err
	close(c.done)
}

// callTransaction begins a call and waits for its end; the same call waits for one that is still going on.
// Source: TransactionManager.handleCachedTransactionRequestResult.
func (pr *Producer) callTransaction(ctx context.Context, op string, to txnState, begin func(*transactions) ([]*batch, error)) error {
	x := pr.txn
	if x == nil {
		return ErrNotTransactional
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	pr.mu.Lock()
	c := x.call
	var done []*batch
	var err error
	switch {
	case c == nil || c.acked:
		if done, err = begin(x); err == nil {
			c = &txnCall{op: op, to: to, done: make(chan struct{})}
			x.call = c
			x.kick()
		}
	case c.to != to:
		err = c.unfinished(op)
	}
	pr.mu.Unlock()
	pr.deliver(done)
	if err != nil {
		return err
	}
	return pr.awaitTransaction(ctx, c)
}

// unfinished is the error of a call that isn't the one to be repeated.
func (c *txnCall) unfinished(op string) error {
	return fmt.Errorf("%w: %s before the end of %s, which is to be called again", ErrTransactionState, op, c.op)
}

// awaitTransaction waits for the end of a call.
func (pr *Producer) awaitTransaction(ctx context.Context, c *txnCall) error {
	timer := time.NewTimer(pr.cfg.MaxBlock)
	defer timer.Stop()
	select {
	case <-c.done:
	case <-ctx.Done():
		return fmt.Errorf("%s: %w: %w", c.op, ErrTransactionPending, ctx.Err())
	case <-timer.C:
		return fmt.Errorf("%s: %w: max.block.ms = %d", c.op, ErrTransactionPending, pr.cfg.MaxBlock.Milliseconds())
	}
	pr.mu.Lock()
	c.acked = true
	pr.mu.Unlock()
	return c.err
}

// finishTransaction ends what is open before the producer closes, so that readers needn't wait for transaction.timeout.ms.
// It takes request.timeout.ms at most. Source: Sender.run.
func (pr *Producer) finishTransaction() {
	ctx, cancel := context.WithTimeout(context.Background(), pr.cfg.RequestTimeout)
	defer cancel()
	x := pr.txn
	for range 2 { // a commit that fails is aborted then
		pr.mu.Lock()
		c, state, dead := x.call, x.state, pr.dead
		pending := c != nil && !c.acked
		pr.mu.Unlock()
		var err error
		switch {
		case dead != nil:
			return
		case pending && (state == txnCommitting || state == txnAborting || state == txnAbortable):
			err = pr.awaitTransaction(ctx, c)
		case state == txnOpen || state == txnAbortable:
			err = pr.AbortTransaction(ctx)
		}
		if err == nil || errors.Is(err, ErrTransactionPending) {
			return
		}
	}
}
