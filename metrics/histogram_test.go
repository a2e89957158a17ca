package metrics

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// TestBucketsAreHdrHistograms holds our bucket numbering against the library's own.
func TestBucketsAreHdrHistograms(t *testing.T) {
	if got, want := bucketsLen, len(hdrhistogram.New(LowestTrackable, HighestTrackable, SignificantDigits).Export().Counts); got != want {
		t.Fatalf("bucketsLen = %d, the library has %d", got, want)
	}
	r := rand.New(rand.NewPCG(1, 2))
	lib := hdrhistogram.New(LowestTrackable, HighestTrackable, SignificantDigits)
	var own tally
	values := []int64{0, 1, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 1e9, HighestTrackable}
	for range 100_000 {
		values = append(values, int64(math.Exp(r.Float64()*math.Log(float64(HighestTrackable)))))
	}
	for _, v := range values {
		own.add(v, 1)
		if err := lib.RecordValue(v); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range lib.Export().Counts {
		if got := int64(own.counts[i]); got != want {
			t.Fatalf("bucket %d holds %d, the library has %d", i, got, want)
		}
	}
	if !own.compact().HDR().Equals(lib) {
		t.Error("compact().HDR() differs from the library's histogram")
	}
}

// TestQuantileError: quantiles are within half a bucket, 0.05 %, of exact sorting.
func TestQuantileError(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var own tally
	values := make([]int64, 200_000)
	for i := range values {
		values[i] = int64(1e3 * math.Exp(r.Float64()*math.Log(1e8))) // 1 µs to 100 s
		own.add(values[i], 1)
	}
	slices.Sort(values)
	h := own.compact()
	for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.999, 0.9999} {
		exact := values[int(math.Ceil(q*float64(len(values))))-1]
		if e := math.Abs(float64(h.Quantile(q)-exact)) / float64(exact); e > 0.0005 {
			t.Errorf("q %v: got %d, exact %d, off by %.4f %%", q, h.Quantile(q), exact, 100*e)
		}
	}
	if h.Max() != values[len(values)-1] || h.Min() != values[0] {
		t.Errorf("min, max = %d, %d, want %d, %d", h.Min(), h.Max(), values[0], values[len(values)-1])
	}
}

func TestClippedIsCounted(t *testing.T) {
	var own tally
	own.add(HighestTrackable+1, 3)
	own.add(-5, 1)
	h := own.compact()
	if h.Total() != 4 || h.Clipped() != 3 || h.Max() != HighestTrackable || h.Min() != 0 {
		t.Errorf("total %d, clipped %d, min %d, max %d", h.Total(), h.Clipped(), h.Min(), h.Max())
	}
}

func TestSumAndReset(t *testing.T) {
	var a, b, both tally
	for v := int64(1); v < 5_000_000; v = v*3/2 + 1 {
		a.add(v, 2)
		both.add(v, 2)
		b.add(v*7, 1)
		both.add(v*7, 1)
	}
	sum := Sum(a.compact(), nil, b.compact(), &Histogram{})
	if want := both.compact(); !slices.Equal(sum.index, want.index) || !slices.Equal(sum.count, want.count) ||
		sum.Min() != want.Min() || sum.Max() != want.Max() || math.Abs(sum.Mean()-want.Mean()) > 1e-6*want.Mean() {
		t.Errorf("Sum differs from recording into one: %+v, want %+v", sum, want)
	}
	a.reset()
	if got := a; got != (tally{}) {
		t.Error("reset leaves something behind")
	}
}

func TestEmptyHistogram(t *testing.T) {
	var none *Histogram
	if none.Total() != 0 || none.Quantile(.5) != 0 || none.Mean() != 0 || none.Max() != 0 || none.HDR().TotalCount() != 0 {
		t.Error("a nil histogram doesn't read as empty")
	}
}

func BenchmarkTallyAdd(b *testing.B) {
	b.ReportAllocs()
	var t tally
	v := int64(12345)
	for b.Loop() {
		v = v*6364136223846793005 + 1442695040888963407
		t.add(200_000+(v>>44)&0xfffff, 1)
	}
}
