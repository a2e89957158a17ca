package metrics

import (
	"math"
	"testing"
)

func histogramOf(values ...int64) *Histogram {
	var t Tally
	for _, v := range values {
		t.Add(v)
	}
	return t.Histogram()
}

// TestSlices: Above and Quantile are each other's inverse, and buckets count in proportion.
func TestSlices(t *testing.T) {
	var parts []*Histogram
	for i := range int64(10) {
		var values []int64
		for j := range int64(1000) {
			values = append(values, (i+1)*(j*j+1))
		}
		parts = append(parts, histogramOf(values...))
	}
	parts = append(parts, nil) // a second without any
	s := NewSlices(parts)
	if s.Len() != 11 || s.Above(10, -1) != 0 || s.Above(3, -1) != 1000 {
		t.Fatalf("%d slices, %v and %v values", s.Len(), s.Above(10, -1), s.Above(3, -1))
	}
	for _, q := range []float64{0, .001, .5, .9, .99, .999, 1} {
		v, above := s.Quantile(q), 0.0
		for i := range s.Len() {
			above += s.Above(i, v)
		}
		if want := (1 - q) * 10_000; math.Abs(above-want) > 1e-6 {
			t.Errorf("q %v: %v above %v, want %v", q, above, v, want)
		}
	}
	one := NewSlices([]*Histogram{histogramOf(4_000_000, 4_000_001)})
	low, width := bucketRange(bucketIndex(4_000_000))
	if got := one.Above(0, low+width/4); got != 1.5 {
		t.Errorf("a quarter into the bucket of both values: %v above, want 1.5", got)
	}
	if got := one.Above(0, float64(HighestTrackable)*2); got != 0 {
		t.Errorf("%v above the range", got)
	}
}

func TestBucketRange(t *testing.T) {
	for _, v := range []int64{0, 1, 1023, 1024, 2047, 2048, 2049, 4095, 4096, 123_456_789, HighestTrackable} {
		low, width := bucketRange(bucketIndex(v))
		if float64(v) < low || float64(v) >= low+width || bucketIndex(int64(low)) != bucketIndex(v) {
			t.Errorf("%d is in the bucket from %v, %v wide", v, low, width)
		}
	}
}

func TestWithout(t *testing.T) {
	all := histogramOf(1, 5, 5, 9, 100_000, 7_000_000)
	got := all.Without(histogramOf(5, 100_000))
	if got.Total() != 4 || got.Quantile(.5) != 5 || got.Above(50_000) != 1 || got.Mean() != float64(1+5+9+7_000_000)/4 {
		t.Errorf("%d values, mean %v, p50 %d", got.Total(), got.Mean(), got.Quantile(.5))
	}
	if got := all.Without(histogramOf(1, 7_000_000)); got.Min() != 5 || got.Max() > 100_100 || got.Max() < 99_900 {
		t.Errorf("the ends were taken out: %d to %d", got.Min(), got.Max())
	}
	if got := all.Without(all); got.Total() != 0 || got.Quantile(.99) != 0 {
		t.Errorf("nothing is left, but %d values", got.Total())
	}
	if got := all.Without(nil); got.Total() != 6 {
		t.Errorf("without nothing: %d values", got.Total())
	}
}
