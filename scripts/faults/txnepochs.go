package main

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// A producer that asks for a new epoch and isn't answered asks again, with its old one. The coordinator knows that one as
// lastProducerEpoch, and answers as before; but that isn't in __transaction_state, so its successor, or itself after a restart,
// takes the producer for one that was fenced by another, and the producer is of no use any more; Java's ends likewise. Source:
// TransactionMetadata.prepareIncrementProducerEpoch, whose comment expects it in the log (KIP-360), and
// TransactionLog.valueToBytes and readTxnRecordValue, which leave it out.

// countForgotten counts the epochs of a transactional.id that its coordinator gave, and forgot to whom.
func countForgotten(ctx context.Context, bootstrap []string, id string) (int, error) {
	state, err := readAll(ctx, bootstrap, stateTopic)
	if err != nil {
		return 0, err
	}
	return forgottenEpochs(state, id)
}

// forgottenEpochs is countForgotten of what was read. Such an epoch was given between transactions, nothing was done with it,
// and the next one was given in another term of leadership, to the producer that came after. (A single node of 3.9 that is
// killed and soon started again stays in its term: there nobody can tell.) A producer that couldn't go on for its own fault, as
// by asking in the middle of a transaction, leaves an abort by the new epoch instead.
func forgottenEpochs(state []*kgo.Record, id string) (n int, err error) {
	states, err := statesOf(state, id)
	if err != nil {
		return 0, err
	}
	states = slices.CompactFunc(states, func(a, b txnState) bool { // the coordinator that does know answers again, and writes again
		return a.State == b.State && a.ProducerID == b.ProducerID && a.ProducerEpoch == b.ProducerEpoch
	})
	for i := 2; i < len(states); i++ {
		used, given, next := &states[i-2], &states[i-1], &states[i]
		if given.State == kmsg.TransactionStateEmpty && next.State == kmsg.TransactionStateEmpty && given.leaderEpoch < next.leaderEpoch &&
			used.ProducerID == given.ProducerID && given.ProducerID == next.ProducerID &&
			used.ProducerEpoch+1 == given.ProducerEpoch && given.ProducerEpoch+1 == next.ProducerEpoch {
			n++
		}
	}
	return n, nil
}
