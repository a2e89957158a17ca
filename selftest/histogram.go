package selftest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"kbench/metrics"
)

// histogramShare is the claim: half a bucket of three significant digits.
const histogramShare = 0.0005

func histogramCheck() Check {
	return Check{Name: "histogram", Claim: "percentiles from 1 µs to 100 s, p50 to p99.99, are within 0.05 % of exact sorting, seven distributions",
		Run: runHistogram}
}

// runHistogram records each distribution, at three scales, through the recorders and the collector of a run, and
// compares the merged percentiles.
func runHistogram(ctx context.Context, env *Env) (Outcome, error) {
	n := choose(env, 200_000, 1_000_000, 1_000_000)
	var o Outcome
	for i, d := range distributions() {
		for j, scale := range []float64{20e3, 20e6, 20e9} {
			if err := ctx.Err(); err != nil {
				return o, err
			}
			values := sample(d, scale, n, uint64(i*10+j+1))
			v := histogramView(values)
			o.Rows = append(o.Rows, compare(fmt.Sprintf("%s around %s", d.name, nsText(scale)), newTruth(values), v, reported(),
				func(float64) tolerance { return tolerance{share: histogramShare} })...)
		}
	}
	o.Rows = append(o.Rows, compare("constant", truth{100_000_000_000}, histogramView([]int64{100_000_000_000}), reported(),
		func(float64) tolerance { return tolerance{share: histogramShare} })...)
	if r, ok := worst(o.Rows); ok {
		o.Measured = fmt.Sprintf("at most %.3f %% (%s), %d values each", 100*math.Abs(r.Measured-r.Truth)/r.Truth, r.What, n)
	}
	return judge(o), nil
}

// histogramView records values as a run does: by two producers, over some seconds, merged at the end.
func histogramView(values []int64) view {
	h := record(values)
	return func(q float64) float64 { return float64(h.Quantile(q)) }
}

func record(values []int64) *metrics.Histogram {
	collector := metrics.NewCollector(2)
	recorders := []*metrics.Recorder{collector.Recorder(metrics.AckSide), collector.Recorder(metrics.AckSide)}
	const seconds = 5
	for i, v := range values {
		r := recorders[i%2]
		r.Roll(int64(i) * seconds * metrics.Second / int64(len(values)))
		r.Add(v, v/2, false)
	}
	for _, r := range recorders {
		r.Flush()
	}
	var parts []*metrics.Histogram
	for _, i := range collector.Finish() {
		parts = append(parts, i.Response)
	}
	return metrics.Sum(parts...)
}

// The range that the claim is about, in ns.
const (
	histogramLow  = 1e3
	histogramHigh = 100e9
)

// shape is a distribution around 1.
type shape struct {
	name string
	next func(r *rand.Rand) float64
}

// distributions are the seven.
func distributions() []shape {
	return []shape{
		{"uniform", func(r *rand.Rand) float64 { return 2 * r.Float64() }},
		{"exponential", (*rand.Rand).ExpFloat64},
		{"lognormal", func(r *rand.Rand) float64 { return math.Exp(r.NormFloat64()) }},
		{"Pareto", func(r *rand.Rand) float64 { return math.Pow(1-r.Float64(), -1/1.5) }},
		{"bimodal", func(r *rand.Rand) float64 {
			if r.Float64() < 0.05 {
				return 20 + r.NormFloat64()
			}
			return 1 + 0.1*r.NormFloat64()
		}},
		{"normal", func(r *rand.Rand) float64 { return 1 + 0.2*r.NormFloat64() }},
		{"M/M/1", queueShape()},
	}
}

// queueShape is the time in an M/M/1 queue at ρ = 0.8, one arrival after the other, by Lindley's recursion.
func queueShape() func(r *rand.Rand) float64 {
	wait := 0.0
	return func(r *rand.Rand) float64 {
		service := r.ExpFloat64()
		response := wait + service
		wait = math.Max(0, response-r.ExpFloat64()/0.8)
		return response / 5
	}
}

// sample draws n values of a shape around scale, within the range of the claim.
func sample(d shape, scale float64, n int, seed uint64) []int64 {
	r := rand.New(rand.NewPCG(seed, 0))
	values := make([]int64, n)
	for i := range values {
		values[i] = int64(math.Min(math.Max(scale*d.next(r), histogramLow), histogramHigh))
	}
	return values
}
