package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"kbench/broker"
	"kbench/native"
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

// TestFatalVerdict holds what is made of a producer that couldn't go on: what it was told counts, not only that it was told.
func TestFatalVerdict(t *testing.T) {
	fatal := func(code *kerr.Error) error {
		return fmt.Errorf("%w: EndTxn: %w", native.ErrTransactionFatal, &native.Error{Code: code.Code, Name: code.Message})
	}
	modes := map[string]txnMode{}
	for _, m := range txnModes() {
		modes[m.topic] = m
	}
	const (
		unfenced = "BROKEN: 1 producers couldn't go on, though nobody fenced them"
		forgot   = "holds, but a coordinator forgot an epoch that it had given: 1 producers were fenced"
	)
	for _, tc := range []struct {
		mode      string
		err       *kerr.Error
		forgotten int
		want      string
		exit      int
	}{
		{"plain", kerr.ProducerFenced, 0, "BROKEN: 1 producers couldn't go on", exitBroken},
		{"plain", kerr.ProducerFenced, 1, forgot, exitHolds},
		{"expiring", kerr.ProducerFenced, 1, forgot, exitHolds},
		{"plain", kerr.InvalidTxnState, 1, unfenced, exitBroken},
		{"plain", kerr.InvalidProducerIDMapping, 1, unfenced, exitBroken},
		{"closing", kerr.ProducerFenced, 0, "holds", exitHolds},
		{"closing", kerr.InvalidProducerIDMapping, 0, unfenced, exitBroken},
		{"twins", kerr.ProducerFenced, 0, "holds", exitHolds},
		{"twins", kerr.InvalidTxnState, 0, "holds", exitHolds},
		{"twins", kerr.TransactionalIDAuthorizationFailed, 0, unfenced, exitBroken},
		{"overdue", kerr.ProducerFenced, 0, "holds", exitHolds},
		{"overdue", kerr.InvalidTxnState, 0, "holds", exitHolds},
		{"overdue", kerr.InvalidProducerIDMapping, 0, unfenced, exitBroken},
	} {
		ld, read := honestTxns()
		ld.mode = modes[tc.mode]
		ld.lives[0].fatal = fatal(tc.err)
		ld.lives[0].txns[1].overdue = ld.mode.overdue
		tally := ld.check(read, 1, nil)
		tally.forgotten = tc.forgotten
		r := newTxnRow(&scene{cluster: &cluster{target: &broker.Target{}}, fault: &fault{}}, ld, &tally)
		found := findings{txns: []txnRow{r}}
		if r.Fatal != 1 || r.Verdict != tc.want || found.exit() != tc.exit {
			t.Errorf("%s, %s, %d forgotten: %d fatal, %q, exit %d; want %q, exit %d", tc.mode, tc.err.Message, tc.forgotten, r.Fatal, r.Verdict, found.exit(), tc.want, tc.exit)
		}
	}
}

func TestExit(t *testing.T) {
	rows := func(verdicts ...string) (rs []row) {
		for _, v := range verdicts {
			rs = append(rs, row{Verdict: v})
		}
		return rs
	}
	for _, tc := range []struct {
		found findings
		want  int
	}{
		{findings{rows: rows("holds", "as documented", "nothing lost")}, exitHolds},
		{findings{rows: rows("holds", "NOT TESTED: nothing was sent twice")}, exitUntested},
		{findings{rows: rows("holds"), txns: []txnRow{{Verdict: "NOT TESTED: nobody was fenced"}}}, exitUntested},
		{findings{rows: rows("holds"), notes: []string{"no disk to fill"}}, exitUntested},
		{findings{rows: rows("BROKEN: 1 records twice"), txns: []txnRow{{Verdict: "NOT TESTED: nobody was fenced"}}, notes: []string{"no disk"}}, exitBroken},
		{findings{rows: rows("NOT TESTED: nothing was sent twice"), txns: []txnRow{{Verdict: "BROKEN: x"}}}, exitBroken},
	} {
		if got := tc.found.exit(); got != tc.want {
			t.Errorf("%+v: %d, want %d", tc.found, got, tc.want)
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
