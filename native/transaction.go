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
	// The error names what went wrong last, and wraps it, if something did: what a coordinator keeps answering, for example.
	// AbortTransaction gives up a SendOffsetsToTransaction that goes on, and most often a CommitTransaction.
	ErrTransactionPending = errors.New("still going on: make the same call again")
	// ErrTransactionAbortable: something of the transaction failed, so that it can't be committed. Call AbortTransaction. That
	// may tell then of a failure that no abort heals: see ErrProducerFenced.
	ErrTransactionAbortable = errors.New("the transaction has to be aborted")
	// ErrTransactionAborted: the end of a record that hadn't been sent when AbortTransaction was called, and of another call
	// that AbortTransaction gave up.
	ErrTransactionAborted = errors.New("not sent, because the transaction was aborted")
	// ErrTransactionFatal: the producer can only be closed, and another one opened.
	ErrTransactionFatal = errors.New("the transactional producer can't go on")
	// ErrProducerFenced comes with ErrTransactionFatal: another producer has the same transactional.id, or the transaction
	// took longer than transaction.timeout.ms. Partitions' leaders don't know which of these it was, nor whether a new epoch
	// would help, and answer INVALID_PRODUCER_EPOCH: where a record meets that first, the transaction is ErrTransactionAbortable,
	// and AbortTransaction, which asks the coordinator, is the call that fails with ErrProducerFenced (KIP-588; Java's client
	// does the same). It comes for neither, rarely, where a coordinator gave the producer a new epoch and ended before it said so:
	// its successor doesn't know that (KIP-360; Java's client meets the same). Whatever it was, only a new producer can go on;
	// what was committed stays, and InitTransactions of the new one aborts what was open.
	ErrProducerFenced error = &Error{Code: codeFenced, Name: "PRODUCER_FENCED"}
)

// InitTransactions gets the producer its id, ends what an earlier producer of the same transactional.id left open, and fences
// that one: call it first. KafkaProducer.initTransactions.
func (pr *Producer) InitTransactions(ctx context.Context) error {
	return pr.callTransaction(ctx, "InitTransactions", txnInitializing, func(x *transactions) ([]*batch, error) {
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
// error comes though the transaction is committed, and says so.
func (pr *Producer) CommitTransaction(ctx context.Context) error {
	return pr.callTransaction(ctx, "CommitTransaction", txnCommitting, func(x *transactions) ([]*batch, error) {
		if err := x.move(txnCommitting, nil); err != nil {
			return nil, err
		}
		pr.sealAll()
		return nil, nil
	})
}

// AbortTransaction fails what wasn't sent with ErrTransactionAborted, waits until what was sent is acknowledged or failed, and
// aborts the transaction: consumers with isolation.level=read_committed won't see it. It gives up what goes on behind the
// scenes (ErrTransactionPending): offsets, and a commit that the coordinator hasn't been asked for, because it waits for
// records or offsets. Once the coordinator was asked, CommitTransaction has to be called again.
func (pr *Producer) AbortTransaction(ctx context.Context) error {
	return pr.abortTransaction(ctx, opAbort)
}

// abortTransaction is AbortTransaction for itself and for Close.
func (pr *Producer) abortTransaction(ctx context.Context, op string) error {
	return pr.callTransaction(ctx, op, txnAborting, func(x *transactions) ([]*batch, error) {
		gone := ErrTransactionAborted
		if x.state == txnAbortable {
			gone = x.failure()
		}
		if err := x.move(txnAborting, nil); err != nil {
			return nil, err
		}
		x.asked, x.trouble = false, nil // of what is given up
		x.finishCall(gone)              // a commit
		x.fresh = x.fresh[:0]           // no need to add them any more
		return pr.dropUnsent(ErrTransactionAborted, nil), nil
	})
}

// Names of calls that are told apart by them.
const (
	opAbort = "AbortTransaction"
	opClose = "Close"
)

// GroupMetadata says which consumer of which group offsets are of (KIP-447), so that those of a consumer that lost its
// partitions are refused.
type GroupMetadata struct {
	// Group is the group's id.
	Group string
	// Generation is the consumer's generation, or member epoch; it is 0 or less where Member is empty.
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

// check reports what can't be an offset. Source: OffsetAndMetadata, for the offset; a topic or partition that can't exist would
// be tried again and again.
func (o *Offset) check() error {
	switch {
	case o.Topic == "":
		return fmt.Errorf("%w: the topic is empty", ErrArgument)
	case o.Partition < 0:
		return fmt.Errorf("%w: partition %d of topic %q is negative", ErrArgument, o.Partition, o.Topic)
	case o.Offset < 0:
		return fmt.Errorf("%w: offset %d for partition %d of topic %q is negative", ErrArgument, o.Offset, o.Partition, o.Topic)
	case max(len(o.Topic), len(o.Metadata)) > maxString:
		return fmt.Errorf("%w: a topic or metadata of more than %d bytes", ErrArgument, maxString)
	case o.LeaderEpoch < -1:
		return fmt.Errorf("%w: leader epoch %d for partition %d of topic %q is below -1, which stands for none",
			ErrArgument, o.LeaderEpoch, o.Partition, o.Topic)
	}
	return nil
}

// SendOffsetsToTransaction commits offsets of a consumer group together with the transaction's records: read by the group once
// the transaction is committed, never if it is aborted. It keeps nothing of offsets. Those of a topic or partition that
// doesn't exist are tried for as long as the transaction lasts, since it may be new: the error is ErrTransactionPending, which
// wraps ErrUnknownTopic then.
func (pr *Producer) SendOffsetsToTransaction(ctx context.Context, offsets []Offset, group GroupMetadata) error {
	x := pr.txn
	switch {
	case x == nil:
		return ErrNotTransactional
	case group.Group == "":
		return fmt.Errorf("GroupMetadata.Group: %w: it is empty, want the group's id", ErrArgument)
	case max(len(group.Group), len(group.Member), len(group.Instance)) > maxString:
		return fmt.Errorf("GroupMetadata: %w: a text of more than %d bytes", ErrArgument, maxString)
	case group.Member == "" && group.Generation > 0: // KafkaProducer.throwIfInvalidGroupMetadata
		return fmt.Errorf("GroupMetadata of group %q: %w: generation %d without a member id", group.Group, ErrArgument, group.Generation)
	case len(offsets) == 0:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	for i := range offsets {
		if err := offsets[i].check(); err != nil {
			return fmt.Errorf("offsets[%d]: %w", i, err)
		}
	}
	c := newOffsetsCall(offsets, group)
	pr.mu.Lock()
	err := x.idle("SendOffsetsToTransaction")
	if err == nil && x.state != txnOpen {
		err = x.outOfTurn("SendOffsetsToTransaction")
	}
	if err == nil {
		c = x.enqueue(c)
	}
	pr.mu.Unlock()
	if err != nil {
		return err
	}
	return pr.awaitTransaction(ctx, &c.txnCall)
}

// enqueue puts a call at the end of the queue. The same one that is there already is waited for again.
func (x *transactions) enqueue(c *offsetsCall) *offsetsCall {
	for _, other := range x.offsets {
		if other.group == c.group && slices.Equal(other.all, c.all) {
			return other
		}
	}
	c.v2 = x.v2
	x.offsets = append(x.offsets, c)
	x.started = x.started || x.v2 // the group's coordinator adds it (KIP-890)
	x.kick()
	return c
}

func newOffsetsCall(offsets []Offset, group GroupMetadata) *offsetsCall {
	if group.Member == "" {
		group.Generation = -1
	}
	c := &offsetsCall{txnCall: txnCall{op: "SendOffsetsToTransaction", done: make(chan struct{})}, group: group}
	for _, o := range offsets {
		c.all = append(c.all, wire.TxnOffset{TxnPartition: wire.TxnPartition{Topic: o.Topic, Partition: o.Partition},
			Offset: o.Offset, LeaderEpoch: o.LeaderEpoch, Metadata: o.Metadata})
	}
	slices.SortStableFunc(c.all, func(a, b wire.TxnOffset) int { return cmp.Compare(a.Topic, b.Topic) })
	c.left = slices.Clone(c.all)
	return c
}

// txnCall is a call that waits for brokers. Source: TransactionalRequestResult, TransactionManager.PendingStateTransition.
type txnCall struct {
	op    string
	to    txnState      // that it moved to
	done  chan struct{} // closed at its end; err is set before
	err   error
	ended bool // the transaction has ended as asked, only a new epoch is to come; guarded by Producer.mu
	acked bool // a caller got the result; guarded by Producer.mu
}

// offsetsCall is a call of SendOffsetsToTransaction.
type offsetsCall struct {
	txnCall
	group GroupMetadata
	v2    bool             // the transaction's protocol
	all   []wire.TxnOffset // by topic
	left  []wire.TxnOffset // not committed yet
	added bool             // AddOffsetsToTxn is done
	// unsure: the coordinator may count the group in, but hasn't said so: see doubtful.
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
	c := x.pending()
	var done []*batch
	var err error
	if c == nil || c.to != to {
		if err = x.usable(op); err == nil && c != nil && !(to == txnAborting && x.retractable()) {
			err = c.unfinished(op)
		}
		if err == nil {
			done, err = begin(x)
		}
		if err == nil {
			c = &txnCall{op: op, to: to, done: make(chan struct{})}
			x.call = c
			x.kick()
		}
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
	var pending error
	select {
	case <-c.done:
	case <-ctx.Done():
		pending = fmt.Errorf("%s: %w: %w", c.op, ErrTransactionPending, ctx.Err())
	case <-timer.C:
		pending = fmt.Errorf("%s: %w: max.block.ms = %d", c.op, ErrTransactionPending, pr.cfg.MaxBlock.Milliseconds())
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pending != nil {
		if why := pr.txn.why(); why != nil {
			pending = fmt.Errorf("%w; what went wrong last: %w", pending, why)
		}
		return pending
	}
	c.acked = true
	return c.err
}

// finishTransaction ends what is open before the producer closes, so that readers needn't wait for transaction.timeout.ms.
// It takes request.timeout.ms at most. Source: Sender.run.
func (pr *Producer) finishTransaction() {
	ctx, cancel := context.WithTimeout(context.Background(), pr.cfg.RequestTimeout)
	defer cancel()
	x := pr.txn
	pr.mu.Lock()
	x.closing, pr.refusal = true, ErrClosed
	pr.mu.Unlock()
	for range 2 { // a commit that fails is aborted then
		pr.mu.Lock()
		c, state, dead := x.pending(), x.state, pr.dead
		pr.mu.Unlock()
		var err error
		switch {
		case dead != nil:
			return
		case c != nil && (state == txnCommitting || state == txnAborting || state == txnAbortable):
			err = pr.awaitTransaction(ctx, c)
		case state == txnOpen || state == txnAbortable:
			err = pr.abortTransaction(ctx, opClose)
		}
		if err == nil || errors.Is(err, ErrTransactionPending) {
			return
		}
	}
}
