package sink

import (
	"math"
	"math/rand/v2"
)

// distribution is one of times, in ns.
type distribution interface {
	// quantile is the inverse of the distribution function, for 0 < p < 1. A draw is the quantile of a uniform number, so
	// that each takes exactly one number of the generator.
	quantile(p float64) float64
	// mean is the expected value.
	mean() float64
}

var (
	_ distribution = constantTime(0)
	_ distribution = evenTime{}
	_ distribution = normalTime{}
	_ distribution = lognormalTime{}
	_ distribution = exponentialTime(0)
	_ distribution = bimodalTime{}
)

// constantTime is always the same.
type constantTime float64

func (c constantTime) quantile(float64) float64 { return float64(c) }
func (c constantTime) mean() float64            { return float64(c) }

// evenTime is uniform between two times.
type evenTime struct{ from, to float64 }

func (e evenTime) quantile(p float64) float64 { return e.from + p*(e.to-e.from) }
func (e evenTime) mean() float64              { return (e.from + e.to) / 2 }

// normalTime is the normal distribution cut off at 0: given that it isn't negative. Its mean is therefore somewhat above mu.
type normalTime struct{ mu, sd float64 }

// below is the probability that was cut off.
func (n normalTime) below() float64 { return math.Erfc(n.mu/n.sd/math.Sqrt2) / 2 }

func (n normalTime) quantile(p float64) float64 {
	below := n.below()
	p = math.Min(below+p*(1-below), 1-0x1p-52) // 1 would be infinitely far out
	return n.mu + n.sd*math.Sqrt2*math.Erfinv(2*p-1)
}

// mean: μ + σ·φ(μ/σ)/(1 − Φ(−μ/σ)), of the normal distribution truncated from below at 0.
func (n normalTime) mean() float64 {
	a := n.mu / n.sd
	return n.mu + n.sd*math.Exp(-a*a/2)/math.Sqrt(2*math.Pi)/(1-n.below())
}

// lognormalTime has a normally distributed logarithm with mean ln(median) and standard deviation sigma.
type lognormalTime struct{ median, sigma float64 }

func (l lognormalTime) quantile(p float64) float64 {
	return l.median * math.Exp(l.sigma*math.Sqrt2*math.Erfinv(2*p-1))
}

func (l lognormalTime) mean() float64 { return l.median * math.Exp(l.sigma*l.sigma/2) }

// exponentialTime has the value as its mean.
type exponentialTime float64

func (e exponentialTime) quantile(p float64) float64 { return -float64(e) * math.Log1p(-p) }
func (e exponentialTime) mean() float64              { return float64(e) }

// bimodalTime is slow with the probability share, else fast.
type bimodalTime struct{ fast, slow, share float64 }

func (b bimodalTime) quantile(p float64) float64 {
	if p < 1-b.share {
		return b.fast
	}
	return b.slow
}

func (b bimodalTime) mean() float64 { return b.fast + b.share*(b.slow-b.fast) }

// What is random in a hold draws from streams of its own, so that one part doesn't change what another draws.
const (
	streamService uint64 = iota + 1
	streamThrottle
	streamFault
)

// uniform draws numbers strictly between 0 and 1.
type uniform struct{ pcg *rand.PCG }

func newUniform(seed, stream uint64) *uniform { return &uniform{rand.NewPCG(seed, stream)} }

// next has 52 random bits, in the middle of their step: neither 0 nor 1 can come out.
func (u *uniform) next() float64 { return (float64(u.pcg.Uint64()>>12) + 0.5) * 0x1p-52 }
