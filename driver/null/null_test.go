package null_test

import (
	"context"
	"testing"

	"kbench/driver"
	"kbench/driver/drivertest"
	"kbench/driver/null"
	"kbench/workload"
)

func TestConformance(t *testing.T) {
	for _, d := range []driver.Driver{null.Driver(), null.Single()} {
		t.Run(d.Name, func(t *testing.T) { drivertest.Run(t, d, drivertest.NoDelivery()) })
	}
}

// burst is how many records the run loop hands over at once when it is behind.
const burst = 64

func session(tb testing.TB, d driver.Driver) (driver.Producer, []workload.Record) {
	tb.Helper()
	s, err := d.Open(context.Background(), driver.Config{Slots: 1024, Producer: workload.DefaultProducerConfig()}, func([]driver.Ack) {})
	if err != nil {
		tb.Fatal(err)
	}
	recs := make([]workload.Record, burst)
	for i := range recs {
		recs[i] = workload.Record{Slot: uint32(i), Partition: -1}
	}
	return s.Producer, recs
}

func BenchmarkSend(b *testing.B) {
	for _, d := range []driver.Driver{null.Driver(), null.Single()} {
		b.Run(d.Name, func(b *testing.B) {
			p, recs := session(b, d)
			b.ReportAllocs()
			for b.Loop() {
				if err := p.Send(context.Background(), recs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*burst), "ns/record")
		})
	}
}
