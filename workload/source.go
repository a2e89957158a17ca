package workload

import "fmt"

// Payloads is the immutable part of all records of a run: keys, values and headers in a few arenas, made once before
// the load starts. Records alias the arenas, so nothing is generated or copied while a run is timed.
type Payloads struct {
	seed      uint64
	topics    int
	keys      *keySet
	values    *valueSet
	headers   *headerSet
	meanBytes float64
}

// SourceOptions bounds what NewSource makes. The zero value has the defaults.
type SourceOptions struct {
	// PoolBytes is the size of the pool of generated values; 0: 256 KiB, or more where a larger one is needed so that
	// compression doesn't find the same value twice in a batch. See newValueSet.
	PoolBytes int
	// FileBytes is the largest payload file that is taken; 0: 1 GiB, which is also the most.
	FileBytes int
}

// NewSource makes everything that the records of a plan consist of. It reads the payload file, if there is one. The
// same plan gives the same bytes.
func NewSource(plan *Plan, opts SourceOptions) (*Payloads, error) {
	p := &Payloads{seed: plan.Seed, topics: max(1, len(plan.Topics))}
	var err error
	if p.keys, err = newKeySet(plan.Records.Key); err != nil {
		return nil, err
	}
	if p.values, err = newValueSet(plan, opts); err != nil {
		return nil, err
	}
	if p.headers, err = newHeaderSet(plan, p.values.wheel); err != nil {
		return nil, err
	}
	if err := p.checkSizes(plan); err != nil {
		return nil, err
	}
	p.meanBytes = float64(p.keys.size()) + p.values.mean() + float64(p.headers.size)
	return p, nil
}

// checkSizes refuses values that the client would refuse: no record of a run may be over max.request.size.
func (p *Payloads) checkSizes(plan *Plan) error {
	limit := plan.Producer.MaxRequestSize
	if limit <= 0 {
		return nil
	}
	var key []byte
	if p.keys.size() > 0 {
		key = p.keys.key(0)
	}
	fits := func(value []byte, where string) error {
		size := RecordSizeUpperBound(key, value, p.headers.at(0))
		if size <= limit {
			return nil
		}
		with := ""
		if rest := len(key) + p.headers.size; rest > 0 {
			with = fmt.Sprintf(" with %d bytes of key and headers", rest)
		}
		return fmt.Errorf("%s: a value of %d bytes%s makes a record of up to %d bytes, over max.request.size=%d",
			where, len(value), with, size, limit)
	}
	if p.values.trace != nil {
		return fits(make([]byte, p.values.trace.largest), "load.trace.file: "+plan.Load.Trace.largestLine())
	}
	where := "records.value.size"
	for i := range p.values.wheel.n {
		if file := plan.Records.Value.File; file != "" {
			where = fmt.Sprintf("records.value.file: %s:%d", file, i+1)
		}
		if err := fits(p.values.value(i), where); err != nil {
			return err
		}
	}
	return nil
}

// MeanRecordBytes is the mean of Record.Size over the records of a run.
func (p *Payloads) MeanRecordBytes() float64 { return p.meanBytes }

// MaxRecordBytes is the largest Record.Size over the records of a run.
func (p *Payloads) MaxRecordBytes() int {
	return p.keys.size() + p.values.largest() + p.headers.size
}

// WorkingSetBytes is the memory that Fill reads from, and clients after it: arenas and tables. What is above the
// processor's cache costs time in every client that copies a value.
func (p *Payloads) WorkingSetBytes() int {
	const column, span, header = 8, 8, 40 // a trace's times and sizes are read once, in order: they don't count
	return len(p.keys.arena) + len(p.keys.zipf)*column +
		len(p.values.arena) + len(p.values.spans)*span +
		len(p.headers.all)*header + len(p.headers.arena)
}

// Shard gives one of several workers its part of the records: of all records k = 0, 1, 2 … shard s has those with
// k = n·shards + s. Shards draw random keys from their own streams, and go through the generated values from places
// of their own. It may be called from several goroutines.
func (p *Payloads) Shard(shard, shards int) *Source {
	if shard < 0 || shard >= shards {
		panic(fmt.Sprintf("workload: shard %d of %d isn't there", shard, shards))
	}
	s := &Source{keys: p.keys, values: p.values, headers: p.headers}
	s.topicWheel = newWheel(p.topics).spread(shard, shards)
	s.keyWheel = newWheel(p.keys.spec.Cardinality).spread(shard, shards)
	s.keyRNG = newRNG(p.seed, useKeys, shard)
	s.headerWheel = p.headers.wheel.part(shard, shards)
	s.startCuts(shard, shards)
	if p.values.file || p.values.trace != nil {
		s.valueWheel = p.values.wheel.spread(shard, shards)
	} else {
		s.valueWheel = p.values.wheel.part(shard, shards)
	}
	return s
}

// Source makes the records of one shard, in order. One goroutine uses it.
type Source struct {
	keys    *keySet
	values  *valueSet
	headers *headerSet

	topicWheel, keyWheel, valueWheel, headerWheel wheel
	keyRNG                                        rng
	cuts                                          *[rings]int // a trace's: where in the arena each ring goes on
}

// Fill makes the shard's next len(recs) records: Topic, Partition (−1: the client chooses), Key, Value and Headers. It
// leaves Slot alone. It allocates nothing; everything it sets aliases the Payloads.
func (s *Source) Fill(recs []Record) {
	for i := range recs {
		r := &recs[i]
		r.Topic = int32(s.topicWheel.turn())
		r.Partition = -1
	}
	s.fillKeys(recs)
	s.fillValues(recs)
	s.fillHeaders(recs)
}

// wheel counts modulo n in steps, without a division.
type wheel struct{ at, step, n int }

func newWheel(n int) wheel { return wheel{step: 1, n: max(1, n)} }

// spread is the wheel that visits what one shard gets when the places are dealt out in turn.
func (w wheel) spread(shard, shards int) wheel {
	return wheel{at: shard % w.n, step: shards % w.n, n: w.n}
}

// part is the wheel that visits every place, beginning at the shard's part of the circle.
func (w wheel) part(shard, shards int) wheel {
	return wheel{at: int(uint64(w.n) * uint64(shard) / uint64(shards)), step: 1, n: w.n}
}

// turn returns the place and moves on.
func (w *wheel) turn() int {
	at := w.at
	w.at += w.step
	if w.at >= w.n {
		w.at -= w.n
	}
	return at
}
