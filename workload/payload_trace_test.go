package workload

import (
	"math"
	"strings"
	"testing"
)

// withTrace replays a trace of n records of those sizes, in turn, one a millisecond.
func withTrace(n int, sizes ...uint32) func(*Plan) {
	trace := &Trace{largestLine: 1}
	for i := range n {
		size := sizes[i%len(sizes)]
		trace.times = append(trace.times, int64(i)*1e6)
		trace.sizes = append(trace.sizes, size)
		trace.bytes += uint64(size)
		if int(size) > trace.largest {
			trace.largest, trace.largestLine = int(size), i+1
		}
	}
	return func(p *Plan) {
		producers := p.Load.Producers
		p.Load = replayLoad(trace, 1)
		p.Load.Producers = producers
	}
}

// TestTraceSizes: record k has the k-th size, of whichever shard it is, and the first comes again after the last.
func TestTraceSizes(t *testing.T) {
	plan := testPlan(withTrace(7, 10, 0, 3000, 5, 70_000, 1, 2), withKeys(KeySpec{Distribution: KeySequential, Cardinality: 10, Size: 4}))
	p := mustSource(t, plan)
	sizes := plan.Load.Trace.Data.sizes
	for _, shards := range []int{1, 3, 10} {
		for shard := range shards {
			for n, r := range take(p.Shard(shard, shards), 50) {
				if want := int(sizes[(n*shards+shard)%7]); len(r.Value) != want || cap(r.Value) != want || r.Value == nil {
					t.Fatalf("shard %d of %d, record %d: %d bytes of %d, want %d", shard, shards, n, len(r.Value), cap(r.Value), want)
				}
			}
		}
	}
	if got, want := p.MeanRecordBytes(), 4+73018.0/7; math.Abs(got-want) > 1e-9 || p.MaxRecordBytes() != 70_004 {
		t.Errorf("mean %v, largest %d, want %v and 70,004", got, p.MaxRecordBytes(), want)
	}
	if got := p.WorkingSetBytes(); got > 300<<10 {
		t.Errorf("%d bytes of values without compression, want a pool of 256 KiB", got)
	}
}

// TestTraceValuesDontOverlapWhenCompressed: no two batches of one partition in a row share a byte.
func TestTraceValuesDontOverlapWhenCompressed(t *testing.T) {
	const partitions, batch = 12, 16384
	for _, size := range []uint32{100, 1000, 5000} {
		plan := testPlan(withTrace(1000, size, size/2, size*2), withCodec("lz4"))
		s := mustSource(t, plan).Shard(1, 3)
		used := map[*byte]bool{}
		recs, bytes := take(s, 40_000), 0
		for i := 5; bytes < 2*batch; i += partitions {
			for j := range recs[i].Value {
				if at := &recs[i].Value[j]; used[at] {
					t.Fatalf("values of %d bytes: record %d, after %d bytes, has a byte that was there before", size, i, bytes)
				} else {
					used[at] = true
				}
			}
			bytes += len(recs[i].Value)
		}
	}
}

// TestTraceCompressibility: values of a trace compress as asked, small ones too.
func TestTraceCompressibility(t *testing.T) {
	for _, c := range []float64{0, 0.5, 0.8} {
		for _, size := range []uint32{100, 200, 1000, 10_000} {
			plan := testPlan(withTrace(1000, size, size*2/3, size*3/2), withCodec("zstd"))
			plan.Records.Value.Compressibility = c
			plan.Producer.BatchSize = 128 << 10
			var batch []Record
			for i, r := range take(mustSource(t, plan).Shard(0, 1), 12*int((128<<10)/size)) {
				if i%12 == 5 {
					batch = append(batch, r)
				}
			}
			raw := batchOf(batch)
			for _, codec := range codecs(t) {
				if codec.name != "zstd" && (codec.name != "lz4" || size < 200) {
					continue // as for other values: below that, codecs differ
				}
				if got := 1 - float64(codec.size(raw))/float64(len(raw)); math.Abs(got-c) > 0.06 {
					t.Errorf("%s, %d bytes: compressed away %.3f, want %v", codec.name, size, got, c)
				}
			}
		}
	}
}

func TestTraceSourceErrors(t *testing.T) {
	for _, tt := range []struct {
		plan *Plan
		want string
	}{
		{testPlan(withTrace(3, 5, 2<<20)), "load.trace.file: t.csv:2: a value of 2097152 bytes makes a record of up to"},
		{testPlan(withTrace(3, 5, 400<<20), func(p *Plan) { p.Producer.MaxRequestSize = math.MaxInt32 }),
			"load.trace.file: t.csv:2: a value of 419430400 bytes is more than a run keeps in memory: allowed up to 357913941"},
	} {
		if _, err := NewSource(tt.plan, SourceOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want one with %q", err, tt.want)
		}
	}
}
