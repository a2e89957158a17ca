// Package simulate makes runs whose true percentiles are known, and counts how often metrics/stat is right about them.
package simulate

import (
	"math"
	"math/rand/v2"

	"kbench/metrics/stat"
)

// Scenario is a kind of load whose steady-state distribution of latencies is known.
type Scenario struct {
	Name string
	// Truth is the q-quantile of the steady state.
	Truth func(q float64) float64
	// Start begins a run in its steady state: each call of the function that it returns appends the next second's
	// latencies, in seconds, to dst. All randomness comes from rng.
	Start func(rng *rand.Rand) func(dst []float64) []float64
}

// Rate is the number of values a second in every scenario. Of the rates that runs have it is the hard end: the fewer
// values a second, the more seconds a queue's busy periods span, and the fewer lie beyond a percentile.
const Rate = 1000

// Scenarios are those of the coverage table: independent values, queues from idle to nearly full, levels that wander
// from second to second, two modes, and stalls.
func Scenarios() []Scenario {
	return []Scenario{
		Lognormal(0.5),
		Queue(0.5),
		Queue(0.8),
		Queue(0.95),
		Wandering(0.5, 0.2),
		Wandering(0.9, 0.1),
		Chained(0.99),
		Bimodal(0.1, 20),
		Stalls(0.5, 0.05),
	}
}

// base is the scale of a latency: 1 ms.
const base = 1e-3

// Lognormal is independent values, lognormal around 1 ms.
func Lognormal(sigma float64) Scenario {
	return Scenario{
		Name:  "iid lognormal",
		Truth: func(q float64) float64 { return base * math.Exp(sigma*stat.NormalQuantile(q)) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			return func(dst []float64) []float64 {
				for range Rate {
					dst = append(dst, base*math.Exp(sigma*rng.NormFloat64()))
				}
				return dst
			}
		},
	}
}

// Queue is the time in an M/M/1 queue with that utilisation: exponential with mean 1/(μ−λ), μ = λ/ρ. Values belong to
// the second in which they arrived.
func Queue(rho float64) Scenario {
	const lambda = Rate
	mu := lambda / rho
	return Scenario{
		Name:  "M/M/1 ρ " + trim(rho),
		Truth: func(q float64) float64 { return -math.Log1p(-q) / (mu - lambda) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			left := 0.0 // work before the next arrival: 0 with probability 1−ρ, else exponential
			if rng.Float64() < rho {
				left = rng.ExpFloat64() / (mu - lambda)
			}
			now, second := rng.ExpFloat64()/lambda, 0.0
			return func(dst []float64) []float64 {
				second++
				for now < second {
					left += rng.ExpFloat64() / mu
					dst = append(dst, left)
					gap := rng.ExpFloat64() / lambda
					now += gap
					left = math.Max(0, left-gap)
				}
				return dst
			}
		},
	}
}

// Wandering is lognormal values around a level that is AR(1) on the log scale from second to second, with coefficient phi
// and standard deviation sd.
func Wandering(phi, sd float64) Scenario {
	const sigma = 0.5
	return Scenario{
		Name:  "AR(1) " + trim(phi) + " of seconds",
		Truth: func(q float64) float64 { return base * math.Exp(math.Hypot(sigma, sd)*stat.NormalQuantile(q)) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			level := sd * rng.NormFloat64()
			return func(dst []float64) []float64 {
				for range Rate {
					dst = append(dst, base*math.Exp(level+sigma*rng.NormFloat64()))
				}
				level = phi*level + sd*math.Sqrt(1-phi*phi)*rng.NormFloat64()
				return dst
			}
		},
	}
}

// Chained is values that are AR(1) on the log scale from one to the next.
func Chained(phi float64) Scenario {
	const sigma = 0.5
	return Scenario{
		Name:  "AR(1) " + trim(phi) + " of values",
		Truth: func(q float64) float64 { return base * math.Exp(sigma*stat.NormalQuantile(q)) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			x := rng.NormFloat64()
			step := math.Sqrt(1 - phi*phi)
			return func(dst []float64) []float64 {
				for range Rate {
					x = phi*x + step*rng.NormFloat64()
					dst = append(dst, base*math.Exp(sigma*x))
				}
				return dst
			}
		},
	}
}

// Bimodal is independent values of which a share is slower by a factor, with next to nothing in between.
func Bimodal(share, factor float64) Scenario {
	const sigma = 0.2
	below := func(logV float64) float64 {
		return (1-share)*normalBelow(logV/sigma) + share*normalBelow((logV-math.Log(factor))/sigma)
	}
	return Scenario{
		Name:  "bimodal",
		Truth: func(q float64) float64 { return base * math.Exp(solve(below, q, -3, math.Log(factor)+3)) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			return func(dst []float64) []float64 {
				for range Rate {
					v := base * math.Exp(sigma*rng.NormFloat64())
					if rng.Float64() < share {
						v *= factor
					}
					dst = append(dst, v)
				}
				return dst
			}
		},
	}
}

// Stalls is lognormal values around 1 ms, and moments at which everything stands still for an exponential time with that
// mean in seconds; such moments come at rate a second. What is due in a stall waits for its end.
func Stalls(rate, length float64) Scenario {
	const sigma = 0.5
	// Stalls overlap like customers of an M/M/∞ queue: what is left of the longest is above t with probability
	// 1 − exp(−rate·length·e^(−t/length)).
	busy := func(t float64) float64 {
		if t < 0 {
			return 1
		}
		return -math.Expm1(-rate * length * math.Exp(-t/length))
	}
	// Value = max(own latency, what is left): both stay below v.
	below := func(logV float64) float64 {
		return normalBelow(logV/sigma) * (1 - busy(base*math.Exp(logV)))
	}
	return Scenario{
		Name:  "stalls",
		Truth: func(q float64) float64 { return base * math.Exp(solve(below, q, -5, 10)) },
		Start: func(rng *rand.Rand) func([]float64) []float64 {
			until := 0.0
			if rng.Float64() < busy(0) { // how long the stall lasts that the run begins in
				until = -length * math.Log(-math.Log1p(-busy(0)*rng.Float64())/(rate*length))
			}
			next, now := rng.ExpFloat64()/rate, 0.0
			second := 0.0
			return func(dst []float64) []float64 {
				second++
				for ; now < second; now += 1.0 / Rate {
					for next <= now {
						until = math.Max(until, next+length*rng.ExpFloat64())
						next += rng.ExpFloat64() / rate
					}
					dst = append(dst, math.Max(base*math.Exp(sigma*rng.NormFloat64()), until-now))
				}
				return dst
			}
		},
	}
}

func normalBelow(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }

// solve finds x between low and high with f(x) = y, f rising.
func solve(f func(float64) float64, y, low, high float64) float64 {
	for range 100 {
		if mid := low + (high-low)/2; f(mid) < y {
			low = mid
		} else {
			high = mid
		}
	}
	return low + (high-low)/2
}
