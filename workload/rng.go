package workload

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// gamma is the increment of splitmix64: 2⁶⁴ divided by the golden ratio, made odd.
const gamma = 0x9e3779b97f4a7c15

// Each use of randomness has its own stream, so that adding a draw to one doesn't move the others.
const (
	useArrivals = iota + 1
	useKeys
	useSizes
	useValues
	useHeaders
)

// rng is splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014): a counter and a mixing
// function, so the n-th number of a stream needs none of those before it.
type rng struct{ state uint64 }

// newRNG starts the stream of one use in one shard. The start is a pseudo-random place in the one cycle of 2⁶⁴ numbers:
// two streams of 10¹² numbers share a part of it with a probability of about 10⁻⁷.
func newRNG(seed uint64, use, shard int) rng {
	return rng{state: mix64(mix64(mix64(seed)+uint64(use)*gamma) + uint64(shard)*gamma)}
}

// next returns 64 random bits.
func (r *rng) next() uint64 {
	r.state += gamma
	return mix64(r.state)
}

// below returns a number below n, each equally likely but for n/2⁶⁴ (Lemire's multiplication instead of a remainder).
func (r *rng) below(n int) int {
	hi, _ := bits.Mul64(r.next(), uint64(n))
	return int(hi)
}

// unit returns a number in [0, 1) with 53 random bits.
func (r *rng) unit() float64 { return float64(r.next()>>11) * 0x1p-53 }

// read fills dst with random bytes.
func (r *rng) read(dst []byte) {
	for ; len(dst) >= 8; dst = dst[8:] {
		binary.LittleEndian.PutUint64(dst, r.next())
	}
	if len(dst) > 0 {
		var last [8]byte
		binary.LittleEndian.PutUint64(last[:], r.next())
		copy(dst, last[:])
	}
}

// mix64 is the output function of splitmix64: a bijection that leaves no trace of the counter.
func mix64(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// exponential turns 64 random bits into an exponential variate of mean 1: −ln(u) with u = m/2⁵³, m in 1…2⁵³. It is
// never infinite, and at most 36.8.
//
// With m = f·2ᵏ and f in [√½, √2): −ln(u) = (53 − k)·ln 2 − ln f, and ln f = 2·(s + s³/3 + s⁵/5 + …), s = (f−1)/(f+1),
// where s² ≤ 0.0295, so that ten terms leave less than 2⁻⁵³.
//
// Note: not math.Log. It differs in the last bit between processors, as does a product and sum that the compiler fuses;
// a seed has to give the same schedule everywhere. A conversion to float64 forbids the fusing.
func exponential(x uint64) float64 {
	const sqrtHalf = 0x3fe6a09e667f3bcd // the bits of √½
	b := math.Float64bits(float64(x>>11 + 1))
	k := int64(b-sqrtHalf) >> 52
	f := math.Float64frombits(b - uint64(k)<<52)
	s := (f - 1) / (f + 1)
	z := s * s
	z2 := z * z
	z4 := z2 * z2
	a := 1 + float64(z*(1.0/3))
	c := 1.0/5 + float64(z*(1.0/7))
	d := 1.0/9 + float64(z*(1.0/11))
	e := 1.0/13 + float64(z*(1.0/15))
	g := 1.0/17 + float64(z*(1.0/19))
	low := a + float64(z2*c)
	high := d + float64(z2*e) + float64(z4*g)
	return float64(float64(53-k)*math.Ln2) - float64(2*s*(low+float64(z4*high)))
}
