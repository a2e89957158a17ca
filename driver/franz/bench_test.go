package franz_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"kbench/broker/sink"
	"kbench/driver/drivertest"
	"kbench/driver/franz"
)

func startSink(b *testing.B) string {
	b.Helper()
	s, err := sink.Listen("127.0.0.1:0", sink.Options{})
	if err != nil {
		b.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
		<-served
	})
	return s.Addr().String()
}

// BenchmarkAdapter is franz-go through the adapter. What the adapter adds is its difference to BenchmarkClient.
func BenchmarkAdapter(b *testing.B) {
	drivertest.Bench(b, franz.Driver(), startSink(b), "bench", map[string]string{
		"batch.size": "1000000", "max.request.size": "1048576", "linger.ms": "5", "buffer.memory": "268435456"})
}

// bare is a record and whether kgo has it.
type bare struct {
	context.Context
	rec  kgo.Record
	busy atomic.Bool
}

// BenchmarkClient is franz-go by itself, used as sparingly as it can be: records allocated once and filled once, one promise.
func BenchmarkClient(b *testing.B) {
	cl, err := kgo.NewClient(
		kgo.SeedBrokers(startSink(b)),
		kgo.DisableClientMetrics(),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
		kgo.ProducerBatchMaxBytes(1000000),
		kgo.ProducerLinger(5*time.Millisecond),
		kgo.MaxBufferedRecords(1<<18),
		kgo.MaxBufferedBytes(256<<20),
		kgo.RecordPartitioner(kgo.UniformBytesPartitioner(1000000, true, true, nil)),
	)
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	var failed atomic.Int64
	promise := func(r *kgo.Record, err error) {
		if err != nil {
			failed.Add(1)
		}
		r.Context.(*bare).busy.Store(false)
	}
	const slots = 1 << 16
	recs := make([]bare, slots)
	values := make([][]byte, drivertest.BenchBurst)
	for i := range values {
		values[i] = make([]byte, 100)
	}
	for i := range recs {
		r := &recs[i]
		r.Context = context.Background()
		r.rec = kgo.Record{Topic: "bench", Value: values[i%len(values)], Context: r}
	}
	next := 0
	send := func(n int) {
		for range n {
			r := &recs[next]
			for r.busy.Load() {
				runtime.Gosched()
			}
			r.busy.Store(true)
			r.rec.Timestamp = time.Time{} // as a new record: kgo reads the clock
			cl.Produce(r, &r.rec, promise)
			next = (next + 1) % slots
		}
		if err := cl.Flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	send(4 * slots)
	b.ReportAllocs()
	b.ResetTimer()
	send(b.N)
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
	if n := failed.Load(); n > 0 {
		b.Fatalf("%d records failed", n)
	}
}
