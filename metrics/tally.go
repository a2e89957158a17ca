package metrics

// tally is a histogram being filled, by one goroutine. Recording costs a few ns: the bucket is computed with one
// leading-zeros instruction, and the counts of one second stay in the cache because neighbours share lines.
type tally struct {
	counts   [bucketsLen]uint64
	total    uint64
	clipped  uint64
	sum      float64
	min, max int64
}

// add records n values v. What is above the range is counted at its upper end, and as clipped; below 0 can only be
// the difference of two processors' counters (see Clock.Now) and is 0.
func (t *tally) add(v int64, n uint64) {
	if v < 0 {
		v = 0
	} else if v > HighestTrackable {
		v = HighestTrackable
		t.clipped += n
	}
	t.counts[bucketIndex(v)] += n
	t.sum += float64(v) * float64(n)
	if t.total == 0 || v < t.min {
		t.min = v
	}
	if v > t.max {
		t.max = v
	}
	t.total += n
}

// compact returns what was recorded.
func (t *tally) compact() *Histogram {
	h := &Histogram{total: t.total, clipped: t.clipped, sum: t.sum, min: t.min, max: t.max}
	if t.total == 0 {
		return h
	}
	used := 0
	lo, hi := bucketIndex(t.min), bucketIndex(t.max)
	for _, n := range t.counts[lo : hi+1] {
		if n > 0 {
			used++
		}
	}
	h.index, h.count = make([]uint16, 0, used), make([]uint64, 0, used)
	for i, n := range t.counts[lo : hi+1] {
		if n > 0 {
			h.index, h.count = append(h.index, uint16(lo+i)), append(h.count, n)
		}
	}
	return h
}

// reset empties the tally for use in another second.
func (t *tally) reset() {
	if t.total > 0 {
		clear(t.counts[bucketIndex(t.min) : bucketIndex(t.max)+1])
	}
	t.total, t.clipped, t.sum, t.min, t.max = 0, 0, 0, 0, 0
}

// Tally is a histogram being filled, outside of the seconds that a Recorder keeps: for the few values that need one of
// their own. One goroutine at a time uses it.
type Tally struct{ t tally }

// Add records v, in ns; what is above the range counts at its upper end.
func (t *Tally) Add(v int64) { t.t.add(v, 1) }

// AddN counts a value n times.
func (t *Tally) AddN(v int64, n uint64) { t.t.add(v, n) }

// Histogram returns what was recorded so far.
func (t *Tally) Histogram() *Histogram { return t.t.compact() }
