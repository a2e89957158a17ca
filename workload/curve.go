package workload

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"time"
)

// curve is a rate over time, in segments in each of which it goes in a straight line: those of prefix once, then those
// of cycle again and again. Its integral, the number of records due, is what schedules invert.
type curve struct {
	prefix, cycle []segment
	ns            int64 // of one cycle
	count         fixed // of one cycle
}

// segment is a piece of a curve.
type segment struct {
	ns       int64   // its length
	count    fixed   // records in it, of all shards
	from, to float64 // rate at both ends, in records per ns
	gap      float64 // ns between two records where from == to
}

// longestSegment bounds a segment's length, so that ns computed in float64 are good to 0.01 ns: longer pieces are cut.
const longestSegment = time.Hour

// newCurve makes the curve of a ramp, steps or bursts, its warm-up in front.
func newCurve(l Load, recordBytes float64) (*curve, error) {
	b := curveBuilder{recordBytes: recordBytes}
	c := &curve{}
	switch l.Arrivals {
	case ArrivalsRamp:
		from, to := b.rate("load.ramp.from", l.Ramp.From), b.rate("load.ramp.to", l.Ramp.To)
		b.add(&c.prefix, piece{"load.warmup", l.Warmup.Duration, from, from})
		b.add(&c.prefix, piece{"load.ramp.over", l.Ramp.Over, from, to})
		b.add(&c.cycle, piece{"", longestSegment, to, to})
	case ArrivalsSteps:
		b.steps(c, l)
	case ArrivalsBurst:
		base, peak := new(big.Rat), b.rate("load.burst.rate", l.Burst.Rate)
		if l.Burst.Base.PerSecond != 0 {
			base = b.rate("load.burst.base", l.Burst.Base)
		}
		if l.Burst.For <= 0 || l.Burst.Every <= l.Burst.For {
			b.errs = append(b.errs, fmt.Errorf("load.burst: %v of every %v isn't a burst", l.Burst.For, l.Burst.Every))
		}
		// From For on, a cycle is the rest of the time up to the next burst, and the burst: the first is at Every.
		b.add(&c.prefix, piece{"load.warmup", l.Warmup.Duration, base, base})
		b.add(&c.prefix, piece{"load.burst.for", l.Burst.For, base, base})
		b.add(&c.cycle, piece{"load.burst.every", l.Burst.Every - l.Burst.For, base, base})
		b.add(&c.cycle, piece{"load.burst.for", l.Burst.For, peak, peak})
	default:
		b.errs = append(b.errs, fmt.Errorf("load.arrivals: %q has no curve", l.Arrivals))
	}
	for _, s := range c.cycle {
		c.ns += s.ns
		c.count = c.count.plus(s.count)
	}
	if len(b.errs) == 0 && c.count == (fixed{}) {
		b.errs = append(b.errs, fmt.Errorf("load: a rate this low has no records"))
	}
	return c, errors.Join(b.errs...)
}

// curveBuilder collects what is wrong with a curve.
type curveBuilder struct {
	recordBytes float64
	errs        []error
}

// rate is a rate in records per ns, exactly.
func (b *curveBuilder) rate(path string, r Rate) *big.Rat {
	gap, err := interval(r, b.recordBytes)
	if err == nil && gap.Cmp(big.NewRat(int64(time.Second), maxRecordRate)) < 0 {
		err = fmt.Errorf("%v is more than %d records of %v bytes per second", r, int64(maxRecordRate), b.recordBytes)
	}
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("%s: %w", path, err))
		return new(big.Rat)
	}
	return gap.Inv(gap)
}

// steps makes the curve of steps. Without repetition, the rate of the last one goes on.
func (b *curveBuilder) steps(c *curve, l Load) {
	if len(l.Steps) == 0 {
		b.errs = append(b.errs, errors.New("load.steps: there is none"))
		return
	}
	to := &c.prefix
	if l.Repeat {
		to = &c.cycle
	}
	for i, step := range l.Steps {
		path := "load.steps." + strconv.Itoa(i)
		rate := b.rate(path+".rate", step.Rate)
		if i == 0 {
			b.add(&c.prefix, piece{"load.warmup", l.Warmup.Duration, rate, rate})
		}
		b.add(to, piece{path + ".duration", step.Duration, rate, rate})
		if !l.Repeat && i == len(l.Steps)-1 {
			b.add(&c.cycle, piece{"", longestSegment, rate, rate})
		}
	}
}

// piece is a part of a curve as the load gives it.
type piece struct {
	path        string // of the field with its length
	length      time.Duration
	from, until *big.Rat // rates at both ends, in records per ns
}

// add appends a piece, in segments that aren't too long.
func (b *curveBuilder) add(to *[]segment, p piece) {
	if p.length < 0 || p.length > longest {
		b.errs = append(b.errs, fmt.Errorf("%s: %v isn't a length: 0s to %v", p.path, p.length, longest))
		return
	}
	at := func(t time.Duration) *big.Rat { // from + (until − from)·t/length
		r := new(big.Rat).Sub(p.until, p.from)
		r.Mul(r, big.NewRat(int64(t), int64(p.length)))
		return r.Add(r, p.from)
	}
	for t := time.Duration(0); t < p.length; t += longestSegment {
		end := min(t+longestSegment, p.length)
		*to = append(*to, newSegment(int64(end-t), at(t), at(end)))
	}
}

func newSegment(ns int64, from, to *big.Rat) segment {
	s := segment{ns: ns}
	s.from, _ = from.Float64()
	s.to, _ = to.Float64()
	if s.from > 0 {
		s.gap, _ = new(big.Rat).Inv(from).Float64()
	}
	count := new(big.Rat).Add(from, to)
	count.Mul(count, big.NewRat(ns, 2)) // the area of a trapezium
	s.count = newFixed(count)
	return s
}

// at is when the d-th record after the segment's start is due, in ns from there, d < count.
//
// The number of records after t is d = from·t + a·t²/2. Solved so that nothing cancels, t = 2d/(from + √(from² + 2ad)).
// In a descent it is counted from the end, since there from² and 2ad would cancel. The conversions forbid the compiler to
// fuse operations: a seed has to give the same schedule on every processor.
func (s *segment) at(d fixed) int64 {
	t := 0.0
	switch {
	case s.from == s.to:
		t = d.float() * s.gap
	case s.from < s.to:
		t = climb(d.float(), s.from, (s.to-s.from)/float64(s.ns))
	default:
		t = float64(s.ns) - climb(s.count.minus(d).float(), s.to, (s.from-s.to)/float64(s.ns))
	}
	return min(int64(float64(t)+0.5), s.ns)
}

// climb is the time in which a rate that begins at from and grows by a brings d records.
func climb(d, from, a float64) float64 {
	root := math.Sqrt(float64(from*from) + float64(2*float64(a*d)))
	return float64(2*d) / float64(from+root)
}

// before is the expected number of records due before t.
func (c *curve) before(t time.Duration) float64 {
	left, sum := int64(t), 0.0
	part := func(list []segment) {
		for _, s := range list {
			in := float64(min(left, s.ns))
			sum += in * (s.from + (s.to-s.from)*in/float64(s.ns)/2)
			left -= min(left, s.ns)
		}
	}
	part(c.prefix)
	sum += float64(left/c.ns) * c.count.float()
	left %= c.ns
	part(c.cycle)
	return sum
}

// fixed is a number ≥ 0, of records mostly: whole + part/2⁶⁴. Sums of it don't drift.
type fixed struct{ whole, part uint64 }

// newFixed rounds r to the nearest fixed, or gives the largest whole one.
func newFixed(r *big.Rat) fixed {
	// ⌊r·2⁶⁴ + ½⌋ = ⌊(2·num·2⁶⁴ + den) / (2·den)⌋
	num := new(big.Int).Lsh(r.Num(), 65)
	num.Add(num, r.Denom())
	num.Quo(num, new(big.Int).Lsh(r.Denom(), 1))
	part := new(big.Int).And(num, new(big.Int).SetUint64(math.MaxUint64)).Uint64()
	whole := num.Rsh(num, 64)
	if !whole.IsUint64() {
		return fixed{math.MaxUint64, 0}
	}
	return fixed{whole.Uint64(), part}
}

// toFixed converts 0 ≤ f < 2⁶³; what is below 2⁻⁶³ is cut off. Note: not with the whole 64 bits, since converting between
// float64 and uint64 asks for the highest bit, and a branch on a random bit costs more than all the rest.
func toFixed(f float64) fixed {
	whole := int64(f)
	return fixed{uint64(whole), uint64(int64((f-float64(whole))*0x1p63)) << 1}
}

func (a fixed) plus(b fixed) fixed {
	part, carry := bits.Add64(a.part, b.part, 0)
	whole, _ := bits.Add64(a.whole, b.whole, carry)
	return fixed{whole, part}
}

func (a fixed) minus(b fixed) fixed {
	part, borrow := bits.Sub64(a.part, b.part, 0)
	whole, _ := bits.Sub64(a.whole, b.whole, borrow)
	return fixed{whole, part}
}

// times is a·n; ok is false if that doesn't fit.
func (a fixed) times(n uint64) (product fixed, ok bool) {
	carry, part := bits.Mul64(a.part, n)
	over, whole := bits.Mul64(a.whole, n)
	whole, more := bits.Add64(whole, carry, 0)
	return fixed{whole, part}, over == 0 && more == 0
}

func (a fixed) less(b fixed) bool {
	return a.whole < b.whole || a.whole == b.whole && a.part < b.part
}

// float never decreases where a grows. a.whole < 2⁶³. The product with a power of two is exact, fused or not.
func (a fixed) float() float64 { return float64(int64(a.whole)) + float64(int64(a.part>>1))*0x1p-63 }
