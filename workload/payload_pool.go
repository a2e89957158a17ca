package workload

import (
	"fmt"
	"math"
)

// How much room generated values get.
const (
	poolBytes = 256 << 10 // fits the second-level cache of any processor of this decade
	fewValues = 3         // a pool holds at least so many, however large they are
	// manySizes is the number of values in a pool of varying sizes, so that the sizes follow their distribution well.
	manySizes     = 4093
	manySizesPool = 8 << 20 // but under compression, where values can't overlap, the pool isn't made larger for that
	maxBatchBytes = 64 << 20
)

// pool says how many generated values there are to be.
type pool struct {
	bytes int
	apart bool  // values must not share bytes
	avoid []int // the number of values must be coprime with these
}

func poolFor(plan *Plan, opts SourceOptions) pool {
	p := pool{bytes: poolBytes, apart: compresses(plan)}
	if p.apart {
		p.bytes = max(p.bytes, 2*min(plan.Producer.BatchSize, maxBatchBytes))
	}
	if opts.PoolBytes > 0 {
		p.bytes = opts.PoolBytes
	}
	p.avoid = append(p.avoid, len(plan.Topics), plan.Records.Key.Cardinality)
	for _, t := range plan.Topics {
		p.avoid = append(p.avoid, int(t.Partitions))
	}
	return p
}

// compresses tells whether the client is to compress batches.
func compresses(plan *Plan) bool {
	c := plan.Producer.CompressionType
	return c != "" && c != "none"
}

// fits refuses values that are too large to be kept.
func (p pool) fits(sizes sizer) error {
	if most := sizes.most(); most > maxArena/fewValues {
		return fmt.Errorf("%d bytes are more than a run keeps in memory: at most %d", most, maxArena/fewValues)
	}
	return nil
}

// count is the number of values of that mean size: a prime. When values have to be apart it is the next prime above
// what fills the pool, else the next below.
func (p pool) count(mean float64) int {
	n := int(float64(p.bytes) / math.Max(1, mean))
	step := -1
	if p.apart {
		n, step = n+1, 1
	}
	if n <= fewValues {
		n, step = fewValues, 1
	}
	for !p.good(n) {
		if n <= fewValues {
			step = 1
		}
		n += step
	}
	return n
}

// countSizes is the number of values of varying sizes.
func (p pool) countSizes(sizes sizer) int {
	n := manySizes
	if p.apart {
		mean := sizes.mean()
		p.bytes = max(p.bytes, min(manySizesPool, int(mean*manySizes)))
		return p.count(mean)
	}
	for !p.good(n) {
		n++
	}
	return n
}

// good tells whether n is a prime that divides none of avoid.
func (p pool) good(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	for _, a := range p.avoid {
		if a > 0 && a%n == 0 {
			return false
		}
	}
	return true
}
