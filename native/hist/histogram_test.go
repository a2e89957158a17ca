package hist_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kbench/native/hist"
)

// TestHistogram compares quantiles with those of the sorted values.
func TestHistogram(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var h, early hist.Histogram
	var values []int64
	for i := range 50_000 {
		v := int64(math.Exp(rng.Float64() * 30)) // 1 to 10^13
		if i < 100 {
			v = int64(i)
		}
		values = append(values, v)
		h.Record(v)
		if i == 9999 {
			early = h
		}
	}
	late := h.Since(&early)
	check := func(h *hist.Histogram, values []int64) {
		t.Helper()
		values = slices.Sorted(slices.Values(values))
		sum := int64(0)
		for _, v := range values {
			sum += v
		}
		if h.Count != int64(len(values)) || h.Sum != sum || h.Mean() != float64(sum)/float64(len(values)) {
			t.Errorf("count %d, sum %d, mean %g of %d values with sum %d", h.Count, h.Sum, h.Mean(), len(values), sum)
		}
		for _, q := range []float64{0, 0.001, 0.01, 0.5, 0.9, 0.99, 0.9999, 1} {
			want := values[max(0, int(math.Ceil(q*float64(len(values))))-1)]
			if got := h.Quantile(q); math.Abs(float64(got-want)) > 0.032*float64(want) {
				t.Errorf("quantile %g is %d, want %d", q, got, want)
			}
		}
		n := int64(0)
		last := int64(-1)
		for b := range h.Buckets() {
			if b.Low <= last || b.High < b.Low || b.High-b.Low > b.Low/16 {
				t.Errorf("bucket %+v after one that ends with %d", b, last)
			}
			last, n = b.High, n+b.Count
		}
		if n != h.Count {
			t.Errorf("buckets hold %d values of %d", n, h.Count)
		}
	}
	check(&h, values)
	check(&early, values[:10_000])
	check(&late, values[10_000:])
	early.Add(&late)
	check(&early, values)

	var none hist.Histogram
	if none.Quantile(0.5) != 0 || none.Mean() != 0 {
		t.Error("an empty histogram has quantiles")
	}
	none.Record(math.MaxInt64)
	none.Record(-5)
	if none.Count != 2 || none.Max != math.MaxInt64 || none.Quantile(0.1) != 0 {
		t.Errorf("extremes: %d values, maximum %d, lowest %d", none.Count, none.Max, none.Quantile(0.1))
	}
}
