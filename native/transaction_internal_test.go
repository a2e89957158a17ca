package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"kbench/native/wire"
)

// idleTransaction is an idle producer in a transaction, with three batches of 5, 3 and 2 records in requests of their own.
func idleTransaction(t *testing.T) (*Producer, *partition, []*batch) {
	t.Helper()
	pr, tp := idle(1, func(c *Config) { c.TransactionalID = "tx" })
	pr.topics = []*topic{tp}
	pr.ctx, pr.gen = context.Background(), newGeneration(nil)
	pr.txn = newTransactions(pr)
	pr.id = producerID{7, 3}
	x := pr.txn
	x.state, x.bumps = txnOpen, true
	p := tp.partitions[0]
	p.seq.restart(pr.id)
	p.seq.everAcked = true
	x.join(p)
	p.txn = inside
	var batches []*batch
	for _, n := range []int32{5, 3, 2} {
		b := &batch{part: p, count: n, state: stateQueued, baseOffset: -1}
		p.queue = append(p.queue, b)
		if got := pr.pick(p, 0); got != b {
			t.Fatalf("picked %v", got)
		}
		pr.take(p, b, 0)
		batches = append(batches, b)
	}
	return pr, p, batches
}

// TestRefusedInTransaction has the broker refuse the second of three batches: the third takes its sequences, once nothing is
// on its way.
func TestRefusedInTransaction(t *testing.T) {
	pr, p, b := idleTransaction(t)
	settle := func(b *batch, code int16) []*batch {
		return pr.settle(b, wire.ProduceResult{Code: code, BaseOffset: 100, Leader: -1, LogStart: -1}, 0, nil)
	}
	settle(b[0], 0)
	if done := settle(b[1], 87); len(done) != 1 || pr.txn.state != txnAbortable || !pr.txn.bump {
		t.Errorf("refused: %d batches ended, state %d, bump %v", len(done), pr.txn.state, pr.txn.bump)
	}
	if pr.pick(p, never-1) != nil || b[2].sequence != 8 {
		t.Errorf("renumbered to %d while it was in a request", b[2].sequence)
	}
	settle(b[2], codeOutOfOrder)
	if got := pr.pick(p, never-1); got != b[2] || b[2].sequence != 5 || p.seq.next != 7 || b[2].id != pr.id {
		t.Errorf("picked %v with sequence %d, next %d; want the third with 5, then 7", got, b[2].sequence, p.seq.next)
	}
	pr.take(p, b[2], 0)
	settle(b[2], 0)
	if err := pr.txn.resolveTransaction(); err != nil || p.seq.next != 7 || p.seq.lastAcked != 6 {
		t.Errorf("%v; next %d after %d", err, p.seq.next, p.seq.lastAcked)
	}
}

// TestForgottenInTransaction checks what comes of batches whose producer the broker doesn't know.
func TestForgottenInTransaction(t *testing.T) {
	for _, tc := range []struct {
		acked, logStart int64
		want            string
	}{
		{100, -1, "again 5 8"},  // it doesn't know where its log starts
		{100, 200, "again 0 3"}, // what was acknowledged is gone by retention
		{100, 50, "fails"},      // it forgot the producer though its records are there
	} {
		pr, p, b := idleTransaction(t)
		pr.settle(b[0], wire.ProduceResult{BaseOffset: tc.acked, Leader: -1}, 0, nil)
		for _, b := range b[1:] {
			pr.settle(b, wire.ProduceResult{Code: codeUnknownProducer, LogStart: tc.logStart, Leader: -1, LeaderEpoch: -1}, 0, nil)
		}
		got := "fails"
		if pr.txn.state == txnOpen {
			pr.pick(p, never-1)
			got = fmt.Sprint("again ", b[1].sequence, " ", b[2].sequence)
		}
		if got != tc.want || pr.id.epoch != 3 {
			t.Errorf("acknowledged to %d, log from %d: %s, want %s; epoch %d", tc.acked, tc.logStart, got, tc.want, pr.id.epoch)
		}
	}
}

// TestUnresolvedInTransaction has batches time out that may be in the log: only a new epoch makes the next transaction safe.
func TestUnresolvedInTransaction(t *testing.T) {
	for _, tc := range []struct {
		v2, bumps, fatal, bump bool
		forgotten              bool // the broker doesn't know the producer any more: it would count from 0 again
	}{{false, true, false, true, false}, {true, true, false, false, false}, {false, false, true, false, false}, {false, false, true, false, true}} {
		pr, p, b := idleTransaction(t)
		x := pr.txn
		p.seq.bump = tc.forgotten
		x.v2, x.bumps, x.state = tc.v2, tc.bumps, txnAborting
		for _, b := range b {
			b.state = stateRetry
			p.sent--
			pr.fail(b, ErrDeliveryTimeout, nil)
		}
		if err := x.resolveTransaction(); (err != nil) != tc.fatal || x.bump != tc.bump {
			t.Errorf("%+v: error %v, bump %v", tc, err, x.bump)
		}
	}
}

// TestProtocolChanges ends a transaction of one protocol after the cluster went over to the other.
func TestProtocolChanges(t *testing.T) {
	for _, v2 := range []bool{false, true} {
		pr, p, _ := idleTransaction(t)
		x := pr.txn
		x.v2, x.state = v2, txnCommitting
		x.features = wire.Features{Epoch: 9, TransactionVersion: 2}
		want := txnInitializing // a new epoch before the first transaction of the second protocol
		if v2 {
			x.features.TransactionVersion, want = 1, txnReady
		}
		x.complete()
		if x.v2 == v2 || x.state != want || p.txn != outside || len(x.joined) != 0 {
			t.Errorf("from v2=%v: v2=%v, state %d, want %d", v2, x.v2, x.state, want)
		}
	}
}

// TestEndedThenClosed: a transaction has ended as asked, and a new epoch is to part the two protocols. A producer that closes
// before it has that, or is refused it, tells what became of the transaction.
func TestEndedThenClosed(t *testing.T) {
	for _, tc := range []struct {
		name    string
		to      txnState
		epoch   bool // it is asked for, and then
		refused bool
		want    string // that the call ends with; nothing: well
	}{
		{"commit", txnCommitting, true, false, ""},
		{"abort", txnAborting, true, false, ""},
		{"commit that Close waits for", txnCommitting, false, false, ""},
		{"commit, then fenced", txnCommitting, true, true, "the transaction is committed, but"},
		{"abort, then fenced", txnAborting, true, true, "the transaction is aborted, but"},
	} {
		pr, _, _ := idleTransaction(t)
		x := pr.txn
		x.call = &txnCall{to: tc.to, done: make(chan struct{})}
		x.state, x.features, x.closing = tc.to, wire.Features{Epoch: 9, TransactionVersion: 2}, !tc.epoch
		x.complete()
		if got := x.next() != nil; got != tc.epoch {
			t.Errorf("%s: it asks for an epoch: %v", tc.name, got)
		}
		if tc.refused {
			x.conclude(&x.coordinator, verdictFatal, ErrProducerFenced)
		}
		x.hangUp()
		<-x.call.done
		err := x.call.err
		if tc.want == "" && err != nil || tc.want != "" && (!errors.Is(err, ErrProducerFenced) || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: %v, want %q", tc.name, err, tc.want)
		}
	}
}

// TestLearnFeatures keeps the newest.
func TestLearnFeatures(t *testing.T) {
	pr, _, _ := idleTransaction(t)
	for _, f := range []wire.Features{{Epoch: 5, TransactionVersion: 1}, {Epoch: 7, TransactionVersion: 2}, {Epoch: 6}, {Epoch: -1}} {
		pr.learnFeatures(&conn{features: f})
	}
	if want := (wire.Features{Epoch: 7, TransactionVersion: 2}); pr.txn.features != want {
		t.Errorf("%+v, want %+v", pr.txn.features, want)
	}
}

// TestTransactionBeginsAnew: after a new start at the bootstrap servers, nothing is asked of the coordinators and brokers known
// before.
func TestTransactionBeginsAnew(t *testing.T) {
	pr, _, _ := idleTransaction(t)
	pr.cfg.Bootstrap = []string{"first:1"}
	pr.control = newControl(&pr.cfg)
	x := pr.txn
	x.group = coordinator{kind: wire.CoordinatorGroup, key: "g"}
	x.addrs = []string{"old:1", "old:2"}
	var ends []net.Conn
	for _, c := range []**conn{&x.coordinator.conn, &x.group.conn, &x.control.conn} {
		here, there := net.Pipe()
		*c = &conn{nc: here}
		ends = append(ends, there)
	}
	x.coordinator.addr, x.group.addr = "old:1", "old:2"
	x.beginAnew(func() {})
	if x.coordinator.conn == nil || x.group.addr == "" || x.control.conn == nil {
		t.Error("it begins anew without a reason")
	}
	pr.rebootstrap()
	x.beginAnew(func() {})
	if x.coordinator.conn != nil || x.coordinator.addr != "" || x.group.conn != nil || x.group.addr != "" || x.control.conn != nil {
		t.Error("it still knows coordinators")
	}
	for _, end := range ends {
		_ = end.SetReadDeadline(time.Now().Add(time.Second)) // one that is open has nothing to read
		if _, err := end.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the connection isn't closed: %v", err)
		}
	}
	if got := x.brokers(); !slices.Equal(got, pr.cfg.Bootstrap) {
		t.Errorf("it would ask %v", got)
	}
	pr.mu.Lock()
	x.addrs = []string{"new:1"}
	pr.mu.Unlock()
	if got, want := x.brokers(), []string{"new:1", "first:1"}; !slices.Equal(got, want) {
		t.Errorf("it would ask %v, want %v", got, want)
	}
}

// TestRested has records fail whose batches a connection may still be writing: the end of the transaction waits for those.
func TestRested(t *testing.T) {
	pr, p, b := idleTransaction(t)
	x := pr.txn
	x.state, x.started = txnAborting, true
	for i := range b {
		b[i].expired = true
		if x.next() != nil {
			t.Errorf("it ends while %d batches are in requests", p.sent)
		}
		pr.settle(b[i], wire.ProduceResult{Leader: -1}, 0, nil)
	}
	if x.next() == nil {
		t.Error("it doesn't end")
	}
}

// TestUnansweredPartitions aborts while it is unknown whether the coordinator counts partitions in: it is asked until that is
// known, or the next transaction would begin with them.
func TestUnansweredPartitions(t *testing.T) {
	for _, unsure := range []bool{true, false} {
		pr, p, b := idleTransaction(t)
		x := pr.txn
		for _, b := range b {
			pr.settle(b, wire.ProduceResult{Leader: -1}, 0, nil)
		}
		x.started, x.state = true, txnAborting
		x.adding, x.unsure = []*partition{p}, unsure
		work := fmt.Sprintf("%p", x.next())
		if want := fmt.Sprintf("%p", map[bool]func() txnPace{true: x.addPartitions, false: x.end}[unsure]); work != want {
			t.Errorf("unsure %v: the wrong request", unsure)
		}
		if unsure != (len(x.adding) == 1) {
			t.Errorf("unsure %v: %d partitions to add", unsure, len(x.adding))
		}
	}
}
