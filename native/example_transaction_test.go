package native_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/native"
)

// ExampleProducer_BeginTransaction moves money in a transaction: both records count, or neither does.
func ExampleProducer_BeginTransaction() {
	cluster, err := kfake.NewCluster(kfake.SeedTopics(2, "accounts")) // in place of a real one
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics = cluster.ListenAddrs(), []string{"accounts"}
	cfg.TransactionalID = "transfers-1" // the same after a restart: what was left open is aborted then
	cfg.OnAck = func(native.Ack) {}     // CommitTransaction says whether all is well
	ctx := context.Background()
	p, err := native.New(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()
	if err := p.InitTransactions(ctx); err != nil {
		log.Fatal(err)
	}

	transfer := func(from, to string, amount int) error {
		if err := p.BeginTransaction(); err != nil {
			return err
		}
		err := p.Produce(ctx, []native.Record{
			{Partition: -1, Key: []byte(from), Value: fmt.Append(nil, -amount)},
			{Partition: -1, Key: []byte(to), Value: fmt.Append(nil, amount)},
		})
		if err == nil {
			err = p.CommitTransaction(ctx)
		}
		for errors.Is(err, native.ErrTransactionPending) { // a coordinator takes long
			err = p.CommitTransaction(ctx)
		}
		if err == nil || errors.Is(err, native.ErrTransactionFatal) {
			return err
		}
		aborted := p.AbortTransaction(ctx)
		for errors.Is(aborted, native.ErrTransactionPending) {
			aborted = p.AbortTransaction(ctx)
		}
		return errors.Join(err, aborted)
	}
	fmt.Println(transfer("alice", "bob", 7))
	fmt.Println(transfer("bob", "carol", 3))
	// Output:
	// <nil>
	// <nil>
}
