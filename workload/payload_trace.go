package workload

import "fmt"

const (
	// traceRoom bounds the room for a trace's values under compression, in bytes, unless batch.size asks for more.
	traceRoom = 64 << 20
	// A value below largeValue bytes is cut from the front of one that is less than sizeClass bytes longer and was made
	// by itself, so that it compresses as it should: a cut right through what the mixer makes leaves repetitions without
	// what they repeat. Larger ones don't notice, and are cut out of one text.
	largeValue = 1024
	sizeClass  = 16
	rings      = largeValue/sizeClass + 1
)

// ring is the part of a trace's arena that values of one class of sizes are cut from, again and again.
type ring struct {
	start, end int
	step       int // from one value to the next; 0: its size
}

// ringOf is the class of a size.
func ringOf(size int) int { return min((size+sizeClass-1)/sizeClass, rings-1) }

// traceValues are the values of a trace: record k has the size that the trace gives it.
type traceValues struct {
	sizes   []uint32
	largest int
	rings   [rings]ring
}

// newTraceValues makes values to cut those of a trace from. Each class of sizes has the share of the room that it has of
// the trace's bytes. As with other values the room is small, but under compression it lasts for two batches of every
// partition, so that no batch meets the same bytes twice.
func newTraceValues(plan *Plan, opts SourceOptions) (*valueSet, error) {
	spec := plan.Load.Trace
	trace := spec.Data
	if most := maxArena / fewValues; trace.largest > most {
		return nil, fmt.Errorf("load.trace.file: %s: a value of %d bytes is more than a run keeps in memory: allowed up to %d",
			spec.largestLine(), trace.largest, most)
	}
	bytes := [rings]float64{}
	for _, size := range trace.sizes {
		bytes[ringOf(int(size))] += float64(size)
	}
	t := &traceValues{sizes: trace.sizes, largest: trace.largest}
	room, at := traceRoomFor(plan, opts), 0
	for i := range t.rings {
		share := int(bytes[i] / max(1, float64(trace.bytes)) * float64(room))
		step, length := i*sizeClass, 0
		switch {
		case bytes[i] == 0: // no value, or only empty ones
		case i == rings-1:
			step, length = 0, max(share, trace.largest)
		default:
			length = max(share/step, fewValues) * step
		}
		t.rings[i] = ring{at, at + length, step}
		at += length
	}
	v := &valueSet{arena: make([]byte, at), trace: t, bytes: trace.bytes, wheel: newWheel(trace.Records())}
	mix := newMixer(plan.Seed, plan.Records.Value.Compressibility)
	for _, r := range t.rings {
		if r.step == 0 {
			mix.fill(v.arena[r.start:r.end])
			continue
		}
		for at := r.start; at < r.end; at += r.step {
			mix.fill(v.arena[at : at+r.step])
		}
	}
	return v, nil
}

// traceRoomFor is how many bytes all rings together should have.
func traceRoomFor(plan *Plan, opts SourceOptions) int {
	pool := poolFor(plan, opts)
	if !pool.apart || opts.PoolBytes > 0 {
		return pool.bytes
	}
	partitions := int64(0)
	for _, t := range plan.Topics {
		partitions += int64(t.Partitions)
	}
	return max(pool.bytes, int(min(int64(pool.bytes)*partitions, traceRoom)))
}

// startCuts puts the source to its shard's places on the rings.
func (s *Source) startCuts(shard, shards int) {
	if s.values.trace == nil {
		return
	}
	s.cuts = new([rings]int)
	for i, r := range s.values.trace.rings {
		at := int(uint64(r.end-r.start) * uint64(shard) / uint64(shards))
		s.cuts[i] = r.start + at - at%max(1, r.step)
	}
}

// cutValues sets the values of the source's next records, their capacity cut.
func (s *Source) cutValues(recs []Record) {
	v := s.values
	for i := range recs {
		size := int(v.trace.sizes[s.valueWheel.turn()])
		class := ringOf(size)
		r, at := &v.trace.rings[class], s.cuts[class]
		if size > r.end-at {
			at = r.start
		}
		recs[i].Value = v.arena[at : at+size : at+size]
		s.cuts[class] = at + max(r.step, size)
	}
}
