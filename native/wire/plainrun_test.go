package wire

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestPlainRun holds runs against AppendRecord, around every size at which a field takes another byte.
func TestPlainRun(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	edges := []int{0, 1, 2, 7, 8, 9, 30, 56, 57, 58, 63, 64, 65, 100, 127, 128, 4000, 4095, 4096, 8150, 8190, 8192}
	offsets := []int{0, 1, 62, 63, 64, 65, 8190, 8191, 8192, 8193, 1<<20 - 2, 1<<20 - 1, 1 << 20, 1<<20 + 1, 1 << 27}
	runs := 0
	for range 10000 {
		delta := []int64{0, 1, 63, 64, 1000, -1, -100000, 1 << 40}[rng.IntN(8)]
		offset := offsets[rng.IntN(len(offsets))]
		var run PlainRun
		var got, want []byte
		got = make([]byte, 0, 5*9000)
		size := edges[rng.IntN(len(edges))]
		for i := range 5 {
			value := make([]byte, size)
			for j := range min(size, 40) {
				value[j] = byte(rng.Uint32())
			}
			if rng.IntN(10) == 0 {
				value = nil
			}
			body := RecordBodySize(delta, offset+i, nil, value, 1)
			want = AppendRecord(want, body, delta, offset+i, nil, value, nil)
			if !run.Fits(offset+i, value) && !run.Start(delta, offset+i, value) {
				got = append(got[:0], want...)
				if size >= 8 && size < 4096 && value != nil && delta >= 0 && delta < 64 && offset+i < 1<<20 {
					t.Fatalf("delta %d, offset %d, value of %d bytes: not taken", delta, offset+i, size)
				}
				continue
			}
			runs++
			before := len(got)
			got = run.append(got, offset+i, value)
			if run.Body != body || len(got)-before != run.Size || !bytes.Equal(got, want) {
				t.Fatalf("delta %d, offset %d, value of %d bytes: got % x, want % x", delta, offset+i, len(value), head(got[before:]), head(want[before:]))
			}
			if rng.IntN(4) == 0 {
				size = edges[rng.IntN(18)]
			}
		}
	}
	if runs < 1000 {
		t.Errorf("only %d records were encoded in runs", runs)
	}
	if (&PlainRun{}).Fits(0, []byte{}) {
		t.Error("the zero value fits a record")
	}
}

// append appends a whole record.
func (r *PlainRun) append(dst []byte, offsetDelta int, value []byte) []byte {
	p := dst[len(dst) : len(dst)+r.Size]
	r.PutHead(p, offsetDelta)
	copy(p[r.ValueAt:], value)
	p[len(p)-1] = 0
	return dst[:len(dst)+r.Size]
}

func head(b []byte) []byte { return b[:min(len(b), 24)] }

func BenchmarkPlainRun(b *testing.B) {
	values := make([][]byte, 4096)
	for i := range values {
		values[i] = make([]byte, 100)
	}
	mixed := make([][]byte, 4096)
	for i := range mixed {
		mixed[i] = make([]byte, 50+i*7%101)
	}
	buf := make([]byte, 0, 1<<20)
	for _, bm := range []struct {
		name   string
		values [][]byte
		run    bool
	}{{"AppendRecord", values, false}, {"same size", values, true}, {"AppendRecord, mixed", mixed, false}, {"mixed", mixed, true}} {
		b.Run(bm.name, func(b *testing.B) {
			b.ReportAllocs()
			var run PlainRun
			for i := range b.N {
				v, n := bm.values[i&4095], i&4095
				if n == 0 {
					buf = buf[:0]
				}
				if !bm.run {
					buf = AppendRecord(buf, RecordBodySize(1, n, nil, v, 1), 1, n, nil, v, nil)
					continue
				}
				same := run.Fits(n, v)
				if !same && len(bm.values[(i+1)&4095]) == len(v) {
					same = run.Start(1, n, v)
				}
				if same {
					buf = run.append(buf, n, v)
				} else {
					buf = AppendRecord(buf, RecordBodySize(1, n, nil, v, 1), 1, n, nil, v, nil)
				}
			}
		})
	}
}
