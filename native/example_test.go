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

// ExampleNewReplayer sends a thousand times the same ten records: what the cluster can take, at next to no cost here.
func ExampleNewReplayer() {
	cluster, err := kfake.NewCluster(kfake.SeedTopics(4, "orders")) // in place of a real one
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()

	template := make([]native.Record, 10)
	for i := range template {
		template[i].Value = fmt.Appendf(nil, `{"order": %d}`, i)
	}
	acknowledged := 0
	cfg := native.DefaultConfig()
	cfg.Bootstrap, cfg.Topics, cfg.Connections = cluster.ListenAddrs(), []string{"orders"}, 2
	cfg.OnAck = func(a native.Ack) {
		if a.Err == nil {
			acknowledged += len(a.Slots)
		}
	}
	ctx := context.Background()
	rp, err := native.NewReplayer(ctx, cfg, template)
	if err != nil {
		log.Fatal(err)
	}
	slots := make([]uint32, len(template)) // what tells records apart in OnAck; all the same here
	for range 1000 {
		if err := rp.Replay(ctx, 0, -1, slots); err != nil {
			log.Fatal(err)
		}
	}
	if err := rp.Flush(ctx); err != nil {
		log.Fatal(err)
	}
	if err := rp.Close(); err != nil { // and joins those that call OnAck
		log.Fatal(err)
	}
	fmt.Println(acknowledged, "records")
	// Output: 10000 records
}
