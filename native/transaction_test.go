package native_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"kbench/native"
)

// protocols runs a test on a cluster of each protocol: of brokers that know transaction.version 0 alone, of brokers that know
// 2 on which the cluster hasn't agreed, and with 2.
func protocols(t *testing.T, test func(t *testing.T, c *kfake.Cluster)) {
	t.Helper()
	protocolsWith(t, test)
}

// isV2 says whether a test of protocols has transaction.version 2.
func isV2(t *testing.T) bool { return strings.Contains(t.Name(), "/v2") }

// protocolsWith is protocols with options for the clusters.
func protocolsWith(t *testing.T, test func(t *testing.T, c *kfake.Cluster), opts ...kfake.Opt) {
	t.Helper()
	for _, p := range []struct {
		name     string
		versions *kversion.Versions
		level    int16
	}{{"v1", kversion.V3_9_0(), 0}, {"v1 on new brokers", kversion.V4_1_0(), 0}, {"v2", kversion.V4_1_0(), 2}} {
		t.Run(p.name, func(t *testing.T) {
			c := cluster(t, append(opts, kfake.MaxVersions(p.versions))...)
			if strings.Contains(p.name, "new") {
				finalize(t, c.ListenAddrs(), p.level)
			}
			test(t, c)
		})
	}
}

// finalize sets a cluster's transaction.version.
func finalize(t *testing.T, addrs []string, level int16) {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	must(t, err)
	defer cl.Close()
	req := kmsg.NewPtrUpdateFeaturesRequest()
	f := kmsg.NewUpdateFeaturesRequestFeatureUpdate()
	f.Feature, f.MaxVersionLevel, f.UpgradeType, f.AllowDowngrade = "transaction.version", level, 2, true
	if level > 0 {
		f.UpgradeType = 1
	}
	req.FeatureUpdates = append(req.FeatureUpdates, f)
	resp, err := req.RequestWith(ctxFor(t), cl)
	must(t, err)
	must(t, kerr.ErrorForCode(resp.ErrorCode))
	for _, r := range resp.Results {
		must(t, kerr.ErrorForCode(r.ErrorCode))
	}
}

// transactional is config with a transactional id.
func transactional(c *kfake.Cluster, l *ledger, id string) native.Config {
	cfg := config(c, l)
	cfg.TransactionalID = id
	return cfg
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// committed waits until no transaction is open in topics, reads them as read_committed consumers do, and returns the sorted
// values.
func committed(t *testing.T, addrs []string, topics ...string) []string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.KeepControlRecords(), kgo.FetchMaxWait(100*time.Millisecond), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	must(t, err)
	defer cl.Close()
	ends := stable(t, kadm.NewClient(cl), topics)
	at := map[string]int64{}
	left := func() bool {
		n := 0
		ends.Each(func(o kadm.ListedOffset) {
			if at[fmt.Sprint(o.Topic, o.Partition)] < o.Offset {
				n++
			}
		})
		return n > 0
	}
	out := []string{}
	for left() {
		fetches := cl.PollFetches(ctxFor(t))
		must(t, fetches.Err())
		fetches.EachRecord(func(r *kgo.Record) {
			at[fmt.Sprint(r.Topic, r.Partition)] = r.Offset + 1
			if !r.Attrs.IsControl() {
				out = append(out, string(r.Value))
			}
		})
	}
	slices.Sort(out)
	return out
}

// stable waits until topics' last stable offsets are their ends: a coordinator answers before its markers are written.
func stable(t *testing.T, admin *kadm.Client, topics []string) kadm.ListedOffsets {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		ends, err := admin.ListEndOffsets(ctxFor(t), topics...)
		must(t, err)
		must(t, ends.Error())
		open := 0
		committed, err := admin.ListCommittedOffsets(ctxFor(t), topics...)
		must(t, err)
		must(t, committed.Error())
		ends.Each(func(o kadm.ListedOffset) {
			if c, _ := committed.Lookup(o.Topic, o.Partition); c.Offset < o.Offset {
				open++
			}
		})
		if open == 0 {
			return ends
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d partitions of %v have a transaction open", open, topics)
		}
	}
}

// texts makes records with the values name-0 and so on, over all partitions of both topics.
func texts(first, n int, name string) []native.Record {
	recs := make([]native.Record, n)
	for i := range recs {
		recs[i] = native.Record{Slot: uint32(first + i), Topic: int32(i % 2), Partition: int32(i / 2 % 3), Value: fmt.Appendf(nil, "%s-%02d", name, i)}
	}
	return recs
}

// values are those of texts.
func values(n int, names ...string) []string {
	out := []string{}
	for _, name := range names {
		for i := range n {
			out = append(out, fmt.Sprintf("%s-%02d", name, i))
		}
	}
	slices.Sort(out)
	return out
}

// begin opens a producer and its first transaction.
func begin(t *testing.T, cfg native.Config) *native.Producer {
	t.Helper()
	p := open(t, cfg)
	must(t, p.InitTransactions(ctxFor(t)))
	must(t, p.BeginTransaction())
	return p
}

// holdNext has the cluster answer the next request of a key when gate is closed; asked is closed when it has come.
func holdNext(c *kfake.Cluster, key kmsg.Key) (asked, gate chan struct{}) {
	asked, gate = make(chan struct{}), make(chan struct{})
	c.ControlKey(int16(key), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.DropControl()
		close(asked)
		c.SleepControl(func() { <-gate })
		return nil, nil, false
	})
	return asked, gate
}

// waitForMemory begins a transaction in which a Produce of four records waits for the memory of one that was sent before them
// and is answered when gate is closed. What it returns comes over ended.
func waitForMemory(t *testing.T, c *kfake.Cluster, l *ledger) (p *native.Producer, gate chan struct{}, ended chan error) {
	t.Helper()
	cfg := transactional(c, l, "tx")
	cfg.BatchSize, cfg.BufferMemory = 1000, 1000
	cfg.Linger, cfg.DeliveryTimeout = time.Hour/2, time.Hour
	p = begin(t, cfg)
	_, gate = holdNext(c, kmsg.Produce)
	must(t, p.Produce(ctxFor(t), onePartition(texts(0, 1, "sent"))))
	ended = make(chan error)
	go func() { ended <- p.Produce(context.Background(), texts(1, 4, "waits")) }()
	for p.Stats().Requests == 0 { // the one that waits has the first one sent
		time.Sleep(time.Millisecond)
	}
	return p, gate, ended
}

// commitsAndAborts goes through five transactions of ten records: "one", "two" and "three" are committed, "aborted" is aborted
// when it was sent, "dropped" before.
func commitsAndAborts(t *testing.T, p *native.Producer) {
	t.Helper()
	for i, name := range []string{"one", "aborted", "two", "dropped", "three"} {
		must(t, p.BeginTransaction())
		must(t, p.Produce(ctxFor(t), texts(10*i, 10, name)))
		switch name {
		case "aborted":
			must(t, p.Flush(ctxFor(t)))
			must(t, p.AbortTransaction(ctxFor(t)))
		case "dropped":
			must(t, p.AbortTransaction(ctxFor(t)))
		default:
			must(t, p.CommitTransaction(ctxFor(t)))
		}
	}
}

// TestTransactions commits and aborts in turn: a consumer sees the commits alone.
func TestTransactions(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		cfg := transactional(c, l, "tx")
		cfg.Linger = time.Hour / 2 // ending a transaction doesn't linger
		cfg.DeliveryTimeout = time.Hour
		p := open(t, cfg)
		must(t, p.InitTransactions(ctxFor(t)))
		commitsAndAborts(t, p)
		must(t, p.BeginTransaction()) // without a record
		must(t, p.CommitTransaction(ctxFor(t)))
		l.check(t, 50, true)
		for slot := range uint32(50) {
			e, _ := l.get(slot)
			if dropped := slot/10 == 3; dropped != errors.Is(e.err, native.ErrTransactionAborted) || !dropped && e.err != nil {
				t.Errorf("slot %d ended with %v", slot, e.err)
			}
		}
		if got, want := committed(t, c.ListenAddrs(), names...), values(10, "one", "two", "three"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
		if v := p.Stats().ProduceVersion; (v > 11) != isV2(t) {
			t.Errorf("Produce %d", v)
		}
	})
}

// TestTransactionOffsets commits offsets of a group with one transaction, and not with an aborted one.
func TestTransactionOffsets(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		group := native.GroupMetadata{Group: "g"}
		offsets := []native.Offset{{Topic: "b", Partition: 2, Offset: 5, LeaderEpoch: -1, Metadata: "m"},
			{Topic: "a", Partition: 1, Offset: 7, LeaderEpoch: -1},
			{Topic: "b", Partition: 0, Offset: 9, LeaderEpoch: -1}}
		produceAll := func(first int, at int64) {
			t.Helper()
			must(t, p.Produce(ctxFor(t), texts(first, 6, "x")))
			for i := range offsets {
				offsets[i].Offset += at
			}
			must(t, p.SendOffsetsToTransaction(ctxFor(t), offsets, group))
		}
		produceAll(0, 0)
		must(t, p.CommitTransaction(ctxFor(t)))
		must(t, p.BeginTransaction())
		produceAll(6, 100)
		must(t, p.AbortTransaction(ctxFor(t)))
		must(t, p.BeginTransaction()) // with offsets alone
		must(t, p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: "a", Partition: 0, Offset: 3, LeaderEpoch: -1}}, group))
		must(t, p.CommitTransaction(ctxFor(t)))
		l.check(t, 12, true)
		if got, want := groupOffsets(t, c.ListenAddrs(), "g"), "a0=3 a1=7 b0=9 b2=5m"; got != want {
			t.Errorf("the group's offsets are %s, want %s", got, want)
		}
	})
}

// groupOffsets lists what a group committed.
func groupOffsets(t *testing.T, addrs []string, group string) string {
	t.Helper()
	cl, err := kgo.NewClient(kgo.SeedBrokers(addrs...))
	must(t, err)
	defer cl.Close()
	got, err := kadm.NewClient(cl).FetchOffsets(ctxFor(t), group)
	must(t, err)
	var out []string
	for _, o := range got.Sorted() {
		out = append(out, fmt.Sprintf("%s%d=%d%s", o.Topic, o.Partition, o.At, o.Metadata))
	}
	return strings.Join(out, " ")
}

// TestOutOfTurn calls everything where it isn't possible.
func TestOutOfTurn(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := open(t, transactional(c, l, "tx"))
		slot := 0
		refuses := func(where string, calls ...string) {
			t.Helper()
			for _, call := range calls {
				var err error
				switch call {
				case "init":
					err = p.InitTransactions(ctxFor(t))
				case "begin":
					err = p.BeginTransaction()
				case "produce":
					err = p.Produce(ctxFor(t), texts(slot, 1, "no"))
					slot++
				case "offsets":
					err = p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: "a"}}, native.GroupMetadata{Group: "g"})
				case "commit":
					err = p.CommitTransaction(ctxFor(t))
				case "abort":
					err = p.AbortTransaction(ctxFor(t))
				}
				if !errors.Is(err, native.ErrTransactionState) {
					t.Errorf("%s %s: %v", call, where, err)
				}
			}
		}
		for op, call := range map[string]func(context.Context) error{"CommitTransaction": p.CommitTransaction, "AbortTransaction": p.AbortTransaction} {
			says(t, op, call(ctxFor(t)), native.ErrTransactionState, op+" before InitTransactions")
		}
		says(t, "begin", p.BeginTransaction(), native.ErrTransactionState, "BeginTransaction before InitTransactions")
		refuses("at first", "begin", "produce", "offsets", "commit", "abort")
		must(t, p.InitTransactions(ctxFor(t)))
		says(t, "init again", p.InitTransactions(ctxFor(t)), native.ErrTransactionState, "InitTransactions was called before")
		refuses("when ready", "init", "produce", "offsets", "commit", "abort")
		must(t, p.BeginTransaction())
		refuses("in a transaction", "init", "begin")
		if err := p.SendOffsetsToTransaction(ctxFor(t), []native.Offset{{Topic: "a"}}, native.GroupMetadata{Group: "g", Generation: 3}); err == nil {
			t.Error("a generation without a member passes")
		}
		must(t, p.CommitTransaction(ctxFor(t)))
		refuses("after a transaction", "init", "produce", "offsets", "commit", "abort")
		l.check(t, slot, true)

		q := open(t, config(c, newLedger()))
		for _, err := range []error{q.InitTransactions(ctxFor(t)), q.BeginTransaction(), q.CommitTransaction(ctxFor(t)),
			q.AbortTransaction(ctxFor(t)), q.SendOffsetsToTransaction(ctxFor(t), nil, native.GroupMetadata{})} {
			if !errors.Is(err, native.ErrNotTransactional) {
				t.Errorf("without transactional.id: %v", err)
			}
		}
		must(t, p.Close())
		for _, err := range []error{p.InitTransactions(ctxFor(t)), p.BeginTransaction(), p.CommitTransaction(ctxFor(t)), p.AbortTransaction(ctxFor(t))} {
			if !errors.Is(err, native.ErrClosed) {
				t.Errorf("after Close: %v", err)
			}
		}
	})
}

// TestTransactionConfig checks what is refused.
func TestTransactionConfig(t *testing.T) {
	for want, set := range map[string]func(*native.Config){
		`transactional.id "tx" needs enable.idempotence`: func(c *native.Config) { c.EnableIdempotence = false },
		"enable.idempotence needs acks=all":              func(c *native.Config) { c.Acks = 1 },
		"transaction.timeout.ms: 0s":                     func(c *native.Config) { c.TransactionTimeout = 0 },
		"client.id: 40000 bytes, more than 32767":        func(c *native.Config) { c.ClientID = strings.Repeat("x", 40000) },
		"1 to 65535":                        func(c *native.Config) { c.Bootstrap = []string{"localhost:99999"} },
		"transactional.id: its 40000 bytes": func(c *native.Config) { c.TransactionalID = strings.Repeat("x", 40000) },
	} {
		cfg := native.DefaultConfig()
		cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.TransactionalID = []string{"x:1"}, []string{"a"}, func(native.Ack) {}, "tx"
		set(&cfg)
		if _, err := native.New(context.Background(), cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestTwin opens a second producer with the same transactional id: the first one can't go on, and its records don't count.
func TestTwin(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		l := newLedger()
		p := begin(t, transactional(c, l, "tx"))
		must(t, p.Produce(ctxFor(t), texts(0, 6, "first")))
		must(t, p.Flush(ctxFor(t)))
		q := begin(t, transactional(c, newLedger(), "tx"))
		must(t, q.Produce(ctxFor(t), texts(0, 6, "twin")))
		must(t, q.CommitTransaction(ctxFor(t)))
		for range 2 {
			if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrProducerFenced) || !errors.Is(err, native.ErrTransactionFatal) {
				t.Errorf("the first one's commit: %v", err)
			}
		}
		if err := p.AbortTransaction(ctxFor(t)); !errors.Is(err, native.ErrProducerFenced) {
			t.Errorf("the first one's abort: %v", err)
		}
		if err := p.Produce(ctxFor(t), texts(6, 2, "late")); !errors.Is(err, native.ErrProducerFenced) {
			t.Errorf("the first one's Produce: %v", err)
		}
		l.check(t, 8, true)
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "twin"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}

// TestTransactionRefusedRecord: a transaction that lacks a record, because Produce refused it, can't be committed.
func TestTransactionRefusedRecord(t *testing.T) {
	protocols(t, func(t *testing.T, c *kfake.Cluster) {
		for name, spoil := range map[string]func(*native.Record){
			"too large": func(r *native.Record) { r.Value = make([]byte, 2<<20) },
			"topic":     func(r *native.Record) { r.Topic = 9 },
		} {
			l := newLedger()
			p := begin(t, transactional(c, l, "tx "+name[:3]))
			recs := texts(0, 6, "partly")
			spoil(&recs[3])
			if err := p.Produce(ctxFor(t), recs); !errors.Is(err, native.ErrTransactionAbortable) {
				t.Errorf("%s: Produce: %v", name, err)
			}
			if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrTransactionAbortable) {
				t.Errorf("%s: commit: %v", name, err)
			}
			must(t, p.AbortTransaction(ctxFor(t)))
			must(t, p.BeginTransaction())
			must(t, p.Produce(ctxFor(t), texts(6, 6, "whole "+name[:3])))
			must(t, p.CommitTransaction(ctxFor(t)))
			l.check(t, 12, true)
		}
		if got, want := committed(t, c.ListenAddrs(), names...), values(6, "whole too", "whole top"); !slices.Equal(got, want) {
			t.Errorf("read %v, want %v", got, want)
		}
	})
}
