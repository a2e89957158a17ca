package workload

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// testPlan is a plan of one topic with values of 1 KiB and no keys.
func testPlan(change ...func(*Plan)) *Plan {
	p := &Plan{Seed: 1, Topics: []Topic{{Name: "t", Partitions: 12}}}
	p.Records.Key.Distribution = KeyNone
	p.Records.Value.Size = SizeSpec{Distribution: SizeFixed, Bytes: 1024}
	p.Records.Value.Compressibility = 0.5
	p.Load = Load{Arrivals: ArrivalsPoisson, Rate: Rate{PerSecond: 1000}, Producers: 1}
	p.Producer.CompressionType = "none"
	p.Producer.BatchSize = 16384
	p.Producer.MaxRequestSize = 1 << 20
	for _, c := range change {
		c(p)
	}
	return p
}

func withKeys(spec KeySpec) func(*Plan)       { return func(p *Plan) { p.Records.Key = spec } }
func withSizes(spec SizeSpec) func(*Plan)     { return func(p *Plan) { p.Records.Value.Size = spec } }
func withFile(name string) func(*Plan)        { return func(p *Plan) { p.Records.Value.File = name } }
func withCodec(codec string) func(*Plan)      { return func(p *Plan) { p.Producer.CompressionType = codec } }
func withHeaders(h ...HeaderSpec) func(*Plan) { return func(p *Plan) { p.Records.Headers = h } }

func mustSource(t testing.TB, plan *Plan) *Payloads {
	t.Helper()
	p, err := NewSource(plan, SourceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// take fills n records, in bursts of uneven length.
func take(s *Source, n int) []Record {
	recs := make([]Record, n)
	for at, burst := 0, 1; at < n; burst = burst%7 + 1 {
		end := min(n, at+burst)
		s.Fill(recs[at:end])
		at = end
	}
	return recs
}

func TestFillSetsAllButSlot(t *testing.T) {
	plan := testPlan(withKeys(KeySpec{Distribution: KeySequential, Cardinality: 10, Size: 4}),
		withHeaders(HeaderSpec{Key: "h", Value: "v"}))
	recs := []Record{{Slot: 77, Topic: 9, Partition: 9, Key: []byte("x"), Value: []byte("x"), Headers: make([]Header, 9)}}
	mustSource(t, plan).Shard(0, 1).Fill(recs)
	r := recs[0]
	r.Value = nil
	want := Record{Slot: 77, Partition: -1, Key: []byte("0000"), Headers: []Header{{Key: "h", Value: []byte("v")}}}
	if diff := cmp.Diff(want, r); diff != "" {
		t.Error(diff)
	}
	if got, want := len(recs[0].Value), 1024; got != want {
		t.Errorf("a value of %d bytes, want %d", got, want)
	}
	plan = testPlan() // neither key nor headers: what was there before goes
	mustSource(t, plan).Shard(0, 1).Fill(recs)
	if recs[0].Key != nil || recs[0].Headers != nil {
		t.Errorf("key %q and headers %v, want none", recs[0].Key, recs[0].Headers)
	}
}

// TestShardsInterleave checks that shards deal out topics, sequential keys and lines as one shard would.
func TestShardsInterleave(t *testing.T) {
	plan := testPlan(withKeys(KeySpec{Distribution: KeySequential, Cardinality: 5, Size: 2}), withFile("testdata/lines.jsonl"))
	plan.Topics = make([]Topic, 3)
	p := mustSource(t, plan)
	whole := take(p.Shard(0, 1), 700)
	for _, shards := range []int{1, 2, 3, 5, 7, 16} {
		for shard := range shards {
			for n, r := range take(p.Shard(shard, shards), 700/shards) {
				want := whole[n*shards+shard]
				if r.Topic != want.Topic || string(r.Key) != string(want.Key) || string(r.Value) != string(want.Value) {
					t.Fatalf("shard %d of %d, record %d: %d %q %q, want %d %q %q", shard, shards, n,
						r.Topic, r.Key, r.Value, want.Topic, want.Key, want.Value)
				}
			}
		}
	}
	for n, r := range whole {
		if got, want := int(r.Topic), n%3; got != want {
			t.Fatalf("record %d: topic %d, want %d", n, got, want)
		}
		if got, want := string(r.Key), fmt.Sprintf("%02d", n%5); got != want {
			t.Fatalf("record %d: key %q, want %q", n, got, want)
		}
	}
}

// TestValuesDontRepeat checks that no value comes twice in as many records as a compressed batch can hold, in one
// partition under a round-robin partitioner; and that all values are different. Each shard has a client of its own, and
// so its own batches.
func TestValuesDontRepeat(t *testing.T) {
	for _, size := range []int{1000, 100_000} {
		for _, partitions := range []int32{1, 12, 251, 257} {
			plan := testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: size}), withCodec("zstd"))
			plan.Producer.BatchSize = 1 << 20
			plan.Topics[0].Partitions = partitions
			p := mustSource(t, plan)
			seen := map[string]bool{}
			batch := (1 << 20) / size
			s := p.Shard(2, 3)
			one := make([]Record, 1)
			for n := range batch * int(partitions) {
				s.Fill(one)
				if n%int(partitions) != 0 {
					continue
				}
				v := string(one[0].Value)
				if seen[v] {
					t.Fatalf("%d bytes, %d partitions: a value comes twice within a batch", size, partitions)
				}
				seen[v] = true
			}
		}
	}
}

func TestPoolSize(t *testing.T) {
	tests := []struct {
		plan       *Plan
		least, max int // bytes
	}{
		{testPlan(), 240 << 10, 256 << 10},
		{testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: 10})), 250 << 10, 256 << 10},
		{testPlan(withSizes(SizeSpec{Distribution: SizeUniform, Min: 100, Max: 2000})), 256 << 10, 300 << 10},
		{testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: 1 << 19})), 3 << 19, 5 << 19},
		{testPlan(withCodec("lz4")), 256 << 10, 270 << 10},
		{testPlan(withCodec("lz4"), func(p *Plan) { p.Producer.BatchSize = 1 << 20 }), 2 << 20, 2<<20 + 64<<10},
		{testPlan(withSizes(SizeSpec{Distribution: SizeFixed})), 0, 0},
	}
	for i, tt := range tests {
		p := mustSource(t, tt.plan)
		if got := p.WorkingSetBytes(); got < tt.least || got > tt.max {
			t.Errorf("case %d: %d bytes, want %d to %d", i, got, tt.least, tt.max)
		}
	}
}

func TestPoolCount(t *testing.T) {
	tests := []struct {
		pool pool
		mean float64
		want int
	}{
		{pool{bytes: 1000}, 10, 97},
		{pool{bytes: 1000, apart: true}, 10, 101},
		{pool{bytes: 1010}, 10, 101},
		{pool{bytes: 1010, apart: true}, 10, 103}, // more than fills the pool
		{pool{bytes: 1000, avoid: []int{12, 194}}, 10, 89},
		{pool{bytes: 1000, apart: true, avoid: []int{202, 309}}, 10, 107},
		{pool{bytes: 1000, avoid: []int{0, 1}}, 10, 97},
		{pool{bytes: 1000}, 5000, 3},
		{pool{bytes: 1000, avoid: []int{12}}, 5000, 5},
		{pool{bytes: 1000, avoid: []int{3 * 5}}, 200, 7},
	}
	for _, tt := range tests {
		if got := tt.pool.count(tt.mean); got != tt.want {
			t.Errorf("%+v of %v bytes: %d values, want %d", tt.pool, tt.mean, got, tt.want)
		}
	}
}

// TestValuesDontOverlapWhenCompressed holds the pools of varying sizes to what the ratio needs.
func TestValuesDontOverlapWhenCompressed(t *testing.T) {
	plan := testPlan(withCodec("zstd"), withSizes(SizeSpec{Distribution: SizeLognormal, Median: 500, Sigma: 1, Max: 50_000}))
	v := mustSource(t, plan).values
	spans := slices.Clone(v.spans)
	slices.SortFunc(spans, func(a, b span) int { return int(a.at) - int(b.at) })
	at := uint32(0)
	for _, s := range spans {
		if s.at != at {
			t.Fatalf("a value at %d, want %d", s.at, at)
		}
		at += s.size
	}
	if int(at) != len(v.arena) || v.bytes != uint64(at) {
		t.Errorf("values end at %d, want %d = %d", at, len(v.arena), v.bytes)
	}
}

func TestMeanRecordBytes(t *testing.T) {
	plan := testPlan(withKeys(KeySpec{Distribution: KeyZipf, Cardinality: 100, S: 1, Size: 8}),
		withSizes(SizeSpec{Distribution: SizeUniform, Min: 10, Max: 500}),
		withHeaders(HeaderSpec{Key: "fixed", Value: "12"}, HeaderSpec{Key: "random", Random: true, Size: 20}))
	p := mustSource(t, plan)
	n, sum := p.values.wheel.n*3, 0
	for _, r := range take(p.Shard(1, 2), n) {
		sum += r.Size()
	}
	if got, want := p.MeanRecordBytes(), float64(sum)/float64(n); math.Abs(got-want) > 1e-9 {
		t.Errorf("%v, want %v", got, want)
	}
	if got, want := p.MeanRecordBytes(), 8+255+5+2+6+20.0; math.Abs(got-want) > 0.1 {
		t.Errorf("%v, want about %v", got, want)
	}
}

func TestHeaders(t *testing.T) {
	plan := testPlan(withHeaders(HeaderSpec{Key: "trace", Random: true, Size: 55}, HeaderSpec{Key: "app", Value: "kb"},
		HeaderSpec{Key: "id", Random: true, Size: 8}, HeaderSpec{Key: "empty"}))
	seen := map[string]bool{}
	for _, r := range take(mustSource(t, plan).Shard(0, 1), headerTurns) {
		if len(r.Headers) != 4 || string(r.Headers[1].Value) != "kb" || r.Headers[3].Value == nil || len(r.Headers[3].Value) != 0 {
			t.Fatalf("headers %q", r.Headers)
		}
		trace := string(r.Headers[0].Value)
		if len(trace) != 55 || len(r.Headers[2].Value) != 8 || strings.Trim(trace, "0123456789abcdef") != "" || seen[trace] {
			t.Fatalf("random header %q", trace)
		}
		seen[trace] = true
	}
	plan.Producer.CompressionType = "zstd"
	plan.Producer.BatchSize = 8 << 20
	p := mustSource(t, plan)
	if p.headers.wheel.n < p.values.wheel.n {
		t.Errorf("%d header sets for %d values: they come twice in a batch", p.headers.wheel.n, p.values.wheel.n)
	}
}

func TestSourceErrors(t *testing.T) {
	tests := []struct {
		name string
		plan *Plan
		want string
	}{
		{"key kind", testPlan(withKeys(KeySpec{Distribution: "zip"})), `records.key.distribution: "zip" isn't one of none, sequential`},
		{"no keys", testPlan(withKeys(KeySpec{Distribution: KeyUniform, Size: 3})), "records.key.cardinality: 0"},
		{"short keys", testPlan(withKeys(KeySpec{Distribution: KeyUniform, Cardinality: 1001, Size: 3})), "records.key.size: 3 bytes are too few for 1001 different keys: at least 4"},
		{"many keys", testPlan(withKeys(KeySpec{Distribution: KeyUniform, Cardinality: 1 << 30, Size: 10})), "records.key: 1073741824 keys of 10 bytes"},
		{"exponent", testPlan(withKeys(KeySpec{Distribution: KeyZipf, Cardinality: 10, Size: 2})), "records.key.s: 0"},
		{"hot keys", testPlan(withKeys(KeySpec{Distribution: KeyHot, Cardinality: 10, Size: 2, HotKeys: 10})), "records.key.hot.keys: 10 of 10"},
		{"hot share", testPlan(withKeys(KeySpec{Distribution: KeyHot, Cardinality: 10, Size: 2, HotKeys: 1, HotShare: 1.1})), "records.key.hot.share: 1.1"},
		{"c", testPlan(func(p *Plan) { p.Records.Value.Compressibility = 1 }), "records.value.compressibility: 1 isn't"},
		{"c < 0", testPlan(func(p *Plan) { p.Records.Value.Compressibility = math.NaN() }), "records.value.compressibility: NaN"},
		{"size kind", testPlan(withSizes(SizeSpec{Distribution: "big"})), `records.value.size: distribution "big" isn't one of fixed`},
		{"size < 0", testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: -1})), "records.value.size: -1 bytes"},
		{"range", testPlan(withSizes(SizeSpec{Distribution: SizeUniform, Min: 2, Max: 1})), "records.value.size: min 2 to max 1"},
		{"median", testPlan(withSizes(SizeSpec{Distribution: SizeLognormal})), "records.value.size: median 0"},
		{"nothing left", testPlan(withSizes(SizeSpec{Distribution: SizeLognormal, Median: 10, Sigma: 0.1, Min: 1000, Max: 2000})), "hardly anything between min 1000 and max 2000"},
		{"no weights", testPlan(withSizes(SizeSpec{Distribution: SizeWeighted})), "records.value.size: 0 weights"},
		{"weight", testPlan(withSizes(SizeSpec{Distribution: SizeWeighted, Weights: []SizeWeight{{1, -1}}})), "records.value.size: 1 bytes with weight -1"},
		{"huge", testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: 1 << 30})), "1073741824 bytes are more than"},
		{"oversized", testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: 1 << 20})), "records.value.size: a value of 1048576 bytes makes a record of up to 1048664 bytes, over max.request.size=1048576"},
		{"header", testPlan(withHeaders(HeaderSpec{Key: "x", Random: true, Size: -1})), "records.headers.x: -1"},
	}
	for _, tt := range tests {
		_, err := NewSource(tt.plan, SourceOptions{})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one with %q", tt.name, err, tt.want)
		}
	}
}

// TestRecordSizeUpperBound has figures computed by hand from Kafka's formula: 61 for the batch, 21 for the record, and
// the sizes of key, value and headers with a varint in front of each.
func TestRecordSizeUpperBound(t *testing.T) {
	tests := []struct {
		key, value []byte
		headers    []Header
		want       int
	}{
		{nil, nil, nil, 82 + 1 + 1 + 1},
		{[]byte{}, []byte{}, nil, 82 + 1 + 1 + 1},
		{make([]byte, 63), make([]byte, 64), nil, 82 + 1 + 63 + 2 + 64 + 1},
		{nil, make([]byte, 1024), nil, 82 + 1 + 2 + 1024 + 1},
		{nil, make([]byte, 8192), nil, 82 + 1 + 3 + 8192 + 1},
		{nil, nil, []Header{{"k", nil}, {"kk", []byte("v")}}, 82 + 1 + 1 + 1 + (1 + 1 + 1) + (1 + 2 + 1 + 1)},
		{nil, nil, make([]Header, 64), 82 + 1 + 1 + 2 + 64*2},
	}
	for i, tt := range tests {
		if got := RecordSizeUpperBound(tt.key, tt.value, tt.headers); got != tt.want {
			t.Errorf("case %d: %d, want %d", i, got, tt.want)
		}
	}
}

// BenchmarkNewSource shows what the preparation adds to the start of a run.
func BenchmarkNewSource(b *testing.B) {
	zipf := withKeys(KeySpec{Distribution: KeyZipf, Cardinality: 100_000, S: 1.1, Size: 16})
	for name, plan := range map[string]*Plan{
		"none-1KiB": testPlan(), "zipf-1KiB-zstd-1MiB": testPlan(zipf, withCodec("zstd"), func(p *Plan) { p.Producer.BatchSize = 1 << 20 }),
		"zipf-lognormal": testPlan(zipf, withSizes(SizeSpec{Distribution: SizeLognormal, Median: 500, Sigma: 1, Max: 100_000})),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustSource(b, plan)
			}
		})
	}
}

func BenchmarkFill(b *testing.B) {
	const burst = 64
	recs := make([]Record, burst)
	for _, c := range fillCases() {
		b.Run(c.name, func(b *testing.B) {
			s := mustSource(b, c.plan).Shard(1, 4)
			b.ReportAllocs()
			for b.Loop() {
				s.Fill(recs)
			}
			if recs[burst-1].Partition != -1 {
				b.Fatal("not filled")
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/burst, "ns/record")
		})
	}
}

type fillCase struct {
	name string
	plan *Plan
}

// fillCases has every kind of key, value and header.
func fillCases() []fillCase {
	const keys = 100_000
	all := SizeSpec{Distribution: SizeWeighted, Weights: []SizeWeight{{100, 5}, {1000, 3}, {20_000, 1}}}
	zipf := withKeys(KeySpec{Distribution: KeyZipf, Cardinality: keys, S: 1.1, Size: 16})
	return []fillCase{
		{"key-none", testPlan()},
		{"key-sequential", testPlan(withKeys(KeySpec{Distribution: KeySequential, Cardinality: keys, Size: 16}))},
		{"key-uniform", testPlan(withKeys(KeySpec{Distribution: KeyUniform, Cardinality: keys, Size: 16}))},
		{"key-zipf", testPlan(zipf)},
		{"key-hot", testPlan(withKeys(KeySpec{Distribution: KeyHot, Cardinality: keys, HotKeys: 10, HotShare: 0.9, Size: 16}))},
		{"value-10B", testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: 10}))},
		{"value-uniform", testPlan(withSizes(SizeSpec{Distribution: SizeUniform, Min: 100, Max: 2000}))},
		{"value-lognormal", testPlan(withSizes(SizeSpec{Distribution: SizeLognormal, Median: 500, Sigma: 1, Max: 100_000}))},
		{"value-weighted", testPlan(withSizes(all))},
		{"value-trace", testPlan(withTrace(10_000, 100, 900, 300))},
		{"value-file", testPlan(withFile("testdata/lines.jsonl"))},
		{"header-fixed", testPlan(withHeaders(HeaderSpec{Key: "h", Value: "v"}))},
		{"header-random", testPlan(withHeaders(HeaderSpec{Key: "h", Random: true, Size: 55}))},
		{"zipf-weighted-random", testPlan(zipf, withSizes(all), withHeaders(HeaderSpec{Key: "h", Random: true, Size: 55}),
			func(p *Plan) { p.Topics = make([]Topic, 3) })},
	}
}
