package workload

import (
	"fmt"
	"slices"
)

// valueSet holds the values of a plan, in one arena.
type valueSet struct {
	arena []byte
	fixed int          // bytes of every value, when spans is nil: value i is arena[i·fixed:(i+1)·fixed]
	spans []span       // else
	wheel wheel        // over the values
	file  bool         // the values are the lines of a file, to be used in order
	bytes uint64       // of all values together
	trace *traceValues // where values of a trace's sizes are cut from the arena; nil: there is none
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
		limit := maxArena
		if opts.FileBytes > 0 {
			limit = min(limit, opts.FileBytes)
		}
		return readValues(spec.File, limit)
	}
	if !(spec.Compressibility >= 0 && spec.Compressibility < 1) {
		return nil, fmt.Errorf("records.value.compressibility: %v isn't a share: 0 ≤ c < 1", spec.Compressibility)
	}
	if t := plan.Load.Trace.Data; plan.Load.Arrivals == ArrivalsTrace && t != nil && t.Sized() {
		return newTraceValues(plan, opts)
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

// value is value number i, its capacity cut. A trace's have no numbers.
func (v *valueSet) value(i int) []byte {
	at, n := i*v.fixed, v.fixed
	if v.spans != nil {
		at, n = int(v.spans[i].at), int(v.spans[i].size)
	}
	return v.arena[at : at+n : at+n]
}

// largest is the size of the largest value in bytes.
func (v *valueSet) largest() int {
	if v.trace != nil {
		return v.trace.largest
	}
	most := 0
	for i := range v.wheel.n {
		most = max(most, len(v.value(i)))
	}
	return most
}

// mean is the mean size of a value in bytes.
func (v *valueSet) mean() float64 { return float64(v.bytes) / float64(v.wheel.n) }

// fillValues sets the values of the source's next records.
func (s *Source) fillValues(recs []Record) {
	v := s.values
	if v.trace != nil {
		s.cutValues(recs)
		return
	}
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
