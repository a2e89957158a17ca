package native_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/native"
)

// pendingFor makes a call again and again with contexts that end soon, until its error names what is behind it.
func pendingFor(t *testing.T, call func(context.Context) error, cause *native.Error, says ...string) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
		err := call(ctx)
		cancel()
		if !errors.Is(err, native.ErrTransactionPending) || !errors.Is(err, context.DeadlineExceeded) || time.Now().After(deadline) {
			t.Fatalf("%v, want it to go on for %v", err, cause)
		}
		if !errors.Is(err, cause) {
			continue
		}
		for _, part := range says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%q doesn't say %q", err, part)
			}
		}
		return
	}
}

// TestPendingNamesCause has coordinators give the same answer for as long as a call's context lasts: its error tells which, and
// the same call goes on once they are well.
func TestPendingNamesCause(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := open(t, transactional(c, l, "tx"))
		while := func(key kmsg.Key, e *kerr.Error, call func(context.Context) error, says ...string) {
			t.Helper()
			f := c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: e, Count: -1})
			pendingFor(t, call, &native.Error{Code: e.Code}, append(says, e.Message)...)
			f.Remove()
			must(t, call(ctxFor(t)))
		}
		while(kmsg.FindCoordinator, kerr.CoordinatorNotAvailable, p.InitTransactions, "InitTransactions", "FindCoordinator")
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(0, 6, "one")))
		while(kmsg.TxnOffsetCommit, kerr.CoordinatorLoadInProgress, func(ctx context.Context) error {
			return p.SendOffsetsToTransaction(ctx, oneOffset, native.GroupMetadata{Group: "g"})
		}, "SendOffsetsToTransaction", `partition 1 of topic "a"`)
		while(kmsg.EndTxn, kerr.ConcurrentTransactions, p.CommitTransaction, "CommitTransaction", "EndTxn")
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(6, 6, "aborted")))
		must(t, p.Flush(ctxFor(t)))
		while(kmsg.EndTxn, kerr.NotCoordinator, p.AbortTransaction, "AbortTransaction", "EndTxn")
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(12, 6, "two")))
		while(kmsg.Produce, kerr.NotEnoughReplicas, p.CommitTransaction, "records for partition", `of topic "`)
		l.check(t, 18, false)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "one", "two"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// TestPendingInit has a coordinator that only ever loads.
func TestPendingInit(t *testing.T) {
	c := cluster(t)
	p := open(t, transactional(c, newLedger(), "tx"))
	f := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: -1})
	pendingFor(t, p.InitTransactions, &native.Error{Code: 14}, "InitTransactions", "InitProducerId")
	f.Remove()
	must(t, p.InitTransactions(ctxFor(t)))
}

// TestUnknownOffsets sends offsets of a topic that doesn't exist: the error names it, a commit waits for the same cause, and an
// abort is the way out of both.
func TestUnknownOffsets(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "lost")))
		f := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.UnknownTopicOrPartition, Count: -1})
		unknown := &native.Error{Code: 3}
		says := []string{`partition 9 of topic "nowhere"`, native.ErrUnknownTopic.Error(), "UNKNOWN_TOPIC_OR_PARTITION (3)"}
		send := func(ctx context.Context) error {
			return p.SendOffsetsToTransaction(ctx, []native.Offset{{Topic: "nowhere", Partition: 9, Offset: 1}}, native.GroupMetadata{Group: "g"})
		}
		pendingFor(t, send, unknown, says...)
		pendingFor(t, p.CommitTransaction, unknown, says...)
		commit := make(chan error)
		go func() { commit <- p.CommitTransaction(context.Background()) }()
		time.Sleep(5 * time.Millisecond) // it waits, most likely
		must(t, p.AbortTransaction(ctxFor(t)))
		if err := <-commit; !errors.Is(err, native.ErrTransactionAborted) && !errors.Is(err, native.ErrTransactionState) {
			t.Errorf("the commit that waited: %v", err)
		}
		f.Remove()
		wholeTransaction(t, p, 6, "next")
		l.check(t, 12, false) // the first six were sent
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
		if got := groupOffsets(t, c.ListenAddrs(), "g"); got != "a1=7" {
			t.Errorf("the group's offsets are %s", got)
		}
	})
}

// TestNoAbortAfterCommit: once the coordinator was asked to commit, it may have done so.
func TestNoAbortAfterCommit(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		p := begin(t, transactional(c, newLedger(), "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "whole")))
		f := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.ConcurrentTransactions, Count: -1})
		pendingFor(t, p.CommitTransaction, &native.Error{Code: 51})
		if err := p.AbortTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionState) {
			t.Errorf("abort: %v", err)
		}
		f.Remove()
		must(t, p.CommitTransaction(ctxFor(t)))
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "whole"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// calls makes every call of a transactional producer but AbortTransaction and Close, and returns their errors by name.
func calls(t *testing.T, p *native.Producer, slot int) map[string]error {
	t.Helper()
	return map[string]error{
		"InitTransactions":         p.InitTransactions(ctxFor(t)),
		"BeginTransaction":         p.BeginTransaction(),
		"Produce":                  p.Produce(ctxFor(t), texts(slot, 1, "late")),
		"SendOffsetsToTransaction": p.SendOffsetsToTransaction(ctxFor(t), oneOffset, native.GroupMetadata{Group: "g"}),
		"CommitTransaction":        p.CommitTransaction(ctxFor(t)),
	}
}

// TestFatalThenClosed: what a fatal producer says before and after Close.
func TestFatalThenClosed(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		begin(t, transactional(c, newLedger(), "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 1, "first")))
		for p.CommitTransaction(ctxFor(t)) == nil || !errors.Is(p.AbortTransaction(ctxFor(t)), native.ErrProducerFenced) {
			t.Fatal("it isn't fenced")
		}
		fenced := calls(t, p, 1)
		fenced["AbortTransaction"] = p.AbortTransaction(ctxFor(t))
		for name, err := range fenced {
			if !errors.Is(err, native.ErrTransactionFatal) || errors.Is(err, native.ErrClosed) {
				t.Errorf("%s of a fenced producer: %v", name, err)
			}
		}
		must(t, p.Close())
		after := calls(t, p, 2)
		after["AbortTransaction"] = p.AbortTransaction(ctxFor(t))
		for name, err := range after {
			if !errors.Is(err, native.ErrClosed) || errors.Is(err, native.ErrTransactionFatal) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		l.check(t, 3, true)
	})
}

// TestCallsDuringClose makes every call while Close aborts the transaction: another abort ends with that one.
func TestCallsDuringClose(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "dropped")))
		must(t, p.Flush(ctxFor(t)))
		asked, gate := holdNext(c, kmsg.EndTxn)
		closed := make(chan error)
		go func() { closed <- p.Close() }()
		<-asked
		for name, err := range calls(t, p, 6) {
			if !errors.Is(err, native.ErrClosed) || errors.Is(err, native.ErrTransactionState) {
				t.Errorf("%s during Close: %v", name, err)
			}
		}
		ctx, aborted := ctxFor(t), make(chan error)
		go func() { aborted <- p.AbortTransaction(ctx) }()
		time.Sleep(5 * time.Millisecond) // it waits, most likely
		close(gate)
		must(t, <-closed)
		if err := <-aborted; err != nil && !errors.Is(err, native.ErrClosed) {
			t.Errorf("AbortTransaction during Close: %v", err)
		}
		l.check(t, 7, true)
		if got := committed(t, c.ListenAddrs(), names...); len(got) > 0 {
			t.Errorf("read %v", got)
		}
	})
}

// TestCloseGivesUpCommit closes while the coordinator doesn't answer a commit: the call says that it may have come about.
func TestCloseGivesUpCommit(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		cfg := transactional(c, newLedger(), "tx")
		cfg.RequestTimeout = 300 * time.Millisecond
		p := begin(t, cfg)
		must(t, p.Produce(ctxFor(t), texts(0, 6, "perhaps")))
		asked, gate := holdNext(c, kmsg.EndTxn)
		defer close(gate)
		commit := make(chan error)
		go func() { commit <- p.CommitTransaction(context.Background()) }()
		<-asked
		must(t, p.Close())
		if err := <-commit; !errors.Is(err, native.ErrClosed) || !strings.Contains(err.Error(), "may be committed or not") {
			t.Errorf("the commit: %v", err)
		}
	})
}

// TestFatalWakesProduce has a Produce wait for memory when the producer is fenced: it says that, not that it was closed.
func TestFatalWakesProduce(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p, gate, refused := waitForMemory(t, c, l)
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.ProducerFenced, Count: -1})
		close(gate)
		if err := <-refused; !errors.Is(err, native.ErrProducerFenced) || errors.Is(err, native.ErrClosed) {
			t.Errorf("Produce: %v", err)
		}
		must(t, p.Close())
		l.check(t, 5, true)
	})
}
