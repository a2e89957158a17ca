//go:build !race

package native_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"kbench/native"
)

// TestAllocations sends 20,000 records in about a thousand batches, and allows for what one Flush takes: nothing is left
// for records or batches.
func TestAllocations(t *testing.T) {
	const flush = 4 // the generation, its channel, and room for chance
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd", "none in a transaction"} {
		t.Run(codec, func(t *testing.T) {
			codec, transaction := strings.CutSuffix(codec, " in a transaction")
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
			if transaction {
				defer p.Pretend()()
			}
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

// TestReplayAllocations is the same for a template, given to it by slots alone and by records.
func TestReplayAllocations(t *testing.T) {
	const flush = 4
	for _, codec := range []string{"none", "zstd"} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s records %v", codec, whole), func(t *testing.T) {
				cfg := native.DefaultConfig()
				cfg.Bootstrap, cfg.Topics = []string{startSink(t)}, []string{"t"}
				cfg.OnAck = func(a native.Ack) {
					if a.Err != nil {
						t.Error(a.Err)
					}
				}
				cfg.Compression, _ = native.ParseCompression(codec)
				cfg.Linger, cfg.Connections = 20*time.Millisecond, 2 // only the last batches of a round aren't full
				recs := make([]native.Record, 64)
				for i := range recs {
					recs[i] = native.Record{Slot: uint32(i), Partition: -1, Key: []byte("k"), Value: make([]byte, 500)}
				}
				rp := openReplayer(t, cfg, recs)
				some := slots(0, len(recs))
				send := func() {
					for range 20_000 / len(recs) {
						var err error
						if whole {
							err = rp.Produce(context.Background(), recs)
						} else {
							err = rp.Replay(context.Background(), 0, 3, some)
						}
						if err != nil {
							t.Fatal(err)
						}
					}
					if err := rp.Flush(context.Background()); err != nil {
						t.Fatal(err)
					}
				}
				for range 20 {
					send()
				}
				if got := testing.AllocsPerRun(5, send); got > flush {
					t.Errorf("%.1f allocations for %d records", got, 20_000)
				}
			})
		}
	}
}
