package native_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kbench/native"
)

// txnKeys are the requests that coordinators answer.
var txnKeys = []kmsg.Key{kmsg.FindCoordinator, kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn}

var oneOffset = []native.Offset{{Topic: "a", Partition: 1, Offset: 7, LeaderEpoch: -1}}

// wholeTransaction commits records and an offset.
func wholeTransaction(t *testing.T, p *native.Producer, first int, name string) {
	t.Helper()
	must(t, p.BeginTransaction())
	must(t, p.Produce(ctxFor(t), texts(first, 6, name)))
	must(t, p.SendOffsetsToTransaction(ctxFor(t), oneOffset, native.GroupMetadata{Group: "g"}))
	must(t, p.CommitTransaction(ctxFor(t)))
}

// TestCoordinatorErrorsHeal injects what a coordinator says in passing, and moves coordinators: nothing comes of it.
func TestCoordinatorErrorsHeal(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := open(t, transactional(c, l, "tx"))
		want := []string{}
		first := 0
		for i, e := range []*kerr.Error{kerr.CoordinatorNotAvailable, kerr.NotCoordinator, kerr.CoordinatorLoadInProgress,
			kerr.ConcurrentTransactions, kerr.RequestTimedOut, kerr.NotEnoughReplicas, kerr.UnknownTopicOrPartition} {
			faults := []*kfake.FaultHandle{}
			for _, key := range txnKeys {
				faults = append(faults, c.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: e, Count: 2}))
			}
			if i == 0 {
				must(t, p.InitTransactions(ctxFor(t)))
			}
			name := strings.ToLower(e.Message)
			wholeTransaction(t, p, first, name)
			want = append(want, values(6, name)...)
			first += 6
			for _, f := range faults {
				f.Remove()
			}
			c.RehashCoordinators()
			c.ShufflePartitionLeaders()
		}
		l.check(t, first, false)
		slices.Sort(want)
		if got := committed(t, c.ListenAddrs(), names...); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
		if got := groupOffsets(t, c.ListenAddrs(), "g"); got != "a1=7" {
			t.Errorf("the group's offsets are %s", got)
		}
	})
}

// TestCoordinatorErrors injects what a transaction or a producer doesn't survive.
func TestCoordinatorErrors(t *testing.T) {
	abortable, fatal := native.ErrTransactionAbortable, native.ErrTransactionFatal
	for _, tc := range []struct {
		key  kmsg.Key
		err  *kerr.Error
		want error // of the call that needs the request
		also error
	}{
		{kmsg.FindCoordinator, kerr.TransactionalIDAuthorizationFailed, fatal, &native.Error{Code: 53}},
		{kmsg.InitProducerID, kerr.InvalidTransactionTimeout, fatal, &native.Error{Code: 50}},
		{kmsg.InitProducerID, kerr.ProducerFenced, fatal, native.ErrProducerFenced},
		{kmsg.InitProducerID, kerr.InvalidProducerEpoch, fatal, native.ErrProducerFenced},
		{kmsg.InitProducerID, kerr.TransactionAbortable, abortable, &native.Error{Code: 120}},
		{kmsg.AddPartitionsToTxn, kerr.TopicAuthorizationFailed, abortable, &native.Error{Code: 29}},
		{kmsg.AddPartitionsToTxn, kerr.UnknownProducerID, abortable, &native.Error{Code: 59}},
		{kmsg.AddPartitionsToTxn, kerr.TransactionAbortable, abortable, &native.Error{Code: 120}},
		{kmsg.AddPartitionsToTxn, kerr.InvalidProducerIDMapping, fatal, &native.Error{Code: 49}},
		{kmsg.AddPartitionsToTxn, kerr.InvalidTxnState, fatal, &native.Error{Code: 48}},
		{kmsg.AddPartitionsToTxn, kerr.InvalidProducerEpoch, fatal, native.ErrProducerFenced},
		{kmsg.AddOffsetsToTxn, kerr.GroupAuthorizationFailed, abortable, &native.Error{Code: 30}},
		{kmsg.AddOffsetsToTxn, kerr.TransactionAbortable, abortable, &native.Error{Code: 120}},
		{kmsg.AddOffsetsToTxn, kerr.UnknownProducerID, abortable, &native.Error{Code: 59}},
		{kmsg.AddOffsetsToTxn, kerr.InvalidTxnState, fatal, &native.Error{Code: 48}},
		{kmsg.TxnOffsetCommit, kerr.GroupAuthorizationFailed, abortable, &native.Error{Code: 30}},
		{kmsg.TxnOffsetCommit, kerr.FencedInstanceID, abortable, &native.Error{Code: 82}},
		{kmsg.TxnOffsetCommit, kerr.UnknownMemberID, abortable, &native.Error{Code: 25}},
		{kmsg.TxnOffsetCommit, kerr.IllegalGeneration, abortable, &native.Error{Code: 22}},
		{kmsg.TxnOffsetCommit, kerr.TransactionAbortable, abortable, &native.Error{Code: 120}},
		{kmsg.TxnOffsetCommit, kerr.UnsupportedForMessageFormat, fatal, &native.Error{Code: 43}},
		{kmsg.TxnOffsetCommit, kerr.InvalidProducerEpoch, fatal, native.ErrProducerFenced},
		{kmsg.TxnOffsetCommit, kerr.InvalidProducerIDMapping, fatal, &native.Error{Code: 49}},
		{kmsg.TxnOffsetCommit, kerr.OffsetMetadataTooLarge, abortable, &native.Error{Code: 12}},
		{kmsg.TxnOffsetCommit, kerr.InvalidCommitOffsetSize, abortable, &native.Error{Code: 28}},
		{kmsg.TxnOffsetCommit, kerr.TopicAuthorizationFailed, abortable, &native.Error{Code: 29}},
		{kmsg.EndTxn, kerr.TransactionAbortable, abortable, &native.Error{Code: 120}},
		{kmsg.EndTxn, kerr.UnknownProducerID, abortable, &native.Error{Code: 59}},
		{kmsg.EndTxn, kerr.InvalidTxnState, fatal, &native.Error{Code: 48}},
		{kmsg.EndTxn, kerr.ProducerFenced, fatal, native.ErrProducerFenced},
		{kmsg.EndTxn, kerr.TransactionalIDAuthorizationFailed, fatal, &native.Error{Code: 53}},
	} {
		what := fmt.Sprint(tc.key.Name(), " ", tc.err.Message)
		protocols(t, func(t *testing.T, c *kfake.Cluster) {
			if isV2(t) && (tc.key == kmsg.AddPartitionsToTxn || tc.key == kmsg.AddOffsetsToTxn) {
				return // it isn't asked
			}
			l := newLedger()
			p := open(t, transactional(c, l, "tx"))
			fault := c.Fault(kfake.Fault{Keys: []kmsg.Key{tc.key}, Err: tc.err})
			var err error
			step := func(f func() error) {
				if err == nil {
					err = f()
				}
			}
			step(func() error { return p.InitTransactions(ctxFor(t)) })
			step(p.BeginTransaction)
			step(func() error { return p.Produce(ctxFor(t), texts(0, 6, "lost")) })
			step(func() error {
				return p.SendOffsetsToTransaction(ctxFor(t), oneOffset, native.GroupMetadata{Group: "g"})
			})
			step(func() error { return p.CommitTransaction(ctxFor(t)) })
			if !errors.Is(err, tc.want) || !errors.Is(err, tc.also) || fault.Hits() != 1 {
				t.Errorf("%s: %v after %d answers, want %v", what, err, fault.Hits(), tc.want)
			}
			n, want := 6, []string{}
			if tc.key == kmsg.FindCoordinator || tc.key == kmsg.InitProducerID {
				n = 0
			}
			if err := p.Produce(ctxFor(t), texts(n, 1, "no")); !errors.Is(err, tc.want) {
				t.Errorf("%s: Produce after it: %v", what, err)
			}
			n++
			abort := p.AbortTransaction(ctxFor(t))
			if tc.want == abortable {
				if abort != nil {
					t.Fatalf("%s: abort: %v", what, abort)
				}
				if tc.key == kmsg.InitProducerID {
					must(t, p.InitTransactions(ctxFor(t)))
				}
				wholeTransaction(t, p, n, "next")
				n, want = n+6, values(6, "next")
			} else if !errors.Is(abort, fatal) {
				t.Errorf("%s: abort: %v", what, abort)
			}
			must(t, p.Close())
			if tc.want == fatal { // what it left open is ended by the next one
				must(t, open(t, transactional(c, newLedger(), "tx")).InitTransactions(ctxFor(t)))
			}
			l.check(t, n, true)
			if got := committed(t, c.ListenAddrs(), names...); !slices.Equal(got, want) {
				t.Errorf("%s: read %v, want %v", what, got, want)
			}
		})
	}
}

// TestAbortFails has the coordinator refuse an abort as abortable: that would go round in circles, so it is fatal.
func TestAbortFails(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		p := begin(t, transactional(c, newLedger(), "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "x")))
		must(t, p.Flush(ctxFor(t)))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Err: kerr.TransactionAbortable})
		if err := p.AbortTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionFatal) {
			t.Errorf("got %v", err)
		}
	})
}

// TestInitAgain is refused for want of authorization, and goes on once that is given.
func TestInitAgain(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		p := open(t, transactional(c, newLedger(), "tx"))
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.TransactionalIDAuthorizationFailed})
		if err := p.InitTransactions(ctxFor(t)); !errors.Is(err, &native.Error{Code: 53}) || errors.Is(err, native.ErrTransactionFatal) {
			t.Errorf("got %v", err)
		}
		if err := p.BeginTransaction(); !errors.Is(err, native.ErrTransactionState) {
			t.Errorf("BeginTransaction: %v", err)
		}
		must(t, p.InitTransactions(ctxFor(t)))
		wholeTransaction(t, p, 0, "x")
	})
}

// TestRecordsFail has a leader refuse a batch: the transaction can't be committed, what wasn't sent fails at once, and after
// the abort the next one is whole.
func TestRecordsFail(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.InvalidRecord, kerr.TopicAuthorizationFailed, kerr.TransactionAbortable, kerr.InvalidTxnState,
		kerr.OutOfOrderSequenceNumber, kerr.InvalidProducerEpoch, kerr.UnknownServerError} {
		protocols(t, func(t *testing.T, c *kfake.Cluster) {
			what := fmt.Sprint(e.Message, " ", t.Name())
			l := newLedger()
			cfg := transactional(c, l, "tx")
			cfg.Linger, cfg.DeliveryTimeout = time.Hour/2, time.Hour
			p := begin(t, cfg)
			must(t, p.Produce(ctxFor(t), onePartition(texts(0, 6, "before"))))
			must(t, p.Flush(ctxFor(t)))
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e, Topic: "a"})
			must(t, p.Produce(ctxFor(t), onePartition(texts(6, 6, "refused"))))
			must(t, p.Flush(ctxFor(t)))
			after := p.Produce(ctxFor(t), texts(12, 1, "after"))
			if !errors.Is(after, native.ErrTransactionAbortable) || !errors.Is(after, &native.Error{Code: e.Code}) {
				t.Errorf("%s: Produce after it: %v", what, after)
			}
			for range 2 {
				if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) {
					t.Errorf("%s: commit: %v", what, err)
				}
			}
			must(t, p.AbortTransaction(ctxFor(t)))
			wholeTransaction(t, p, 13, "next")
			l.check(t, 19, true)
			if e, _ := l.get(6); e.err == nil {
				t.Errorf("%s: the batch didn't fail", what)
			}
			if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
				t.Errorf("%s: read %v, want %v", what, got, want)
			}
		})
	}
}

// TestUnsentFailToo has a leader refuse a batch while the next one of its partition lingers: that fails at once, without an abort.
func TestUnsentFailToo(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		cfg := transactional(c, l, "tx")
		cfg.Linger, cfg.DeliveryTimeout, cfg.BatchSize = time.Hour/2, time.Hour, 300
		p := begin(t, cfg)
		c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: kerr.InvalidRecord, Topic: "a"})
		must(t, p.Produce(ctxFor(t), []native.Record{{Slot: 1, Value: make([]byte, 400)}, {Slot: 0, Value: make([]byte, 400)}}))
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
			e, ended := l.get(0)
			if ended && (!errors.Is(e.err, native.ErrTransactionAbortable) || !errors.Is(e.err, &native.Error{Code: 87})) {
				t.Errorf("it ended with %v", e.err)
			}
			if ended {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("it lingers on")
			}
		}
		must(t, p.AbortTransaction(ctxFor(t)))
		l.check(t, 2, true)
	})
}

// TestFencedRecords has a leader refuse a batch for good.
func TestFencedRecords(t *testing.T) {
	for _, e := range []*kerr.Error{kerr.ProducerFenced, kerr.InvalidProducerIDMapping, kerr.TransactionalIDAuthorizationFailed} {
		protocols(t, func(t *testing.T, c *kfake.Cluster) {
			l := newLedger()
			p := begin(t, transactional(c, l, "tx"))
			c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Err: e})
			must(t, p.Produce(ctxFor(t), texts(0, 6, "x")))
			if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionFatal) || !errors.Is(err, &native.Error{Code: e.Code}) {
				t.Errorf("%s: commit: %v", e.Message, err)
			}
			must(t, p.Close())
			l.check(t, 6, true)
		})
	}
}

// TestExpiryInTransaction has a broker that doesn't answer until records have run into delivery.timeout.ms.
func TestExpiryInTransaction(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		cfg := transactional(c, l, "tx")
		cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Linger = 300*time.Millisecond, 400*time.Millisecond, 0
		cfg.MaxBlock = time.Minute
		p := begin(t, cfg)
		must(t, p.Produce(ctxFor(t), onePartition(texts(0, 6, "before"))))
		must(t, p.Flush(ctxFor(t)))
		gate, ids := make(chan struct{}), &identities{}
		ids.watch(c)
		c.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			c.SleepControl(func() { <-gate })
			return nil, nil, false
		})
		must(t, p.Produce(ctxFor(t), onePartition(texts(6, 6, "expired"))))
		must(t, p.Flush(ctxFor(t)))
		if e, _ := l.get(6); !errors.Is(e.err, native.ErrDeliveryTimeout) {
			t.Errorf("the batch ended with %v", e.err)
		}
		if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) || !errors.Is(err, native.ErrDeliveryTimeout) {
			t.Errorf("commit: %v", err)
		}
		close(gate)
		must(t, p.AbortTransaction(ctxFor(t)))
		wholeTransaction(t, p, 12, "next")
		l.check(t, 18, true)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
		ids.mu.Lock()
		defer ids.mu.Unlock()
		if isV2(t) != (len(ids.bumps) == 0) {
			t.Errorf("asked for new epochs of %v", ids.bumps)
		}
	})
}

// identities notes for which ids and epochs new epochs were asked for.
type identities struct {
	mu    sync.Mutex
	bumps []string
}

func (ids *identities) watch(c *kfake.Cluster) {
	c.ControlKey(int16(kmsg.InitProducerID), func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if r := req.(*kmsg.InitProducerIDRequest); r.ProducerID >= 0 {
			ids.mu.Lock()
			ids.bumps = append(ids.bumps, fmt.Sprint(r.ProducerID, "/", r.ProducerEpoch))
			ids.mu.Unlock()
		}
		return nil, nil, false
	})
}

// TestCallAgain lets every call run into its context while its coordinator is slow: it goes on, other calls are refused
// meanwhile, and the same call again tells the end.
func TestCallAgain(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := open(t, transactional(c, l, "tx"))
		again := func(key kmsg.Key, call func(context.Context) error) {
			t.Helper()
			_, gate := holdNext(c, key)
			for range 2 {
				ctx, cancel := context.WithTimeout(context.Background(), 30*time.Millisecond)
				if err := call(ctx); !errors.Is(err, native.ErrTransactionPending) || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", key.Name(), err)
				}
				cancel()
			}
			if err := p.BeginTransaction(); !errors.Is(err, native.ErrTransactionState) {
				t.Errorf("BeginTransaction during %s: %v", key.Name(), err)
			}
			ctx, cancel := context.WithCancel(context.Background())
			cancel()
			if err := call(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s with a context that is done: %v", key.Name(), err)
			}
			close(gate)
			must(t, call(ctxFor(t)))
		}
		again(kmsg.InitProducerID, p.InitTransactions)
		for i, end := range []func(context.Context) error{p.CommitTransaction, p.AbortTransaction, p.CommitTransaction} {
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), texts(6*i, 6, fmt.Sprint("x", i))))
			must(t, p.Flush(ctxFor(t)))
			must(t, p.SendOffsetsToTransaction(ctxFor(t), oneOffset, native.GroupMetadata{Group: "g"}))
			again(kmsg.EndTxn, end)
		}
		l.check(t, 18, false)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "x0", "x2"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// loser is a listener whose connections lose one answer each time it is armed: the broker did the work, the client doesn't
// know.
type loser struct {
	net.Listener
	armed *atomic.Bool
}

func (l loser) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return losing{nc, l.armed}, nil
}

type losing struct {
	net.Conn
	armed *atomic.Bool
}

func (c losing) Write(b []byte) (int, error) {
	if c.armed.CompareAndSwap(true, false) {
		return len(b), nil
	}
	return c.Conn.Write(b)
}

// TestLostAnswers loses the answer to each request of a transaction once.
func TestLostAnswers(t *testing.T) {
	for _, key := range txnKeys {
		armed := new(atomic.Bool)
		protocolsWith(t, func(t *testing.T, c *kfake.Cluster) {
			l := newLedger()
			cfg := transactional(c, l, "tx")
			cfg.RequestTimeout = 150 * time.Millisecond
			p := open(t, cfg)
			c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
				c.DropControl()
				armed.Store(true)
				return nil, nil, false
			})
			must(t, p.InitTransactions(ctxFor(t)))
			wholeTransaction(t, p, 0, "one")
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), texts(6, 6, "aborted")))
			must(t, p.AbortTransaction(ctxFor(t)))
			wholeTransaction(t, p, 12, "two")
			l.check(t, 18, true)
			if got, want := committed(t, c.ListenAddrs(), names...), values(6, "one", "two"); !slices.Equal(got, want) {
				t.Errorf("%s: read %v, want %v", key.Name(), got, want)
			}
		}, kfake.ListenFn(func(network, address string) (net.Listener, error) {
			inner, err := net.Listen(network, address)
			return loser{inner, armed}, err
		}))
	}
}

// TestDoubtfulBeginning has the coordinator carry out AddPartitionsToTxn or AddOffsetsToTxn without saying so: its answer is
// lost, or is an error though the request stands in its log. What it then answers until the records have expired says nothing
// of that. The transaction has to be ended before a new epoch is asked for: the coordinator takes a request for one in the
// middle of a transaction for another producer's, and fences both (TransactionCoordinator.prepareInitProducerIdTransit).
func TestDoubtfulBeginning(t *testing.T) {
	for _, tc := range []struct {
		key  kmsg.Key
		then *kerr.Error
		lost bool // the first answer; else it is then, too
	}{
		{kmsg.AddPartitionsToTxn, kerr.ConcurrentTransactions, true},
		{kmsg.AddPartitionsToTxn, kerr.CoordinatorLoadInProgress, true},
		{kmsg.AddPartitionsToTxn, kerr.NotCoordinator, true},
		{kmsg.AddPartitionsToTxn, kerr.NotCoordinator, false},
		{kmsg.AddPartitionsToTxn, kerr.CoordinatorNotAvailable, false},
		{kmsg.AddOffsetsToTxn, kerr.ConcurrentTransactions, true},
		{kmsg.AddOffsetsToTxn, kerr.NotCoordinator, false},
	} {
		t.Run(fmt.Sprint(tc.key.Name(), " ", tc.then.Message, " ", tc.lost), func(t *testing.T) {
			t.Parallel()
			armed := new(atomic.Bool)
			c := cluster(t, kfake.MaxVersions(kversion.V3_9_0()), kfake.ListenFn(func(network, address string) (net.Listener, error) {
				inner, err := net.Listen(network, address)
				return loser{inner, armed}, err
			}))
			l := newLedger()
			cfg := transactional(c, l, "tx")
			cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Linger = 300*time.Millisecond, 2*time.Second, 0
			p := begin(t, cfg)
			asked := watchEnds(c)
			var healed, first atomic.Bool
			c.ControlKey(int16(tc.key), func(req kmsg.Request) (kmsg.Response, error, bool) {
				c.KeepControl()
				switch {
				case healed.Load():
					return nil, nil, false
				case tc.lost && first.CompareAndSwap(false, true):
					armed.Store(true)
					return nil, nil, false
				}
				return refuseTxn(req, tc.then.Code), nil, true
			})
			if tc.key == kmsg.AddOffsetsToTxn { // no partition gets in, so that the records expire
				c.ControlKey(int16(kmsg.AddPartitionsToTxn), func(req kmsg.Request) (kmsg.Response, error, bool) {
					c.KeepControl()
					return refuseTxn(req, kerr.ConcurrentTransactions.Code), nil, !healed.Load()
				})
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				if err := p.SendOffsetsToTransaction(ctx, oneOffset, native.GroupMetadata{Group: "g"}); !errors.Is(err, native.ErrTransactionPending) {
					t.Fatalf("offsets: %v", err)
				}
			}
			must(t, p.Produce(ctxFor(t), texts(0, 6, "expired")))
			must(t, p.Flush(ctxFor(t)))
			if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) || !errors.Is(err, native.ErrDeliveryTimeout) {
				t.Errorf("commit: %v", err)
			}
			healed.Store(true)
			must(t, p.AbortTransaction(ctxFor(t)))
			if got, want := slices.Compact(asked()), []string{"EndTxn", "InitProducerID"}; !slices.Equal(got, want) {
				t.Errorf("asked %v, want %v", got, want)
			}
			wholeTransaction(t, p, 6, "next")
			l.check(t, 12, true)
			if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
				t.Errorf("read %v, want %v", got, want)
			}
		})
	}
}

// TestDeniedBeginning has the coordinator refuse them so that it is known that nothing has begun, or will never be known: an
// abort asks for nothing then.
func TestDeniedBeginning(t *testing.T) {
	for _, tc := range []struct {
		key kmsg.Key
		err *kerr.Error
	}{
		{kmsg.AddPartitionsToTxn, kerr.ConcurrentTransactions},
		{kmsg.AddPartitionsToTxn, kerr.UnknownTopicOrPartition},
		{kmsg.AddOffsetsToTxn, kerr.ConcurrentTransactions},
	} {
		c := cluster(t, kfake.MaxVersions(kversion.V3_9_0()))
		l := newLedger()
		cfg := transactional(c, l, "tx")
		cfg.Linger = 0
		p := begin(t, cfg)
		asked := watchEnds(c)
		ctx, refused := context.WithCancel(t.Context())
		c.ControlKey(int16(tc.key), func(req kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			refused()
			return refuseTxn(req, tc.err.Code), nil, true
		})
		if tc.key == kmsg.AddOffsetsToTxn {
			if err := p.SendOffsetsToTransaction(ctx, oneOffset, native.GroupMetadata{Group: "g"}); !errors.Is(err, native.ErrTransactionPending) {
				t.Fatalf("offsets: %v", err)
			}
		} else {
			must(t, p.Produce(ctxFor(t), texts(0, 6, "aborted")))
		}
		<-ctx.Done()
		must(t, p.AbortTransaction(ctxFor(t)))
		if got := asked(); len(got) > 0 {
			t.Errorf("%s, %s: asked %v", tc.key.Name(), tc.err.Message, got)
		}
	}
}

// watchEnds notes each EndTxn and InitProducerId; asked returns their names.
func watchEnds(c *kfake.Cluster) (asked func() []string) {
	var mu sync.Mutex
	var names []string
	for _, key := range []kmsg.Key{kmsg.EndTxn, kmsg.InitProducerID} {
		c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			names = append(names, key.Name())
			return nil, nil, false
		})
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(names)
	}
}

// refuseTxn answers AddPartitionsToTxn or AddOffsetsToTxn with an error.
func refuseTxn(req kmsg.Request, code int16) kmsg.Response {
	resp := req.ResponseKind()
	switch resp := resp.(type) {
	case *kmsg.AddOffsetsToTxnResponse:
		resp.ErrorCode = code
	case *kmsg.AddPartitionsToTxnResponse:
		for _, topic := range req.(*kmsg.AddPartitionsToTxnRequest).Topics {
			out := kmsg.AddPartitionsToTxnResponseTopic{Topic: topic.Topic}
			for _, p := range topic.Partitions {
				out.Partitions = append(out.Partitions, kmsg.AddPartitionsToTxnResponseTopicPartition{Partition: p, ErrorCode: code})
			}
			resp.Topics = append(resp.Topics, out)
		}
	}
	return resp
}

// TestAbortWakesProduce has a Produce wait for memory when the transaction is aborted: its records are refused, not put into
// the next transaction.
func TestAbortWakesProduce(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p, gate, refused := waitForMemory(t, c, l)
		aborted := make(chan error)
		go func() { aborted <- p.AbortTransaction(context.Background()) }()
		for p.BeginTransaction() == nil {
			t.Fatal("a transaction begins before the abort")
		}
		time.Sleep(20 * time.Millisecond) // the abort has begun, most likely
		close(gate)
		must(t, <-aborted)
		if err := <-refused; !errors.Is(err, native.ErrTransactionState) {
			t.Errorf("Produce: %v", err)
		}
		wholeTransaction(t, p, 5, "next")
		l.check(t, 11, true)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "next"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// TestCloseInTransaction closes with a transaction in each state: it is aborted, or its end is waited for, but not for ever.
func TestCloseInTransaction(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		cfg := transactional(c, l, "tx")
		cfg.RequestTimeout = 300 * time.Millisecond
		p := begin(t, cfg)
		must(t, p.Produce(ctxFor(t), texts(0, 6, "open")))
		ends := c.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn}, Observe: true, Count: -1})
		must(t, p.Flush(ctxFor(t)))
		must(t, p.Produce(ctxFor(t), texts(6, 6, "unsent")))
		must(t, p.Close())
		if ends.Hits() != 1 {
			t.Errorf("%d ends asked for in Close, want 1", ends.Hits())
		}
		l.check(t, 12, true)

		l = newLedger()
		cfg.OnAck = l.ack
		p = begin(t, cfg)
		must(t, p.Produce(ctxFor(t), texts(0, 6, "whole")))
		_, gate := holdNext(c, kmsg.EndTxn)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		if err := p.CommitTransaction(ctx); !errors.Is(err, native.ErrTransactionPending) {
			t.Errorf("commit: %v", err)
		}
		time.AfterFunc(50*time.Millisecond, func() { close(gate) })
		must(t, p.Close()) // waits for the commit

		silent := make(chan struct{})
		defer close(silent)
		q := begin(t, cfg)
		must(t, q.Produce(ctxFor(t), texts(6, 6, "given up")))
		must(t, q.Flush(ctxFor(t)))
		c.ControlKey(int16(kmsg.EndTxn), func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			c.SleepControl(func() { <-silent })
			return nil, nil, false
		})
		must(t, q.Close())
		l.check(t, 12, false)
	})
}

// TestCloseDuringCommit closes while another goroutine waits for a commit: both see its end.
func TestCloseDuringCommit(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "whole")))
		asked, gate := holdNext(c, kmsg.EndTxn)
		ctx, commit := ctxFor(t), make(chan error, 1)
		go func() { commit <- p.CommitTransaction(ctx) }()
		<-asked
		time.AfterFunc(50*time.Millisecond, func() { close(gate) })
		must(t, p.Close())
		must(t, <-commit)
		l.check(t, 6, false)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "whole"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// TestNoTransactionsThere asks brokers that don't offer a request of transactions: waiting wouldn't help.
func TestNoTransactionsThere(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.FindCoordinator, kmsg.InitProducerID} {
		versions := kversion.V3_9_0()
		versions.SetMaxKeyVersion(int16(key), -1)
		c := cluster(t, kfake.MaxVersions(versions))
		err := open(t, transactional(c, newLedger(), "tx")).InitTransactions(ctxFor(t))
		if want := "offer " + strings.Replace(key.Name(), "ID", "Id", 1); !errors.Is(err, native.ErrTransactionFatal) ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
