package workload

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Schedule says when record n of one shard is due, as an offset from the start of the run: deterministic and
// non-decreasing in n. One goroutine uses it.
type Schedule interface {
	At(n uint64) time.Duration
}

// All kinds are pointers, so that the run loop's interface value costs no allocation and no copy.
var (
	_ Schedule = (*Constant)(nil)
	_ Schedule = (*Poisson)(nil)
	_ Schedule = (*CurveConstant)(nil)
	_ Schedule = (*CurvePoisson)(nil)
	_ Schedule = (*TraceReplay)(nil)
)

// ScheduleOptions says which part of a load's schedule is wanted.
type ScheduleOptions struct {
	Seed   uint64 // of the run: the same seed gives the same schedule
	Shard  int    // this shard, 0 ≤ Shard < Shards
	Shards int    // number of shards that share the rate
	// RecordBytes is the mean size of a record (Payloads.MeanRecordBytes). It turns a rate in bytes into one in records,
	// so with values of different sizes the byte rate holds on average, and the due times don't depend on the sizes.
	RecordBytes float64
}

// NewSchedule gives one shard its part of the load's schedule. It returns nil for closed and max arrivals, where a
// record is due when the run loop is ready to send it.
func NewSchedule(load Load, opts ScheduleOptions) (Schedule, error) {
	if opts.Shards < 1 || opts.Shard < 0 || opts.Shard >= opts.Shards {
		return nil, fmt.Errorf("schedule: shard %d of %d isn't there", opts.Shard, opts.Shards)
	}
	switch load.Arrivals {
	case ArrivalsClosed, ArrivalsMax:
		return nil, nil
	case ArrivalsConstant, ArrivalsPoisson:
		gap, err := interval(load.Rate, opts.RecordBytes)
		if err != nil {
			return nil, fmt.Errorf("load.rate: %w", err)
		}
		if load.Arrivals == ArrivalsConstant {
			return newConstant(gap, opts), nil
		}
		return newPoisson(gap, opts), nil
	case ArrivalsRamp, ArrivalsSteps, ArrivalsBurst:
		return newCurveSchedule(load, opts)
	case ArrivalsTrace:
		replay, err := newReplay(load)
		if err != nil {
			return nil, err
		}
		return &TraceReplay{shard: uint64(opts.Shard), shards: uint64(opts.Shards), replay: replay}, nil
	}
	return nil, fmt.Errorf("load.arrivals: %q isn't one of %s", load.Arrivals, strings.Join(arrivals(), ", "))
}

// newCurveSchedule is NewSchedule for a rate that changes.
func newCurveSchedule(load Load, opts ScheduleOptions) (Schedule, error) {
	c, err := newCurve(load, opts.RecordBytes)
	if err != nil {
		return nil, err
	}
	switch load.Process {
	case ArrivalsConstant:
		return newCurveConstant(c, opts), nil
	case ArrivalsPoisson:
		return newCurvePoisson(c, opts), nil
	}
	return nil, fmt.Errorf("load.process: %q isn't one of %s", load.Process, strings.Join(processes(), ", "))
}

// interval is the exact mean time between two records of all shards together, in ns. The rate is taken for the decimal
// number that the user wrote: 0.3/s is 3/10, not the nearest binary fraction.
func interval(rate Rate, recordBytes float64) (*big.Rat, error) {
	if !(rate.PerSecond > 0) || math.IsInf(rate.PerSecond, 0) {
		return nil, fmt.Errorf("%v per second isn't a rate: it has to be above 0", rate.PerSecond)
	}
	gap := new(big.Rat).Quo(big.NewRat(int64(time.Second), 1), decimal(rate.PerSecond))
	if !rate.Bytes {
		return gap, nil
	}
	if !(recordBytes > 0) || math.IsInf(recordBytes, 0) {
		return nil, fmt.Errorf("%v bytes per second need records of more than %v bytes", rate.PerSecond, recordBytes)
	}
	return gap.Mul(gap, decimal(recordBytes)), nil
}

// decimal is the shortest decimal number that reads as x, exactly.
func decimal(x float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(x, 'g', -1, 64))
	return r
}

// Constant is a schedule of equal distances: record k of all shards is due at k/rate seconds, rounded to the nearest ns,
// and shard s has the records k = n·shards + s.
//
// The distance is kept in ns with 64 binary places, so that the last of 10¹³ records is less than 10⁻⁶ ns off before
// the rounding. Note: 1e9/rate as an integer is 0.05 % off at 1.5M/s; a float64 sum of distances drifts.
type Constant struct {
	shard, shards uint64
	ns, fraction  uint64 // ns between two records of all shards: ns + fraction/2⁶⁴
}

func newConstant(gap *big.Rat, opts ScheduleOptions) *Constant {
	f := newFixed(gap) // above 2⁶⁴ ns, 584 years, the largest there is: At saturates for all but record 0
	return &Constant{shard: uint64(opts.Shard), shards: uint64(opts.Shards), ns: f.whole, fraction: f.part}
}

// At says when record n of this shard is due. Times that a Duration can't hold (292 years) become the largest one.
func (c *Constant) At(n uint64) time.Duration {
	over, k := bits.Mul64(n, c.shards)
	k, carry := bits.Add64(k, c.shard, 0)
	over |= carry
	hi, ns := bits.Mul64(k, c.ns)
	over |= hi
	more, rest := bits.Mul64(k, c.fraction)
	ns, carry = bits.Add64(ns, more, rest>>63) // rest>>63: round to nearest
	over |= carry
	if over != 0 || ns > math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(ns)
}

// MeanGap is the mean time between two records of this shard.
func (c *Constant) MeanGap() time.Duration {
	gap := (float64(c.ns) + float64(c.fraction)*0x1p-64) * float64(c.shards)
	return clampDuration(gap)
}

// clampDuration rounds ns to a Duration, or gives the largest one.
func clampDuration(ns float64) time.Duration {
	if ns >= math.MaxInt64 {
		return math.MaxInt64
	}
	return time.Duration(math.Round(ns))
}
