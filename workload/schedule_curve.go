package workload

import (
	"math"
	"math/bits"
	"time"
)

// curveCursor finds the time at which a curve's integral reaches a number of records. It walks forward along the
// segments, so that numbers that grow cost O(1) each.
type curveCursor struct {
	curve *curve
	next  *segment
	left  []segment // after next, in its list
	t0    int64     // ns, start of next
	n0    fixed     // records before it
}

// start goes to the curve's beginning.
func (c *curveCursor) start() {
	c.t0, c.n0, c.left = 0, fixed{}, c.curve.prefix
	if len(c.left) == 0 {
		c.left = c.curve.cycle
	}
	c.next, c.left = &c.left[0], c.left[1:]
}

// at is when the integral reaches x, rounded to the nearest ns. A record at the very end of a segment belongs to the
// next one that has records. Times that a Duration can't hold (292 years) become the largest one.
func (c *curveCursor) at(x fixed) time.Duration {
	if x.less(c.n0) {
		c.start()
	}
	for {
		d := x.minus(c.n0)
		if d.less(c.next.count) {
			return time.Duration(c.t0 + min(c.next.at(d), math.MaxInt64-c.t0))
		}
		if !c.advance(d) {
			return math.MaxInt64
		}
	}
}

// advance goes to the next segment, with d records to go from the start of this one; false: it lies beyond a Duration.
func (c *curveCursor) advance(d fixed) bool {
	if c.t0 > math.MaxInt64-c.next.ns {
		return false
	}
	d = d.minus(c.next.count)
	c.t0 += c.next.ns
	c.n0 = c.n0.plus(c.next.count)
	wrap := len(c.left) == 0
	if wrap {
		c.left = c.curve.cycle
	}
	c.next, c.left = &c.left[0], c.left[1:]
	return !wrap || c.skip(d)
}

// skip leaves out whole cycles, but for the last two, that d records from here take. Only jumps need it.
func (c *curveCursor) skip(d fixed) bool {
	const most = 1 << 40 // the quotient is good to less than one cycle
	d.whole = min(d.whole, math.MaxInt64)
	cycles := d.float()/c.curve.count.float() - 2
	if !(cycles >= 1) {
		return true
	}
	n := uint64(min(cycles, most))
	over, ns := bits.Mul64(n, uint64(c.curve.ns))
	records, ok := c.curve.count.times(n)
	if over > 0 || ns > uint64(math.MaxInt64-c.t0) || !ok {
		return false
	}
	c.t0 += int64(ns)
	c.n0 = c.n0.plus(records)
	return true
}

// CurveConstant is a schedule whose rate changes, with records as even as the rate lets them be: record k of all shards
// is due when the rate's integral reaches k, and shard s has the records k = n·shards + s. Times are exact to 0.01 ns
// before they are rounded, however long the run.
type CurveConstant struct {
	shard, shards uint64
	cursor        curveCursor
}

func newCurveConstant(c *curve, opts ScheduleOptions) *CurveConstant {
	s := &CurveConstant{shard: uint64(opts.Shard), shards: uint64(opts.Shards), cursor: curveCursor{curve: c}}
	s.cursor.start()
	return s
}

// At says when record n of this shard is due.
func (s *CurveConstant) At(n uint64) time.Duration {
	over, k := bits.Mul64(n, s.shards)
	k, carry := bits.Add64(k, s.shard, 0)
	if over|carry != 0 {
		return math.MaxInt64
	}
	return s.cursor.at(fixed{whole: k})
}

// CurvePoisson is a Poisson process whose rate changes: the points of a process of rate 1, on the axis of the rate's
// integral, carried over to time (Çinlar 1975). Each shard has a process of its own; laid over each other they are one
// of the whole rate.
type CurvePoisson struct {
	start  rng     // of record 0
	shards float64 // mean gap of a shard's points, in records of all shards
	cursor curveCursor

	rng  rng
	next uint64 // the record after the last one asked for
	sum  fixed  // where that is on the axis of the integral
	last time.Duration
}

func newCurvePoisson(c *curve, opts ScheduleOptions) *CurvePoisson {
	s := &CurvePoisson{start: newRNG(opts.Seed, useArrivals, opts.Shard), shards: float64(opts.Shards), cursor: curveCursor{curve: c}}
	s.restart()
	return s
}

func (s *CurvePoisson) restart() {
	s.rng, s.next, s.sum, s.last = s.start, 0, fixed{}, 0
	s.cursor.start()
}

// At says when record n of this shard is due. Going back starts from record 0 again.
func (s *CurvePoisson) At(n uint64) time.Duration {
	if n < s.next {
		if n+1 == s.next {
			return s.last
		}
		s.restart()
	}
	for s.next <= n {
		s.sum = s.sum.plus(toFixed(exponential(s.rng.next()) * s.shards))
		// Two points closer than the error of their times could come out in the wrong order by 1 ns.
		s.last = max(s.last, s.cursor.at(s.sum))
		s.next++
	}
	return s.last
}
