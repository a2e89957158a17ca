package workload

import (
	"math"
	"slices"
	"testing"
)

// listed returns n sizes of a distribution.
func listed(t *testing.T, spec SizeSpec, n int) []int {
	t.Helper()
	s, err := newSizer(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s.list(n)
}

func TestUniformSizes(t *testing.T) {
	list := listed(t, SizeSpec{Distribution: SizeUniform, Min: 10, Max: 19}, 1000)
	for size := 10; size < 20; size++ {
		n := 0
		for _, s := range list {
			if s == size {
				n++
			}
		}
		if n != 100 {
			t.Errorf("%d of 1000 values have %d bytes, want 100", n, size)
		}
	}
	if got, want := listed(t, SizeSpec{Distribution: SizeUniform, Min: 5, Max: 5}, 3), []int{5, 5, 5}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

func TestLognormalSizes(t *testing.T) {
	const n = 4093
	list := listed(t, SizeSpec{Distribution: SizeLognormal, Median: 1000, Sigma: 0.8}, n)
	// Quantiles: median·exp(σz).
	for z, p := range map[float64]float64{-1.2815515655: 0.1, 0: 0.5, 1.2815515655: 0.9, 2.3263478740: 0.99} {
		if got, want := float64(list[int(p*n)]), 1000*math.Exp(0.8*z); math.Abs(got/want-1) > 0.01 {
			t.Errorf("quantile %v: %v bytes, want %.0f", p, got, want)
		}
	}
	sum := 0.0
	for _, s := range list {
		sum += float64(s)
	}
	if got, want := sum/n, 1000*math.Exp(0.32); math.Abs(got/want-1) > 0.01 {
		t.Errorf("mean %v, want %.0f", got, want)
	}
	// Cut off: drawn again when outside, so nothing piles up at the ends.
	list = listed(t, SizeSpec{Distribution: SizeLognormal, Median: 1000, Sigma: 0.8, Min: 500, Max: 2000}, n)
	if list[0] < 500 || list[n-1] > 2000 || list[5] == list[0] && list[0] == list[20] || list[n-1] == list[n-6] {
		t.Errorf("from %v to %v", list[:6], list[n-6:])
	}
	if got, want := float64(list[n/2]), 1000.0; math.Abs(got/want-1) > 0.01 {
		t.Errorf("median within symmetric limits: %v, want %v", got, want)
	}
	if got, want := listed(t, SizeSpec{Distribution: SizeLognormal, Median: 9, Sigma: 0, Max: 100}, 2), []int{9, 9}; !slices.Equal(got, want) {
		t.Errorf("without spread: %v, want %v", got, want)
	}
}

func TestWeightedSizes(t *testing.T) {
	spec := SizeSpec{Distribution: SizeWeighted, Weights: []SizeWeight{{100, 60}, {0, 25}, {5000, 15}, {7, 0}, {90_000, 1e-6}}}
	got := map[int]int{}
	for _, s := range listed(t, spec, 1000) {
		got[s]++
	}
	want := map[int]int{100: 599, 0: 250, 5000: 150, 90_000: 1} // even the rarest is there
	for size := range want {
		if got[size] != want[size] {
			t.Errorf("%d of 1000 values have %d bytes, want %d", got[size], size, want[size])
		}
	}
	if got[7] != 0 {
		t.Errorf("a size of weight 0 came %d times", got[7])
	}
}

// TestFillFollowsSizes checks the sizes that records have in the end, for any codec and shard.
func TestFillFollowsSizes(t *testing.T) {
	spec := SizeSpec{Distribution: SizeWeighted, Weights: []SizeWeight{{10, 1}, {500, 2}, {3000, 1}}}
	for _, codec := range []string{"none", "zstd"} {
		p := mustSource(t, testPlan(withSizes(spec), withCodec(codec)))
		n := p.values.wheel.n
		got := map[int]int{}
		for _, r := range take(p.Shard(1, 3), n) {
			got[len(r.Value)]++
		}
		for _, w := range spec.Weights {
			if share, want := float64(got[w.Bytes])/float64(n), w.Weight/4; math.Abs(share-want) > 0.01 {
				t.Errorf("%s: %.3f of the values have %d bytes, want %.3f", codec, share, w.Bytes, want)
			}
		}
	}
}
