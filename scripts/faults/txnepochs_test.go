package main

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker"
)

// state makes the records of __transaction_state for id "x", one for each {state, epoch, leader epoch}.
func state(t *testing.T, lines ...[3]int) (recs []*kgo.Record) {
	t.Helper()
	for _, l := range lines {
		key := kmsg.TxnMetadataKey{TransactionalID: "x"}
		v := kmsg.TxnMetadataValue{ProducerID: 7, State: kmsg.TransactionState(l[0]), ProducerEpoch: int16(l[1])}
		recs = append(recs, &kgo.Record{Key: key.AppendTo(nil), Value: v.AppendTo(nil), LeaderEpoch: int32(l[2])})
	}
	return recs
}

func TestForgottenEpochs(t *testing.T) {
	const empty, ongoing, prepared, aborted = int(kmsg.TransactionStateEmpty), int(kmsg.TransactionStateOngoing),
		int(kmsg.TransactionStatePrepareAbort), int(kmsg.TransactionStateCompleteAbort)
	for name, tc := range map[string]struct {
		lines [][3]int
		want  int
	}{
		"forgotten":                {[][3]int{{aborted, 3, 1}, {empty, 4, 1}, {empty, 5, 2}, {ongoing, 5, 2}}, 1},
		"answered again first":     {[][3]int{{aborted, 3, 1}, {empty, 4, 1}, {empty, 4, 1}, {empty, 5, 2}}, 1},
		"the same coordinator":     {[][3]int{{aborted, 3, 1}, {empty, 4, 1}, {empty, 5, 1}}, 0},
		"used":                     {[][3]int{{aborted, 3, 1}, {empty, 4, 1}, {ongoing, 4, 2}, {prepared, 4, 2}, {aborted, 4, 2}, {empty, 5, 2}}, 0},
		"not between transactions": {[][3]int{{aborted, 3, 1}, {prepared, 4, 1}, {empty, 5, 2}}, 0},
		"fenced by its own asking": {[][3]int{{ongoing, 3, 1}, {prepared, 4, 2}, {aborted, 4, 2}, {empty, 5, 2}}, 0},
	} {
		if n, err := forgottenEpochs(state(t, tc.lines...), "x"); n != tc.want || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
		if n, err := forgottenEpochs(state(t, tc.lines...), "another"); n != 0 || err != nil {
			t.Errorf("%s: %d of another, %v", name, n, err)
		}
	}
}

// TestForgottenEpochOnKafka asks a real coordinator for a new epoch, again as if the answer had been lost, and once more after
// it was killed. KBENCH_TEST_KAFKA=1 asks for it.
func TestForgottenEpochOnKafka(t *testing.T) {
	if os.Getenv("KBENCH_TEST_KAFKA") != "1" {
		t.Skip("KBENCH_TEST_KAFKA=1 runs the tests with real Kafka")
	}
	for version, nodes := range map[string]int{"3.9.1": 3, "4.3.1": 1} {
		t.Run(version, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
			defer cancel()
			target, err := broker.Start(ctx, broker.Spec{Kind: broker.KindKafka, Version: version, Brokers: nodes, Dir: t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := target.Close(); err != nil {
					t.Error(err)
				}
			}()
			cl, err := kgo.NewClient(kgo.SeedBrokers(target.Bootstrap...))
			if err != nil {
				t.Fatal(err)
			}
			defer cl.Close()
			id, x := int64(-1), "x"
			ask := func(producer int64, epoch, want int16, refused error) {
				t.Helper()
				req := kmsg.NewInitProducerIDRequest()
				req.TransactionalID, req.TransactionTimeoutMillis, req.ProducerID, req.ProducerEpoch = &x, 60_000, producer, epoch
				resp, err := req.RequestWith(ctx, cl)
				if err != nil {
					t.Fatal(err)
				}
				if err := kerr.ErrorForCode(resp.ErrorCode); !errors.Is(err, refused) || refused == nil && (err != nil || resp.ProducerEpoch != want) {
					t.Errorf("epoch %d: got epoch %d, %v; want %d, %v", epoch, resp.ProducerEpoch, err, want, refused)
				}
				id = max(id, resp.ProducerID)
			}
			ask(-1, -1, 0, nil)
			ask(id, 0, 1, nil)
			ask(id, 0, 1, nil) // it remembers
			coordinator := kadm.NewClient(cl).FindTxnCoordinators(ctx, x)[x]
			i := slices.IndexFunc(target.Nodes(), func(n broker.Node) bool { return int32(n.ID) == coordinator.NodeID })
			if err := errors.Join(coordinator.Err, target.Kill(i)); err != nil {
				t.Fatal(err)
			}
			if nodes == 1 {
				if err := target.Restart(ctx, i); err != nil {
					t.Fatal(err)
				}
			}
			ask(id, 0, 0, kerr.ProducerFenced)
			ask(-1, -1, 2, nil)
			if n, err := countForgotten(ctx, target.Bootstrap, x); n != 1 || err != nil {
				t.Errorf("%d forgotten epochs, %v", n, err)
			}
		})
	}
}
