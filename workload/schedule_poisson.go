package workload

import (
	"math"
	"math/big"
	"time"
)

// longestGap bounds the mean gap of a Poisson schedule, in ns (4.5 years): the largest gap is 36.8 means, which still
// fits into an int64.
const longestGap = 1 << 57

// Poisson is a schedule of independent exponential gaps: each shard has its own stream of rate/shards, and streams of
// that kind, laid over each other, are exactly a Poisson process of the whole rate.
//
// The gap before record n comes from the n-th number of the shard's stream, so At is a function of n alone; a cursor
// makes calls in order cost O(1). Going back starts from record 0 again.
type Poisson struct {
	start rng     // of record 0
	mean  float64 // ns

	rng  rng
	next uint64 // the record after the cursor
	// The cursor's time is ns + rest, with rest in [0, 1). Only the gap is ever added to rest, so what is rounded off is
	// 2⁻⁵³ of one gap, in either direction: nothing that grows with the time of day of the run.
	ns   int64
	rest float64
}

func newPoisson(gap *big.Rat, opts ScheduleOptions) *Poisson {
	mean, _ := new(big.Rat).Mul(gap, big.NewRat(int64(opts.Shards), 1)).Float64()
	p := &Poisson{start: newRNG(opts.Seed, useArrivals, opts.Shard), mean: math.Min(mean, longestGap)}
	p.rng = p.start
	return p
}

// At says when record n of this shard is due: the sum of the gaps 0…n. Times that a Duration can't hold (292 years)
// become the largest one.
func (p *Poisson) At(n uint64) time.Duration {
	if n < p.next {
		if n+1 == p.next {
			return time.Duration(p.ns)
		}
		p.rng, p.next, p.ns, p.rest = p.start, 0, 0, 0
	}
	for p.next <= n { // in the loop, not in a function of its own: a call is a tenth of the time
		sum := p.rest + float64(exponential(p.rng.next())*p.mean)
		whole := int64(sum)
		p.rest = sum - float64(whole)
		p.ns += min(whole, math.MaxInt64-p.ns)
		p.next++
	}
	return time.Duration(p.ns)
}

// MeanGap is the mean time between two records of this shard.
func (p *Poisson) MeanGap() time.Duration { return clampDuration(p.mean) }
