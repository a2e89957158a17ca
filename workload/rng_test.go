package workload

import (
	"math"
	"math/big"
	"testing"
)

// TestSplitmix64 compares with the published reference implementation (Vigna, prng.di.unimi.it/splitmix64.c), seed 0.
func TestSplitmix64(t *testing.T) {
	r := rng{}
	for i, want := range []uint64{0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f, 0xf88bb8a8724c81ec} {
		if got := r.next(); got != want {
			t.Errorf("number %d = %#x, want %#x", i, got, want)
		}
	}
}

func TestStreamsDiffer(t *testing.T) {
	seen := map[uint64]string{}
	for seed := range uint64(3) {
		for use := useArrivals; use <= useHeaders; use++ {
			for shard := range 4 {
				r := newRNG(seed, use, shard)
				x := r.next()
				if seen[x] != "" {
					t.Errorf("seed %d, use %d, shard %d begins like another stream", seed, use, shard)
				}
				seen[x] = "taken"
			}
		}
	}
}

// TestExponential compares with math.Log within 4 units in the last place, at the ends of the range, at
// the seams of the argument reduction, and on random bits.
func TestExponential(t *testing.T) {
	inputs := []uint64{0, 1 << 11, 1<<12 - 1, math.MaxUint64, math.MaxUint64 - 1<<11, 1 << 63, 1<<63 - 1}
	for i := range uint64(64) {
		// both sides of √½ in each binade
		inputs = append(inputs, uint64(0xb504f333f9de6484)>>i, uint64(0xb504f333f9de6484)>>i+1<<11)
	}
	r := newRNG(1, 0, 0)
	for range 200_000 {
		x := r.next()
		inputs = append(inputs, x, x>>(x&31))
	}
	for _, x := range inputs {
		u := new(big.Float).SetUint64(x>>11 + 1)
		u.SetMantExp(u, -53)
		f, _ := u.Float64()
		got, want := exponential(x), -math.Log(f)
		if math.Abs(got-want) > 8e-16*want {
			t.Fatalf("exponential(%#x) = %v, want %v", x, got, want)
		}
	}
	if got, want := exponential(math.MaxUint64), 0.0; got != want {
		t.Errorf("of u = 1: %v, want %v", got, want)
	}
	if got, want := exponential(0), 53*math.Ln2; got != want {
		t.Errorf("of u = 2⁻⁵³: %v, want %v", got, want)
	}
}

func TestReadFillsAll(t *testing.T) {
	for n := range 20 {
		or := make([]byte, n)
		r := newRNG(9, 0, 0)
		for range 64 {
			b := make([]byte, n)
			r.read(b)
			for i := range b {
				or[i] |= b[i]
			}
		}
		for i, b := range or {
			if b != 0xff {
				t.Errorf("of %d bytes, number %d has bits that are never set: %#x", n, i, b)
			}
		}
	}
}

func BenchmarkExponential(b *testing.B) {
	b.ReportAllocs()
	r := newRNG(1, 0, 0)
	sum := 0.0
	for b.Loop() {
		sum += exponential(r.next())
	}
	if !(sum > 0) {
		b.Fatal(sum)
	}
}
