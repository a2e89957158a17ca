package native_test

import (
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker"
	"kbench/native"
)

// TestDoubtfulBeginningOnKafka is TestDoubtfulBeginning on three real nodes of which one is killed: until the controller takes
// it out of the replicas in sync, after six seconds, the coordinator can't replicate what it was told. It answers nothing to the
// first AddPartitionsToTxn, CONCURRENT_TRANSACTIONS to others, and then counts the partition in. By then its record has expired.
// KBENCH_TEST_KAFKA=1 asks for it.
func TestDoubtfulBeginningOnKafka(t *testing.T) {
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
	target, err := broker.Start(ctxFor(t), broker.Spec{Kind: broker.KindKafka, Version: "3.9.1", Brokers: 3, Dir: t.TempDir()})
	must(t, err)
	t.Cleanup(func() {
		if err := target.Close(); err != nil {
			t.Error(err)
		}
	})
	cl, err := kgo.NewClient(kgo.SeedBrokers(target.Bootstrap...))
	must(t, err)
	t.Cleanup(cl.Close)
	admin := kadm.NewClient(cl)
	resp, err := admin.CreateTopics(ctxFor(t), 1, 3, nil, "doubt")
	must(t, errors.Join(err, resp.Error()))

	l := newLedger()
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.OnAck, cfg.TransactionalID = target.Bootstrap, []string{"doubt"}, l.ack, "doubt"
	cfg.RequestTimeout, cfg.DeliveryTimeout, cfg.Linger = 1500*time.Millisecond, 3*time.Second, 0
	p := begin(t, cfg)
	coordinator := admin.FindTxnCoordinators(ctxFor(t), "doubt")["doubt"]
	must(t, coordinator.Err)
	other := slices.IndexFunc(target.Nodes(), func(n broker.Node) bool { return int32(n.ID) != coordinator.NodeID })
	must(t, target.Kill(other))
	must(t, p.Produce(ctxFor(t), onePartition(texts(0, 6, "expired"))))
	must(t, p.Flush(ctxFor(t)))
	if err := p.CommitTransaction(ctxFor(t)); !errors.Is(err, native.ErrDeliveryTimeout) {
		t.Errorf("commit: %v", err)
	}
	must(t, p.AbortTransaction(ctxFor(t)))
	must(t, p.BeginTransaction())
	must(t, p.Produce(ctxFor(t), onePartition(texts(6, 6, "after"))))
	must(t, p.CommitTransaction(ctxFor(t)))
	l.check(t, 12, true)
	if got, want := committed(t, target.Bootstrap, "doubt"), values(6, "after"); !slices.Equal(got, want) {
		t.Errorf("read %v, want %v", got, want)
	}
}
