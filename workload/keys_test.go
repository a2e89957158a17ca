package workload

import (
	"fmt"
	"math"
	"strconv"
	"testing"
)

func TestKeysAreUniqueText(t *testing.T) {
	for _, tt := range []struct{ n, size int }{{1, 1}, {10, 1}, {11, 2}, {12_345, 5}, {12_345, 9}} {
		k, err := newKeySet(KeySpec{Distribution: KeyUniform, Cardinality: tt.n, Size: tt.size})
		if err != nil {
			t.Fatal(err)
		}
		for i := range tt.n {
			if got, want := string(k.key(i)), fmt.Sprintf("%0*d", tt.size, i); got != want {
				t.Fatalf("%d keys of %d bytes: number %d is %q, want %q", tt.n, tt.size, i, got, want)
			}
		}
		if key := k.key(0); cap(key) != tt.size {
			t.Errorf("an append to a key would overwrite the next one: capacity %d of %d", cap(key), tt.size)
		}
	}
}

// counts draws n keys from several shards and counts them by number.
func counts(t *testing.T, spec KeySpec, seed uint64, n int) []float64 {
	t.Helper()
	plan := testPlan(withKeys(spec))
	plan.Seed = seed
	p := mustSource(t, plan)
	got := make([]float64, spec.Cardinality)
	const shards = 2
	recs := make([]Record, 100)
	for shard := range shards {
		s := p.Shard(shard, shards)
		for range n / shards / len(recs) {
			s.Fill(recs)
			for _, r := range recs {
				i, err := strconv.Atoi(string(r.Key))
				if err != nil {
					t.Fatal(err)
				}
				got[i]++
			}
		}
	}
	return got
}

// chiSquare is Pearson's statistic as a standard normal variate (Wilson and Hilferty 1931); cells that expect fewer
// than 10 are put together.
func chiSquare(got, shares []float64, n float64) (z float64) {
	x, cells, rest, restWant := 0.0, 0.0, 0.0, 0.0
	add := func(got, want float64) {
		x += (got - want) * (got - want) / want
		cells++
	}
	for i, share := range shares {
		if want := share * n; want >= 10 {
			add(got[i], want)
		} else {
			rest += got[i]
			restWant += want
		}
	}
	if restWant > 0 {
		add(rest, restWant)
	}
	df := cells - 1
	return (math.Cbrt(x/df) - (1 - 2/(9*df))) / math.Sqrt(2/(9*df))
}

// shares is the distribution that a spec asks for, from its definition.
func shares(spec KeySpec) []float64 {
	p, sum := make([]float64, spec.Cardinality), 0.0
	for i := range p {
		switch {
		case spec.Distribution == KeyZipf:
			p[i] = 1 / math.Pow(float64(i+1), spec.S)
		case spec.Distribution == KeyHot && i < spec.HotKeys:
			p[i] = spec.HotShare / float64(spec.HotKeys)
		case spec.Distribution == KeyHot:
			p[i] = (1 - spec.HotShare) / float64(spec.Cardinality-spec.HotKeys)
		default:
			p[i] = 1
		}
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}

// TestKeyDistributions tests goodness of fit at fixed seeds: it passes always or never.
func TestKeyDistributions(t *testing.T) {
	const n = 400_000
	for _, spec := range []KeySpec{
		{Distribution: KeyUniform, Cardinality: 1000, Size: 4},
		{Distribution: KeyUniform, Cardinality: 7, Size: 4},
		{Distribution: KeyZipf, Cardinality: 100_000, S: 1.1, Size: 8},
		{Distribution: KeyZipf, Cardinality: 1000, S: 0.5, Size: 8},
		{Distribution: KeyZipf, Cardinality: 50, S: 2.5, Size: 8},
		{Distribution: KeyHot, Cardinality: 1000, HotKeys: 10, HotShare: 0.9, Size: 8},
		{Distribution: KeyHot, Cardinality: 500, HotKeys: 1, HotShare: 0.5, Size: 8},
	} {
		for seed := range uint64(3) {
			got := counts(t, spec, seed, n)
			want := shares(spec)
			if z := chiSquare(got, want, n); math.Abs(z) > 3.5 {
				t.Errorf("%+v, seed %d: χ² is %.1f standard deviations off", spec, seed, z)
			}
			want[0] *= 1.2 // the check can fail: a fifth more of the first key
			if z := chiSquare(got, want, n); z < 3.5 && want[0]*n > 20_000 {
				t.Errorf("%+v, seed %d: a share 20 %% off isn't seen (%.1f)", spec, seed, z)
			}
		}
	}
}

func TestHotShareEnds(t *testing.T) {
	for share, want := range map[float64]int{0: 0, 1: 10_000} {
		got := counts(t, KeySpec{Distribution: KeyHot, Cardinality: 100, HotKeys: 5, HotShare: share, Size: 4}, 1, 10_000)
		hot := 0
		for _, n := range got[:5] {
			hot += int(n)
		}
		if hot != want {
			t.Errorf("hot share %v: %d of 10000 records use hot keys, want %d", share, hot, want)
		}
	}
}

// TestKeysRepeat checks that a seed gives the same keys in each of its shards, and different ones in different shards.
func TestKeysRepeat(t *testing.T) {
	spec := withKeys(KeySpec{Distribution: KeyUniform, Cardinality: 1 << 16, Size: 8})
	p := mustSource(t, testPlan(spec))
	keys := func(p *Payloads, shard int) (s string) {
		for _, r := range take(p.Shard(shard, 2), 50) {
			s += string(r.Key)
		}
		return s
	}
	if got, want := keys(mustSource(t, testPlan(spec)), 1), keys(p, 1); got != want {
		t.Errorf("the same seed and shard give %s and %s", got, want)
	}
	if keys(p, 0) == keys(p, 1) {
		t.Error("two shards draw the same keys")
	}
	if keys(mustSource(t, testPlan(spec, func(p *Plan) { p.Seed = 2 })), 1) == keys(p, 1) {
		t.Error("two seeds draw the same keys")
	}
}
