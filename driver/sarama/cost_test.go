package sarama

import (
	"testing"
	"time"

	"github.com/IBM/sarama"

	"kbench/driver"
	"kbench/workload"
)

// BenchmarkOwnCost is all that the adapter does for a record: filling the slot, a select instead of a plain send, and
// turning what comes back into an acknowledgement.
func BenchmarkOwnCost(b *testing.B) {
	input := make(chan *sarama.ProducerMessage, 64)
	p := &producer{slots: make([]slot, 4096), topics: []string{"t"}, maxRequest: driver.NewSizeLimit(1 << 20), input: input, ack: func([]driver.Ack) {}, wait: newWaiter(time.Minute)}
	recs := make([]workload.Record, 64)
	for i := range recs {
		recs[i] = workload.Record{Partition: -1, Value: make([]byte, 100)}
	}
	acks := make([]driver.Ack, 0, 1)
	b.ReportAllocs()
	next := 0
	for b.Loop() {
		for i := range recs {
			recs[i].Slot = uint32(next)
			next = (next + 1) % len(p.slots)
		}
		if err := p.Send(b.Context(), recs); err != nil {
			b.Fatal(err)
		}
		for range recs {
			acks = append(acks[:0], p.acknowledged(<-input))
			p.deliver(acks)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(recs)), "ns/record")
}

// BenchmarkPlainChannel is the part of BenchmarkOwnCost that sarama itself asks for: its Input is a channel.
func BenchmarkPlainChannel(b *testing.B) {
	input := make(chan *sarama.ProducerMessage, 64)
	m := new(sarama.ProducerMessage)
	for b.Loop() {
		for range 64 {
			input <- m
		}
		for range 64 {
			<-input
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*64), "ns/record")
}
