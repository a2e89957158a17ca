//go:build !race

package sink_test

import (
	"io"
	"path/filepath"
	"testing"

	"kbench/broker/sink"
)

// TestProduceAllocatesNothing counts what the whole process allocates while requests are sent and answered.
func TestProduceAllocatesNothing(t *testing.T) {
	var nothing [16]byte
	small, large := batch(3, 100), batch(300, 1000)
	log := filepath.Join(t.TempDir(), "log")
	held := sink.Options{Hold: hold(t, "mgk:servers=2,service=lognormal,median=1us,sigma=1,per=record", "stall:at=1us,for=1us,every=1ms",
		"cap:1000000000/s", "error:6,share=0.1", "throttle:1ms,share=0.1", "drift:from=0s,to=1us,over=1ms"), TimingLog: log}
	tests := []struct {
		name    string
		version int16
		acks    int16
		options sink.Options
		parts   []part
	}{
		{"one small batch, old", 3, 1, sink.Options{}, []part{{"t", nothing, 0, small}}},
		{"one small batch", 9, -1, sink.Options{}, []part{{"t", nothing, 0, small}}},
		{"one large batch", 12, -1, sink.Options{}, []part{{"t", nothing, 0, large}}},
		{"many partitions and topics", 9, -1, sink.Options{}, []part{{"t", nothing, 0, large}, {"t", nothing, 1, small},
			{"u", nothing, 5, large}, {"v", nothing, 11, small}}},
		{"checked", 9, -1, sink.Options{CheckCRC: true}, []part{{"t", nothing, 0, large}}},
		{"an error", 9, -1, sink.Options{}, []part{{"t", nothing, 99, large}}},
		{"no acks", 9, 0, sink.Options{}, []part{{"t", nothing, 0, large}}},
		{"held and logged", 9, -1, held, []part{{"t", nothing, 0, large}, {"t", nothing, 1, small}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, addr := start(t, tt.options)
			nc := dial(t, addr)
			request := encode(produce(tt.version, tt.acks, tt.parts...), 1)
			if tt.acks == 0 { // something that is answered, to wait for
				request = append(request, encode(produce(9, 1, part{topic: "t", records: small}), 2)...)
			}
			if _, err := nc.Write(request); err != nil {
				t.Fatal(err)
			}
			_, body := frame(t, nc)
			answer := make([]byte, 8+len(body))
			allocs := testing.AllocsPerRun(300, func() {
				if _, err := nc.Write(request); err != nil {
					t.Fatal(err)
				}
				if _, err := io.ReadFull(nc, answer); err != nil {
					t.Fatal(err)
				}
			})
			if allocs != 0 {
				t.Errorf("%v allocations a request, want 0", allocs)
			}
		})
	}
}
