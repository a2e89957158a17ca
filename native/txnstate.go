package native

import (
	"fmt"
	"slices"

	"kbench/native/wire"
)

// txnState is where a transactional producer stands. Source of the states and of what follows what:
// TransactionManager.State.
type txnState uint8

const (
	txnUninitialized txnState = iota // it has no producer id yet
	txnInitializing                  // InitProducerId is on its way, for the first id or a new epoch
	txnReady                         // between transactions
	txnOpen                          // in a transaction
	txnCommitting
	txnAborting
	txnAbortable // something failed: nothing but AbortTransaction is possible
	txnFatal     // the producer is of no use any more
)

// txnStates has the name of each state, for errors, and the states that it may follow; txnFatal follows any.
var txnStates = [...]struct {
	name  string
	after []txnState
}{
	txnUninitialized: {"before InitTransactions", []txnState{txnInitializing, txnAborting}},
	txnInitializing:  {"in InitTransactions", []txnState{txnUninitialized, txnCommitting, txnAborting}},
	txnReady:         {"outside a transaction", []txnState{txnInitializing, txnCommitting, txnAborting}},
	txnOpen:          {"in a transaction", []txnState{txnReady}},
	txnCommitting:    {"while it is committed", []txnState{txnOpen}},
	txnAborting:      {"while it is aborted", []txnState{txnOpen, txnCommitting, txnAbortable}}, // see retractable
	txnAbortable:     {"after a failure", []txnState{txnInitializing, txnOpen, txnCommitting}},
	txnFatal:         {"after a fatal error", nil},
}

// transactions is the state of a transactional producer. Guarded by Producer.mu, except where it says otherwise.
type transactions struct {
	pr *Producer

	// Of its goroutine alone: see txnsender.go.
	wake        chan struct{} // of capacity 1
	control     *control      // asks any broker
	coordinator coordinator
	group       coordinator // of the group that offsets were sent for last
	parts       []wire.TxnPartition

	state   txnState
	err     error // why, in txnAbortable and txnFatal
	trouble error // why the last request has to be made again; nil: it hasn't
	asked   bool  // the coordinator has been asked to commit, and may have done it
	closing bool  // Close is under way: only what it calls goes on

	addrs []string // of the brokers of the last metadata; not to be changed, only replaced
	stop  func()   // breaks off the request that is under way
	anew  bool     // the producer began anew at the bootstrap servers: hang up on the coordinators, and find them again

	features wire.Features // the newest that a broker told
	v2       bool          // this transaction's protocol is that of transaction.version 2 (KIP-890)
	bumps    bool          // the coordinator gives out new epochs on request (KIP-360)

	// started: the coordinator counts, or may count, a transaction as begun.
	started bool
	// bump: ask for a new epoch once the transaction has ended, because a broker may have seen sequences that the producer
	// doesn't know the fate of, or to part the two protocols. With transaction.version 2 every end gives a new one.
	bump bool

	joined []*partition // all partitions of the transaction
	fresh  []*partition // those that the coordinator is to be told of: transaction.version < 2
	adding []*partition // those that it is being told of
	unsure bool         // it may know of them, but hasn't said so: see doubtful

	call    *txnCall       // the last of InitTransactions, CommitTransaction and AbortTransaction
	offsets []*offsetsCall // in their order
}

// membership is what a partition is to the transaction.
type membership uint8

const (
	outside membership = iota
	joining            // the coordinator doesn't know of it yet: nothing may be sent (isSendToPartitionAllowed)
	inside
)

func newTransactions(pr *Producer) *transactions {
	return &transactions{
		pr: pr, wake: make(chan struct{}, 1), control: &control{cfg: &pr.cfg, met: true},
		coordinator: coordinator{kind: wire.CoordinatorTransaction, key: pr.cfg.TransactionalID},
		features:    wire.Features{Epoch: -1},
	}
}

// interrupt breaks off what a coordinator is being asked, which is asked again: it may never answer.
func (x *transactions) interrupt() {
	if x.stop != nil {
		x.stop()
	}
}

// kick makes its goroutine look for work. It never blocks.
func (x *transactions) kick() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// move changes the state. It reports false if the order doesn't allow it; nothing changes then.
func (x *transactions) move(to txnState, cause error) bool {
	if to != txnFatal && !slices.Contains(txnStates[to].after, x.state) {
		return false
	}
	x.state, x.err = to, cause
	switch {
	case x.pr.dead != nil || x.closing: // it stays refused for that
	case to == txnOpen:
		x.pr.refusal = nil
	case to == txnAbortable:
		x.pr.refusal = x.failure()
	default:
		x.pr.refusal = x.outOfTurn("Produce")
	}
	return true
}

// outOfTurn is the error of a call that isn't possible in this state.
func (x *transactions) outOfTurn(op string) error {
	if op == opInit {
		return fmt.Errorf("%w: InitTransactions was called before, and is called once", ErrTransactionState)
	}
	return fmt.Errorf("%w: %s %s", ErrTransactionState, op, txnStates[x.state].name)
}

// failure is the error that calls fail with after x.err.
func (x *transactions) failure() error { return fmt.Errorf("%w: %w", ErrTransactionAbortable, x.err) }

// usable is an error if op isn't possible because the producer closes, or something failed before. Source:
// TransactionManager.maybeFailWithError.
func (x *transactions) usable(op string) error {
	switch {
	case x.pr.ctx.Err() != nil || x.closing && op != opClose:
		return ErrClosed
	case x.pr.dead != nil:
		return x.pr.dead
	case x.state == txnAbortable && op != opAbort && op != opClose:
		return x.failure()
	}
	return nil
}

// idle is an error if something failed, or a call is to be repeated first. Source: TransactionManager.throwIfPendingState.
func (x *transactions) idle(op string) error {
	if err := x.usable(op); err != nil {
		return err
	}
	if c := x.pending(); c != nil {
		return c.unfinished(op)
	}
	return nil
}

// pending is the call whose result nobody got yet, or nil.
func (x *transactions) pending() *txnCall {
	if c := x.call; c != nil && !c.acked {
		return c
	}
	return nil
}

// retractable says that an abort may take the place of a commit that is still going on: the coordinator wasn't asked for it
// yet, because records or offsets are still on their way, or it can't come any more. Java's client wants the commit to be
// repeated even then, for ever if an offset's topic doesn't exist.
func (x *transactions) retractable() bool {
	return x.state == txnAbortable || x.state == txnCommitting && !x.asked
}

// why is what the call that is under way waits for, as far as something went wrong with it; nil: nothing did.
func (x *transactions) why() error {
	if x.trouble != nil || !x.ending() {
		return x.trouble
	}
	for _, p := range x.joined {
		for _, b := range p.assigned {
			if b.lastCode != codeNone {
				return fmt.Errorf("records for partition %d of topic %q: %w", p.id, p.topic.name, newError(b.lastCode, ""))
			}
		}
		if p.node == nil && p.waits() {
			return fmt.Errorf("records for partition %d of topic %q, which has no leader", p.id, p.topic.name)
		}
	}
	return nil
}

// finishCall ends the call that is under way.
func (x *transactions) finishCall(err error) {
	c := x.call
	if c == nil {
		return
	}
	select {
	case <-c.done:
		return
	default:
	}
	if c.ended && err != nil {
		became := "committed"
		if c.to == txnAborting {
			became = "aborted"
		}
		err = fmt.Errorf("the transaction is %s, but the producer got no new epoch: %w", became, err)
	}
	c.finish(err)
}

// initialized takes the producer id over that the coordinator gave. v2 is known from here on: a transaction keeps the
// protocol that it began with.
func (x *transactions) initialized(id producerID) {
	x.identify(id)
	x.v2 = x.features.TransactionVersion >= 2
	if x.move(txnReady, nil) { // else it was abandoned meanwhile
		x.finishCall(nil)
	}
}

// identify changes the producer's identity while nothing is on its way: every partition counts from 0.
func (x *transactions) identify(id producerID) {
	x.pr.id = id
	for _, t := range x.pr.topics {
		for _, p := range t.partitions {
			p.seq.restart(id)
		}
	}
}

// complete ends a transaction that the coordinator has ended, or never knew of. Where a new epoch is needed, the call goes on
// until the coordinator gave it, or the producer closes. Source: TransactionManager.resetTransactionState.
func (x *transactions) complete() {
	for i, p := range x.joined {
		p.txn = outside
		x.joined[i] = nil
	}
	x.joined, x.fresh, x.adding = x.joined[:0], x.fresh[:0], x.adding[:0]
	x.started, x.unsure, x.asked = false, false, false
	if x.pr.id == noID { // InitTransactions had failed, and is to be called again; Java's client forgets that here
		if x.move(txnUninitialized, nil) {
			x.finishCall(nil)
		}
		return
	}
	if v2 := x.features.TransactionVersion >= 2; v2 != x.v2 {
		// The cluster's version changed. What an epoch wrote by the first protocol mustn't be taken for a part of a transaction of
		// the second: maybeUpdateTransactionV2Enabled.
		x.bump = x.bump || v2
		x.v2 = v2
	}
	bump := x.bump && !x.closing // there will be nothing to part from this transaction
	x.bump = false
	if bump {
		x.move(txnInitializing, nil) // follows committing and aborting
		if x.call != nil {
			x.call.ended = true
		}
		return
	}
	if x.move(txnReady, nil) {
		x.finishCall(nil)
	}
}

// abortable notes that the transaction can't be committed, and fails what wasn't sent; batches to deliver are appended to
// done. Source: TransactionManager.transitionToAbortableError, Sender.maybeSendAndPollTransactionalRequest.
func (x *transactions) abortable(cause error, done []*batch) []*batch {
	if x.state == txnAborting || x.state == txnAbortable || !x.move(txnAbortable, cause) {
		return done // it is aborted anyway, or comes too late
	}
	x.kick()
	return x.pr.dropUnsent(x.failure(), done)
}

// fatal ends every call, now and later. It returns the error with which everything else fails.
// Source: TransactionManager.transitionToFatalError.
func (x *transactions) fatal(cause error) error {
	err := fmt.Errorf("%w: %w", ErrTransactionFatal, cause)
	x.move(txnFatal, cause) // always allowed
	x.failCalls(err)
	return err
}

// failCalls ends every call that is under way.
func (x *transactions) failCalls(err error) {
	x.finishCall(err)
	for _, c := range x.offsets {
		c.finish(err)
	}
	x.offsets = nil
}
