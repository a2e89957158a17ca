package selftest

import (
	"math"
	"math/rand/v2"
	"slices"
)

// queueKind is the service of a single-server queue with Poisson arrivals.
type queueKind string

const (
	mm1 queueKind = "M/M/1" // exponential service
	md1 queueKind = "M/D/1" // constant service
)

// lindley returns the time that each customer spends in a queue of one server in order of arrival, by Lindley's recursion:
// done(n) = max(arrival(n), done(n−1)) + service(n). Times in ns; arrivals ascend.
func lindley(arrivals []int64, service func() int64) []int64 {
	responses := make([]int64, len(arrivals))
	done := int64(math.MinInt64)
	for i, at := range arrivals {
		done = max(at, done) + service()
		responses[i] = done - at
	}
	return responses
}

// theory is the q-quantile of the time in the queue in its steady state, in units of the mean service time.
func (k queueKind) theory(rho, q float64) float64 {
	if k == mm1 {
		return -math.Log1p(-q) / (1 - rho) // exponential with mean 1/(μ − λ)
	}
	return md1Quantile(rho, q)
}

// md1Quantile is the q-quantile of 1 + W in an M/D/1 queue with service time 1, by bisection.
func md1Quantile(rho, q float64) float64 {
	high := 1.0
	for md1Below(rho, high) < q {
		high *= 2
	}
	size := int(math.Ceil(high)) + 2
	within := md1InLine(rho, size)
	low := 0.0
	for range 60 {
		if mid := (low + high) / 2; md1Wait(rho, mid, within) < q {
			low = mid
		} else {
			high = mid
		}
	}
	return 1 + high
}

// md1Below is P(W ≤ x).
func md1Below(rho, x float64) float64 { return md1Wait(rho, x, md1InLine(rho, int(x)+2)) }

// md1Wait is P(W ≤ x) for (k−1) ≤ x < k: e^(−λ(k−x)) Σ_{j<k} Q(k−1−j) (λ(k−x))^j / j!, with Q(m) the probability of at
// most m waiting. Source: G. J. Franx, "A simple solution for the M/D/c waiting time distribution", Operations Research
// Letters 29 (2001). Every term is positive; Erlang's own series alternates and is useless from ρ = 0.9 on.
func md1Wait(rho, x float64, within []float64) float64 {
	k := int(math.Floor(x)) + 1
	u := rho * (float64(k) - x)
	sum, term := 0.0, 1.0
	for j := range k {
		sum += within[k-1-j] * term
		term *= u / float64(j+1)
	}
	return math.Exp(-u) * sum
}

// md1InLine returns Q(m), the probability that at most m customers wait (besides one in service), for m < n, from the
// stationary distribution of M/G/1's embedded chain by Ramaswami's recursion, which never subtracts.
// Source: V. Ramaswami, "A stable recursion for the steady state vector in Markov chains of M/G/1 type", Stochastic Models
// 4 (1988): x(i) = (x(0)·ā(i) + Σ_{0<j<i} x(j)·ā(i+1−j)) / (1 − ā(1)), ā(i) = P(at least i arrivals in one service).
func md1InLine(rho float64, n int) []float64 {
	atLeast := poissonTails(rho, n+2)
	x := make([]float64, n+1)
	x[0] = 1 - rho
	for i := 1; i <= n; i++ {
		sum := x[0] * atLeast[i]
		for j := 1; j < i; j++ {
			sum += x[j] * atLeast[i+1-j]
		}
		x[i] = sum / (1 - atLeast[1])
	}
	within := make([]float64, n)
	sum := x[0]
	for m := range within {
		sum += x[m+1]
		within[m] = sum
	}
	return within
}

// poissonTails returns P(X ≥ i) for i < n, X Poisson with that mean, summed from the small end so that none loses digits.
func poissonTails(mean float64, n int) []float64 {
	const beyond = 60 // with a mean below 1, nothing
	p := make([]float64, n+beyond)
	p[0] = math.Exp(-mean)
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * mean / float64(i)
	}
	for i := len(p) - 2; i >= 0; i-- {
		p[i] += p[i+1]
	}
	return p[:n]
}

// queueRun is what is simulated: a queue of mean service 1 that begins empty, seen from warm to warm+length.
type queueRun struct {
	kind         queueKind
	rho          float64
	warm, length float64 // in mean service times
}

// band simulates so many runs and returns, for each percentile, between what values 99 % of them lie, in mean service
// times.
func (r queueRun) band(qs []float64, runs int, seed uint64) [][2]float64 {
	found := make([][]float64, len(qs))
	for i := range runs {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		values := r.simulate(rng)
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		for j, q := range qs {
			found[j] = append(found[j], values[max(1, int(math.Ceil(q*float64(len(values)))))-1])
		}
	}
	out := make([][2]float64, len(qs))
	for j, f := range found {
		slices.Sort(f)
		out[j] = [2]float64{f[int(0.005*float64(len(f)))], f[min(len(f)-1, int(math.Ceil(0.995*float64(len(f)))))]}
	}
	return out
}

func (r queueRun) simulate(rng *rand.Rand) []float64 {
	values := make([]float64, 0, int(r.length*r.rho*1.2)+16)
	now, done := 0.0, 0.0
	for {
		now += rng.ExpFloat64() / r.rho
		if now >= r.warm+r.length {
			return values
		}
		service := 1.0
		if r.kind == mm1 {
			service = rng.ExpFloat64()
		}
		done = math.Max(now, done) + service
		if now >= r.warm {
			values = append(values, done-now)
		}
	}
}
