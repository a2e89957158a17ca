//go:build !race

package sarama

import (
	"testing"

	"kbench/driver"
	"kbench/workload"
)

// TestRecordDoesNotAllocate holds the adapter to account, not sarama: filling a slot and turning the message that comes
// back into an acknowledgement.
func TestRecordDoesNotAllocate(t *testing.T) {
	p := &producer{slots: make([]slot, 16), topics: []string{"t"}, maxRequest: driver.NewSizeLimit(1 << 20), compressed: true, ack: func([]driver.Ack) {}}
	r := workload.Record{Slot: 3, Partition: -1, Key: []byte("k"), Value: make([]byte, 100),
		Headers: []workload.Header{{Key: "a", Value: []byte("b")}}}
	acks := make([]driver.Ack, 0, maxAcks)
	if n := testing.AllocsPerRun(1000, func() {
		s := p.fill(&r)
		if b, err := s.msg.Value.Encode(); len(b) != 100 || err != nil {
			t.Fatal(len(b), err)
		}
		acks = append(acks[:0], p.acknowledged(&s.msg))
		p.deliver(acks)
	}); n != 0 {
		t.Errorf("%v allocations per record, want 0", n)
	}
}
