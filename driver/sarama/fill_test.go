package sarama

import (
	"testing"

	"kbench/driver"
	"kbench/workload"
)

// TestNullAndEmpty checks what makes the difference between null and empty in sarama: nil. A fake cluster doesn't mind a
// header with a null key; a real broker refuses it.
func TestNullAndEmpty(t *testing.T) {
	p := &producer{slots: make([]slot, 1), topics: []string{"t"}, maxRequest: driver.NewSizeLimit(1 << 20), ack: func([]driver.Ack) {}}
	s := p.fill(&workload.Record{Value: []byte{}, Headers: []workload.Header{{Key: "", Value: nil}, {Key: "k", Value: []byte{}}}})
	if s.msg.Key != nil {
		t.Error("a null key became an Encoder")
	}
	if v, err := s.msg.Value.Encode(); v == nil || err != nil {
		t.Errorf("an empty value encodes as %v, %v", v, err)
	}
	for i, h := range s.msg.Headers {
		if h.Key == nil {
			t.Errorf("header %d has a null key", i)
		}
	}
	if s.msg.Headers[0].Value != nil || s.msg.Headers[1].Value == nil {
		t.Errorf("header values %v and %v, want null and empty", s.msg.Headers[0].Value, s.msg.Headers[1].Value)
	}
}
