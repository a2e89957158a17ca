package sink_test

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker/sink"
)

func Example() {
	s, err := sink.Listen("127.0.0.1:0", sink.Options{Partitions: 6})
	if err != nil {
		fmt.Println(err)
		return
	}
	go s.Serve()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.Addr().String()), kgo.DefaultProduceTopic("orders"))
	if err != nil {
		fmt.Println(err)
		return
	}
	result := client.ProduceSync(context.Background(), kgo.StringRecord("one"), kgo.StringRecord("two"))
	client.Close()
	if err := s.Close(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(result.FirstErr(), s.Stats().Records)
	// Output: <nil> 2
}
