package workload

import "fmt"

// headerTurns is the number of different sets of random headers: enough that a header's value can't be told from a new
// one by anything but a long memory; prime, so that it goes with every number of partitions. See newHeaderSet.
const headerTurns = 1021

// headerSet holds the headers of the records: one set for all when none is random, else many, used in turn.
type headerSet struct {
	all   []Header // set i is all[i·each:(i+1)·each]
	each  int
	wheel wheel
	arena []byte // random values
	size  int    // bytes of one set's keys and values
}

// newHeaderSet makes the headers. Under compression there are at least as many sets as values, so that a batch doesn't
// see the same random header twice either.
func newHeaderSet(plan *Plan, values wheel) (*headerSet, error) {
	const most = 65521 // sets; prime
	specs := plan.Records.Headers
	sets, random := 1, 0
	for _, spec := range specs {
		if !spec.Random {
			continue
		}
		if spec.Size < 0 || spec.Size > maxArena/most {
			return nil, fmt.Errorf("records.headers.%s: %d random bytes can't be had: 0 to %d", spec.Key, spec.Size, maxArena/most)
		}
		sets = headerTurns
		random += spec.Size
	}
	if sets > 1 && compresses(plan) {
		sets = min(max(sets, values.n), most)
	}
	h := &headerSet{each: len(specs), wheel: newWheel(sets)}
	h.all = make([]Header, 0, sets*len(specs))
	h.arena = make([]byte, random*sets)
	r := newRNG(plan.Seed, useHeaders, 0)
	r.read(h.arena)
	for i := range h.arena {
		h.arena[i] = "0123456789abcdef"[h.arena[i]&15]
	}
	rest := h.arena
	for range sets {
		for _, spec := range specs {
			value := []byte(spec.Value)
			if spec.Random {
				value, rest = rest[:spec.Size:spec.Size], rest[spec.Size:]
			}
			h.all = append(h.all, Header{Key: spec.Key, Value: value})
		}
	}
	first := Record{Headers: h.at(0)}
	h.size = first.Size()
	return h, nil
}

// at is set number i; nil when the records have no headers.
func (h *headerSet) at(i int) []Header {
	if h.each == 0 {
		return nil
	}
	return h.all[i*h.each : (i+1)*h.each : (i+1)*h.each]
}

// fillHeaders sets the headers of the source's next records.
func (s *Source) fillHeaders(recs []Record) {
	if s.headers.wheel.n == 1 {
		same := s.headers.at(0)
		for i := range recs {
			recs[i].Headers = same
		}
		return
	}
	for i := range recs {
		recs[i].Headers = s.headers.at(s.headerWheel.turn())
	}
}
