package workload

import (
	"fmt"
	"math"
	"slices"
)

// The pool of generated values.
const (
	poolBytes = 256 << 10 // fits the second-level cache of any processor of this decade
	fewValues = 3         // a pool holds at least so many, however large they are
	// manySizes is the number of values in a pool of varying sizes, so that the sizes follow their distribution well.
	manySizes     = 4093
	manySizesPool = 8 << 20 // but under compression, where values can't overlap, the pool isn't made larger for that
	maxBatchBytes = 64 << 20
)

// valueSet holds the values of a plan, in one arena.
type valueSet struct {
	arena []byte
	fixed int    // bytes of every value, when spans is nil: value i is arena[i·fixed:(i+1)·fixed]
	spans []span // else
	wheel wheel  // over the values
	file  bool   // the values are the lines of a file, to be used in order
	bytes uint64 // of all values together
}

// span is a place in the arena.
type span struct{ at, size uint32 }

// newValueSet reads or generates the values.
//
// Generated values are used in turn. Their pool is small, because copying from a cold one costs every client more: 1 KiB
// values out of 4 MiB run at 60 % of the speed of 16 KiB. But where batches are compressed, a value that comes again
// within its batch would be found, and the ratio would be a lie: then the pool is at least two full batches, no values
// overlap, and their number is a prime that has nothing in common with the number of partitions, topics or keys, so that
// the records of one partition go through all values too before one comes again.
func newValueSet(plan *Plan, opts SourceOptions) (*valueSet, error) {
	spec := plan.Records.Value
	if spec.File != "" {
		limit := opts.FileBytes
		if limit <= 0 {
			limit = maxArena
		}
		return readValues(spec.File, limit)
	}
	if !(spec.Compressibility >= 0 && spec.Compressibility < 1) {
		return nil, fmt.Errorf("records.value.compressibility: %v isn't a share: 0 ≤ c < 1", spec.Compressibility)
	}
	sizes, err := newSizer(spec.Size)
	if err != nil {
		return nil, fmt.Errorf("records.value.size: %w", err)
	}
	pool := poolFor(plan, opts)
	if err := pool.fits(sizes); err != nil {
		return nil, fmt.Errorf("records.value.size: %w", err)
	}
	v := &valueSet{}
	mix := newMixer(plan.Seed, spec.Compressibility)
	if spec.Size.Distribution == SizeFixed {
		v.fixed = spec.Size.Bytes
		n := pool.count(float64(v.fixed))
		v.place(n, uint64(n)*uint64(v.fixed))
		for i := range n {
			mix.fill(v.value(i))
		}
		return v, nil
	}
	v.vary(pool, sizes, mix, plan.Seed)
	return v, nil
}

// vary makes values of varying sizes.
func (v *valueSet) vary(pool pool, sizes sizer, mix *mixer, seed uint64) {
	list := sizes.list(pool.countSizes(sizes))
	r := newRNG(seed, useSizes, 0)
	for i := len(list) - 1; i > 0; i-- { // the list comes in order of size
		j := r.below(i + 1)
		list[i], list[j] = list[j], list[i]
	}
	total := uint64(0)
	for _, n := range list {
		total += uint64(n)
	}
	v.spans = make([]span, len(list))
	room := total
	if !pool.apart {
		room = min(total, uint64(max(pool.bytes, slices.Max(list))))
	}
	v.place(len(list), room)
	v.bytes = total
	at := 0
	for i, n := range list {
		if at+n > len(v.arena) {
			at = 0
		}
		v.spans[i] = span{uint32(at), uint32(n)}
		at += n
	}
	if !pool.apart {
		mix.fill(v.arena)
		return
	}
	for i := range list {
		mix.fill(v.value(i))
	}
}

// place makes room for n values of so many bytes together.
func (v *valueSet) place(n int, bytes uint64) {
	v.wheel, v.bytes = newWheel(n), bytes
	v.arena = make([]byte, bytes)
}

// value is value number i, its capacity cut.
func (v *valueSet) value(i int) []byte {
	at, n := i*v.fixed, v.fixed
	if v.spans != nil {
		at, n = int(v.spans[i].at), int(v.spans[i].size)
	}
	return v.arena[at : at+n : at+n]
}

// mean is the mean size of a value in bytes.
func (v *valueSet) mean() float64 { return float64(v.bytes) / float64(v.wheel.n) }

// fillValues sets the values of the source's next records.
func (s *Source) fillValues(recs []Record) {
	v := s.values
	if v.spans == nil {
		for i := range recs {
			at := s.valueWheel.turn() * v.fixed
			recs[i].Value = v.arena[at : at+v.fixed : at+v.fixed]
		}
		return
	}
	for i := range recs {
		place := v.spans[s.valueWheel.turn()]
		at, end := int(place.at), int(place.at)+int(place.size)
		recs[i].Value = v.arena[at:end:end]
	}
}

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
