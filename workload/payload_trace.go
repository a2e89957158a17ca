package workload

import "fmt"

// traceArena bounds the arena of a trace's values under compression, in bytes, unless batch.size asks for more.
const traceArena = 64 << 20

// newTraceValues makes room for the values of a trace: record k has the size that the trace gives it, and a value is the
// next so many bytes of an arena, from whose start it goes on when it comes to the end. Each producer begins at a place
// of its own. The arena has the compressibility asked for wherever it is cut, for values of 100 bytes and more.
//
// As with other values the arena is small, but under compression it lasts for two batches of every partition, so that no
// batch meets the same bytes twice.
func newTraceValues(plan *Plan, opts SourceOptions) (*valueSet, error) {
	trace := plan.Load.Trace
	pool := poolFor(plan, opts)
	room := pool.bytes
	if pool.apart && opts.PoolBytes == 0 {
		partitions := 0
		for _, t := range plan.Topics {
			partitions += int(t.Partitions)
		}
		room = max(room, int(min(int64(room)*int64(partitions), traceArena)))
	}
	if most := maxArena / fewValues; trace.Data.largest > most {
		return nil, fmt.Errorf("%s: a value of %d bytes is more than a run keeps in memory: allowed up to %d", trace.largestLine(), trace.Data.largest, most)
	}
	v := &valueSet{arena: make([]byte, max(room, trace.Data.largest)), trace: trace.Data, bytes: trace.Data.bytes}
	v.wheel = newWheel(trace.Data.Records())
	newMixer(plan.Seed, plan.Records.Value.Compressibility).fill(v.arena)
	return v, nil
}

// cut is the next value of so many bytes, its capacity cut.
func (s *Source) cut(size int) []byte {
	arena := s.values.arena
	if size > len(arena)-s.arenaAt {
		s.arenaAt = 0
	}
	at, end := s.arenaAt, s.arenaAt+size
	s.arenaAt = end
	return arena[at:end:end]
}
