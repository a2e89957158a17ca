package workload

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// batchOf encodes records as in a Kafka batch of format 2, one record a millisecond: what the codecs really see.
func batchOf(recs []Record) []byte {
	var out, body []byte
	for i := range recs {
		body = append(body[:0], 0)
		body = binary.AppendVarint(body, int64(i))
		body = binary.AppendVarint(body, int64(i))
		body = binary.AppendVarint(body, -1)
		body = binary.AppendVarint(body, int64(len(recs[i].Value)))
		body = append(body, recs[i].Value...)
		body = append(body, 0)
		out = binary.AppendVarint(out, int64(len(body)))
		out = append(out, body...)
	}
	return out
}

// valuesOf puts the values behind each other.
func valuesOf(recs []Record) (out []byte) {
	for i := range recs {
		out = append(out, recs[i].Value...)
	}
	return out
}

// onePartition gives a batch of one of 12 partitions under a round-robin partitioner.
func onePartition(t *testing.T, size, batch int, c float64) []Record {
	t.Helper()
	plan := testPlan(withSizes(SizeSpec{Distribution: SizeFixed, Bytes: size}), withCodec("zstd"))
	plan.Records.Value.Compressibility = c
	plan.Producer.BatchSize = batch
	all := take(mustSource(t, plan).Shard(1, 3), 12*max(1, batch/size))
	var mine []Record
	for i := 5; i < len(all); i += 12 {
		mine = append(mine, all[i])
	}
	return mine
}

type codec struct {
	name string
	size func([]byte) int
}

func codecs(t *testing.T) []codec {
	encoder, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { encoder.Close() })
	stream := func(open func(io.Writer) io.WriteCloser) func([]byte) int {
		return func(src []byte) int {
			var out bytes.Buffer
			w := open(&out)
			if _, err := w.Write(src); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return out.Len()
		}
	}
	return []codec{
		{"zstd", func(src []byte) int { return len(encoder.EncodeAll(src, nil)) }},
		{"gzip", stream(func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })},
		{"lz4", stream(func(w io.Writer) io.WriteCloser { return lz4.NewWriter(w) })},
		{"snappy", func(src []byte) int { return len(s2.EncodeSnappy(nil, src)) }},
	}
}

// TestCompressibility is the promise of ValueSpec.Compressibility: at 1 KiB a ratio within 10 % of 1/(1−c) under zstd,
// for the values alone and as records, in batches of every size. The other codecs agree within what their formats allow.
func TestCompressibility(t *testing.T) {
	limits := map[string]float64{"zstd": 0.10, "gzip": 0.15, "lz4": 0.15, "snappy": 0.15}
	for _, c := range []float64{0, 0.1, 0.25, 0.5, 0.75, 0.9} {
		for _, batch := range []int{16 << 10, 256 << 10, 1 << 20} {
			recs := onePartition(t, 1024, batch, c)
			for _, codec := range codecs(t) {
				if codec.name != "zstd" && batch > 256<<10 {
					continue // they look back 64 KiB at most
				}
				limit := limits[codec.name]
				if codec.name == "snappy" && c > 0.8 {
					limit = 0.40 // three bytes for every 64 at least
				}
				for what, src := range map[string][]byte{"values": valuesOf(recs), "records": batchOf(recs)} {
					got, want := float64(len(src))/float64(codec.size(src)), 1/(1-c)
					if math.Abs(got/want-1) > limit {
						t.Errorf("c = %v, %d bytes of %s: %s has ratio %.2f, want %.2f ± %.0f %%", c, batch, what, codec.name, got, want, 100*limit)
					}
				}
			}
		}
	}
}

// TestCompressibilitySizes: other sizes come close too where a value has room for it.
func TestCompressibilitySizes(t *testing.T) {
	tests := []struct {
		size  int
		c     float64
		limit float64
	}{
		{100, 0, 0.10}, {100, 0.25, 0.12}, {100, 0.5, 0.12}, {100, 0.75, 0.10}, {100, 0.9, 0.30},
		{300, 0.25, 0.10}, {300, 0.5, 0.10}, {300, 0.75, 0.10}, {300, 0.9, 0.20},
		{10_240, 0, 0.01}, {10_240, 0.5, 0.05}, {10_240, 0.9, 0.05}, {100_000, 0.95, 0.05},
		{10, 0.25, 0.30}, {10, 0.5, 0.30}, // as values alone: a record of 10 bytes is half overhead
	}
	zstd := codecs(t)[0]
	for _, tt := range tests {
		recs := onePartition(t, tt.size, 256<<10, tt.c)
		src := batchOf(recs)
		if tt.size <= 10 {
			src = valuesOf(recs)
		}
		got, want := float64(len(src))/float64(zstd.size(src)), 1/(1-tt.c)
		if math.Abs(got/want-1) > tt.limit {
			t.Errorf("%d bytes, c = %v: ratio %.2f, want %.2f ± %.0f %%", tt.size, tt.c, got, want, 100*tt.limit)
		}
	}
}

// TestValuesAreNeverConstant: every value has random bytes, whatever is asked, and hardly two of a pool are the same,
// unless they are so small that a byte or two have to tell them apart.
func TestValuesAreNeverConstant(t *testing.T) {
	for _, size := range []int{10, 31, 32, 100, 1024} {
		for _, c := range []float64{0, 0.5, 0.9, 0.99} {
			seen := map[string]int{}
			recs := onePartition(t, size, 64<<10, c)
			for _, r := range recs {
				seen[string(r.Value)]++
				if bytes.Count(r.Value, r.Value[:1]) == len(r.Value) {
					t.Fatalf("%d bytes, c = %v: a constant value %q", size, c, r.Value)
				}
			}
			if same := 1 - float64(len(seen))/float64(len(recs)); same > 0.35 || size >= 32 && same > 0 {
				t.Errorf("%d bytes, c = %v: %.0f %% of the values are there twice", size, c, 100*same)
			}
		}
	}
}

func BenchmarkMixer(b *testing.B) {
	for _, c := range []float64{0, 0.5, 0.9} {
		b.Run(fmt.Sprintf("c=%v", c), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(1024)
			m := newMixer(1, c)
			dst := make([]byte, 1024)
			for b.Loop() {
				m.fill(dst)
			}
		})
	}
}
