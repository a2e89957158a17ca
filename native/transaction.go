package native

import (
	"context"
	"errors"
	"fmt"
	"time"
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
	return pr.callTransaction(ctx, opInit, txnInitializing, func(x *transactions) ([]*batch, bool) {
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
	if !x.move(txnOpen, nil) {
		return x.outOfTurn("BeginTransaction")
	}
	return nil
}

// CommitTransaction sends what is left without lingering, waits until all of the transaction is acknowledged, and commits it.
// Where a record failed, so does this. In the rare case that the producer needs a new epoch afterwards and is refused one, the
// error comes though the transaction is committed, and says so.
func (pr *Producer) CommitTransaction(ctx context.Context) error {
	return pr.callTransaction(ctx, "CommitTransaction", txnCommitting, func(x *transactions) ([]*batch, bool) {
		if !x.move(txnCommitting, nil) {
			return nil, false
		}
		pr.sealAll()
		return nil, true
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
	return pr.callTransaction(ctx, op, txnAborting, func(x *transactions) ([]*batch, bool) {
		gone := ErrTransactionAborted
		if x.state == txnAbortable {
			gone = x.failure()
		}
		if !x.move(txnAborting, nil) {
			return nil, false
		}
		x.asked, x.trouble = false, nil // of what is given up
		x.finishCall(gone)              // a commit
		x.fresh = x.fresh[:0]           // no need to add them any more
		return pr.dropUnsent(ErrTransactionAborted, nil), true
	})
}

// Names of calls that are told apart by them.
const (
	opInit  = "InitTransactions"
	opAbort = "AbortTransaction"
	opClose = "Close"
)

// txnCall is a call that waits for brokers. Source: TransactionalRequestResult, TransactionManager.PendingStateTransition.
type txnCall struct {
	op    string
	to    txnState      // that it moved to
	done  chan struct{} // closed at its end; err is set before
	err   error
	ended bool // the transaction has ended as asked, only a new epoch is to come; guarded by Producer.mu
	acked bool // a caller got the result; guarded by Producer.mu
}

func (c *txnCall) finish(err error) {
	c.err = err
	close(c.done)
}

// callTransaction begins a call and waits for its end; the same call waits for one that is still going on. begin reports false
// if it isn't possible in the state that the transaction is in.
// Source: TransactionManager.handleCachedTransactionRequestResult.
func (pr *Producer) callTransaction(ctx context.Context, op string, to txnState, begin func(*transactions) ([]*batch, bool)) error {
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
			var ok bool
			if done, ok = begin(x); !ok {
				err = x.outOfTurn(op)
			}
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
