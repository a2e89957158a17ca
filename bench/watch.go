package bench

import (
	"math"
	"sync/atomic"
	"time"

	"kbench/metrics"
)

// The watch looks at the run every few milliseconds, at times that nothing in the run has to do with.
const (
	watchMean = 8 * time.Millisecond // between two looks; each between half and three halves of it
	// stoodStill is how much later than asked it has to wake before the generator counts as stopped meanwhile. Go's timers
	// wait for a processor that is free or for a preemption, which takes up to some tens of ms on a busy machine.
	stoodStill = 50 * time.Millisecond
)

// watch samples the records in flight and notices when the whole process stood still: stopped by a signal, a quota, a
// hypervisor. From inside, such a stop looks like a Send that blocks.
type watch struct {
	workers []*worker
	clock   *metrics.Clock
	phases  *phases
	stop    *atomic.Bool
	samples sampleMeans
	taken   int64   // when the last sample was taken, ns from the start of the run; 0: none yet
	first   float64 // records in flight in the first sample
	last    float64 // and in the last
	still   int64   // ns for which the generator stood still, added up
	longest int64
	done    chan struct{}
}

func newWatch(r *run) *watch {
	return &watch{workers: r.workers, clock: r.clock, phases: &r.phases, stop: &r.stopped, done: make(chan struct{})}
}

// run watches until the load has ended, allocating nothing.
//
// Note: sleeping in the kernel, as the pacer does, would tell stops from 20 ms on, but each wake-up from a system call sets
// Go's scheduler to work: pacing at 100,000/s was 20 µs late at p99 instead of under 1 µs.
func (w *watch) run() {
	defer close(w.done)
	random := uint64(88172645463325252)
	for {
		random ^= random << 13 // xorshift64
		random ^= random >> 7
		random ^= random << 17
		pause := int64(watchMean)/2 + int64(random%uint64(watchMean))
		asked := w.clock.Now() + pause
		time.Sleep(time.Duration(pause))
		now := w.clock.Now()
		measure, end := w.phases.measure.Load(), w.phases.end.Load()
		if asked >= end || w.stop.Load() {
			return
		}
		w.woke(max(asked, measure), min(now, end))
		if now >= measure && now < end {
			w.sample(now)
		}
	}
}

// woke notes that the watch woke at now instead of at asked.
func (w *watch) woke(asked, now int64) {
	if late := now - asked; late >= int64(stoodStill) {
		w.still += late
		w.longest = max(w.longest, late)
	}
}

// sample counts what is in flight, for the time since the last sample: when the machine is busy, the watch is late as well,
// and a long time between two samples must not count as little as a short one. Records that came back are read before those
// handed over: the other way round, a record of the moment between could make the difference negative.
func (w *watch) sample(now int64) {
	in := uint64(0)
	for _, k := range w.workers {
		back := k.free.tail.Load()
		in += k.out.Load() - back
	}
	before := w.last
	w.last = float64(in)
	if w.taken == 0 {
		w.first = w.last
	} else {
		w.samples.add((before+w.last)/2, float64(now-w.taken))
	}
	w.taken = now
}

// sampleMeans keeps a series of any length as means of neighbours: when it is full, each two become one.
type sampleMeans struct {
	cells [1024]sampleCell
	used  int
	per   int // samples in a full cell
	fill  int // samples in the cell at used
}

// sampleCell is the sum of some samples, each times its weight.
type sampleCell struct{ sum, weight float64 }

func (c *sampleCell) add(other sampleCell) { c.sum, c.weight = c.sum+other.sum, c.weight+other.weight }

func (s *sampleMeans) add(v, weight float64) {
	s.per = max(1, s.per)
	if s.used == len(s.cells) {
		for i := range s.used / 2 {
			s.cells[i] = s.cells[2*i]
			s.cells[i].add(s.cells[2*i+1])
		}
		s.used /= 2
		clear(s.cells[s.used:])
		s.per *= 2
	}
	s.cells[s.used].add(sampleCell{v * weight, weight})
	if s.fill++; s.fill == s.per {
		s.used, s.fill = s.used+1, 0
	}
}

// sampleBatches is the number of batches behind a standard error.
const sampleBatches = 20

// mean is the mean of the samples and its standard error from the means of batches, which takes their correlation into
// account; NaN where there are no samples, +Inf where there are too few.
func (s *sampleMeans) mean() (mean, stderr float64) {
	all := total(s.cells[:])
	mean = all.sum / all.weight
	size := s.used / sampleBatches
	if size < 2 {
		return mean, math.Inf(1)
	}
	square := 0.0
	for b := range sampleBatches {
		batch := total(s.cells[b*size : (b+1)*size])
		d := batch.sum/batch.weight - mean
		square += d * d
	}
	return mean, math.Sqrt(square / (sampleBatches - 1) / sampleBatches)
}

func total(cells []sampleCell) (sum sampleCell) {
	for _, c := range cells {
		sum.add(c)
	}
	return sum
}
