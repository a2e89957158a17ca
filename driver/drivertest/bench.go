package drivertest

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"

	"kbench/driver"
	"kbench/workload"
)

// Bench sends b.N records of 100 bytes through d into a broker at bootstrap, in bursts of 64 and with every slot reused as
// soon as it is acknowledged, and reports ns and allocations per record: the client's cost and the adapter's together.
// topic must exist.
func Bench(b *testing.B, d driver.Driver, bootstrap, topic string, settings map[string]string) {
	b.Helper()
	p := workload.DefaultProducerConfig()
	for name, value := range settings {
		if err := p.Set(name, value); err != nil {
			b.Fatal(err)
		}
	}
	cfg := driver.Config{Bootstrap: []string{bootstrap}, Topics: []string{topic}, Producer: p, Slots: 1 << 16}
	loop := &benchLoop{busy: make([]atomic.Bool, cfg.Slots)}
	s, err := d.Open(context.Background(), cfg, loop.ack)
	if err != nil {
		b.Fatal(err)
	}
	recs := numbered(BenchBurst, 100)
	loop.send(b, s.Producer, recs, 4*cfg.Slots) // warm: every slot, buffer and connection was used
	b.ReportAllocs()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	b.ResetTimer()
	loop.send(b, s.Producer, recs, b.N)
	b.StopTimer()
	runtime.ReadMemStats(&after)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
	b.ReportMetric(float64(after.Mallocs-before.Mallocs)/float64(b.N), "allocs/record")
	if err := s.Producer.Close(); err != nil {
		b.Fatal(err)
	}
	if n := loop.failed.Load(); n > 0 {
		b.Fatalf("%d records failed, one with: %v", n, loop.cause.Load())
	}
}

// BenchBurst is the number of records in each Send of Bench.
const BenchBurst = 64

// benchLoop is the cheapest run loop: slots in turn, each waited for.
type benchLoop struct {
	busy   []atomic.Bool
	next   int
	failed atomic.Int64
	cause  atomic.Value
}

func (l *benchLoop) ack(acks []driver.Ack) {
	for i := range acks {
		if acks[i].Err != nil {
			l.failed.Add(1)
			l.cause.CompareAndSwap(nil, acks[i].Err.Error())
		}
		l.busy[acks[i].Slot].Store(false)
	}
}

// send sends n records and waits for them.
func (l *benchLoop) send(b *testing.B, p driver.Producer, recs []workload.Record, n int) {
	ctx := context.Background()
	for n > 0 {
		burst := recs[:min(n, len(recs))]
		for i := range burst {
			for l.busy[l.next].Load() {
				runtime.Gosched()
			}
			l.busy[l.next].Store(true)
			burst[i].Slot = uint32(l.next)
			l.next = (l.next + 1) % len(l.busy)
		}
		if err := p.Send(ctx, burst); err != nil {
			b.Fatal(err)
		}
		n -= len(burst)
	}
	if err := p.Flush(ctx); err != nil {
		b.Fatal(err)
	}
}
