//go:build !race

package native_test

import (
	"context"
	"testing"

	"kbench/native"
)

// TestAllocations sends 20,000 records in about a thousand batches, and allows for what one Flush takes: nothing is left
// for records or batches.
func TestAllocations(t *testing.T) {
	const flush = 4 // the generation, its channel, and room for chance
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		t.Run(codec, func(t *testing.T) {
			cfg := native.DefaultConfig()
			cfg.Bootstrap, cfg.Topics = []string{startSink(t)}, []string{"t"}
			cfg.OnAck = func(a native.Ack) {
				if a.Err != nil {
					t.Error(a.Err)
				}
			}
			cfg.Compression, _ = native.ParseCompression(codec)
			cfg.Linger = 0
			p := open(t, cfg)
			recs := make([]native.Record, 64)
			value := make([]byte, 500)
			header := []native.Header{{Key: "h", Value: []byte("v")}}
			for i := range recs {
				recs[i] = native.Record{Partition: -1, Value: value, Headers: header}
				if i%2 == 0 {
					recs[i].Key = value[:8]
				}
			}
			send := func() {
				for range 20_000 / len(recs) {
					if err := p.Produce(context.Background(), recs); err != nil {
						t.Fatal(err)
					}
				}
				if err := p.Flush(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
			for range 20 {
				send()
			}
			before := p.Stats()
			got := testing.AllocsPerRun(5, send)
			batches := (p.Stats().Batches - before.Batches) / 6
			if got > flush {
				t.Errorf("%.1f allocations for %d records in %d batches", got, 20_000, batches)
			}
		})
	}
}
