package main

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"

	"kbench/broker"
	"kbench/native"
)

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
