package franz

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/driver"
	"kbench/workload"
)

// idleProducer has everything but a connection: nothing is sent before the first record.
func idleProducer(tb testing.TB) (*producer, []workload.Record) {
	tb.Helper()
	cfg := driver.Config{Bootstrap: []string{"127.0.0.1:1"}, Topics: []string{"t"}, Producer: workload.DefaultProducerConfig(), Slots: 4096}
	opts, err := options(&cfg, driver.NewDialer(&cfg.Producer, nil))
	if err != nil {
		tb.Fatal(err)
	}
	client, err := kgo.NewClient(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.Close)
	recs := make([]workload.Record, cfg.Slots)
	for i := range recs {
		recs[i] = workload.Record{Slot: uint32(i), Partition: -1, Key: []byte("k"), Value: make([]byte, 100),
			Headers: []workload.Header{{Key: "a", Value: []byte("b")}}}
	}
	p := newProducer(client, &cfg, func([]driver.Ack) {})
	for i := range recs {
		p.fill(&recs[i], int64(recs[i].Size())) // gives every slot its room for headers
	}
	return p, recs
}

// BenchmarkOwnCost is all that the adapter does for a record besides calling kgo: filling the slot and passing on the
// acknowledgement.
func BenchmarkOwnCost(b *testing.B) {
	p, recs := idleProducer(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r := &recs[i%len(recs)]
		s := p.fill(r, int64(r.Size()))
		p.promise(&s.rec, nil)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
}
