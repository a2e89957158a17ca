package native_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kfake"

	"kbench/native"
)

// Example sends three records and waits for their acknowledgements.
func Example() {
	cluster, err := kfake.NewCluster(kfake.SeedTopics(1, "orders")) // in place of a real one
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	cfg := native.DefaultConfig()
	cfg.Bootstrap = cluster.ListenAddrs()
	cfg.Topics = []string{"orders"}
	cfg.OnAck = func(a native.Ack) {
		for i, slot := range a.Slots {
			if a.Err != nil {
				fmt.Println("record", slot, "failed:", a.Err)
				continue
			}
			fmt.Printf("record %d is at offset %d of partition %d\n", slot, a.BaseOffset+int64(i), a.Partition)
		}
	}
	ctx := context.Background()
	p, err := native.New(ctx, cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer p.Close()

	if err := p.Produce(ctx, []native.Record{
		{Slot: 0, Partition: -1, Value: []byte("one")},
		{Slot: 1, Partition: -1, Key: []byte("customer 7"), Value: []byte("two")},
		{Slot: 2, Partition: -1, Value: []byte("three"), Headers: []native.Header{{Key: "trace", Value: []byte("f00")}}},
	}); err != nil {
		log.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	// Output:
	// record 0 is at offset 0 of partition 0
	// record 1 is at offset 1 of partition 0
	// record 2 is at offset 2 of partition 0
}
