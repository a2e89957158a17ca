package workload

import (
	"math"
	"time"
)

// Arrivals: how the due times of records come about.
const (
	ArrivalsConstant = "constant" // record n is due at n/rate
	ArrivalsPoisson  = "poisson"  // independent exponential gaps of mean 1/rate
	ArrivalsRamp     = "ramp"     // the rate goes from one to another in a straight line
	ArrivalsSteps    = "steps"    // one rate after the other
	ArrivalsBurst    = "burst"    // a base rate, and bursts at regular times
	ArrivalsTrace    = "trace"    // the times, and maybe the sizes, of a file
	ArrivalsClosed   = "closed"   // a fixed number in flight; the next is due when one was acknowledged
	ArrivalsMax      = "max"      // as fast as the client takes them
)

// Send modes.
const (
	SendAsync         = "async"           // hand over, be told by callback
	SendSync          = "sync"            // wait for each acknowledgement before the next record
	SendFireAndForget = "fire-and-forget" // hand over and never look: the run ends without a drain
)

// Load says when records are due and from how many producers. Of Ramp, Steps, Burst and Trace, only the one that
// Arrivals names is set.
//
// A ramp, steps and bursts begin with the measured part; a warm-up before it has their first rate (bursts: the base
// rate). A trace begins with the run, so that a warm-up takes its first records.
type Load struct {
	Arrivals  string
	Process   string // ramp, steps, burst: how records come at that rate, ArrivalsConstant or ArrivalsPoisson
	Rate      Rate   // constant, poisson: of all producers together; else zero
	Ramp      Ramp
	Steps     []Step // the rate of the last one stays, unless Repeat
	Burst     Burst
	Trace     TraceSpec
	Repeat    bool // steps, trace: begin again at their end
	InFlight  int  // closed: records in flight, all producers together
	Producers int
	Send      string
	Warmup    Warmup
	Duration  time.Duration // of the measured part
	Records   uint64        // stop after so many records, warm-up included; 0: by Duration alone
}

// Rate is an arrival rate: records or bytes per second. Fractions are kept.
type Rate struct {
	PerSecond float64
	Bytes     bool // PerSecond counts bytes (of keys, values and headers)
}

// Ramp is a rate that goes from From to To in a straight line, and stays there. Rates are those of all producers together.
type Ramp struct {
	From, To Rate
	Over     time.Duration
}

// Step is a rate, of all producers together, for a time.
type Step struct {
	Rate     Rate
	Duration time.Duration
}

// Burst is a rate Base, and Rate instead of it for the time For at Every, 2·Every, 3·Every … All producers together.
type Burst struct {
	Base       Rate // may be zero
	Rate       Rate
	Every, For time.Duration
}

// TraceSpec is a trace to replay.
type TraceSpec struct {
	File   string
	Factor float64 // 2: twice as fast
	Data   *Trace  // what File says, read when the plan was made; shared and immutable
}

// Warmup is the part of the run that is sent but not measured.
type Warmup struct {
	Auto     bool          // find the end of the warm-up from the measurements
	Duration time.Duration // else its fixed length
}

// Scheduled tells whether records have due times: all arrivals but closed and max.
func (l Load) Scheduled() bool { return l.Arrivals != ArrivalsClosed && l.Arrivals != ArrivalsMax }

// Stationary tells whether the load is meant to stay the same all the time: constant, poisson, closed and max. What looks
// for a steady state, or compares one part of a run with another, has no meaning for the others.
func (l Load) Stationary() bool {
	switch l.Arrivals {
	case ArrivalsRamp, ArrivalsSteps, ArrivalsBurst, ArrivalsTrace:
		return false
	}
	return true
}

// ExponentialGaps tells whether the gaps between due times, of all producers together as of each one, are independent
// and exponential with one mean, which is what a test of realised gaps needs: poisson arrivals.
func (l Load) ExponentialGaps() bool { return l.Arrivals == ArrivalsPoisson }

// MeanRate is the mean rate that the schedule asks for in a measured part of that length, in records/s of all producers
// together; recordBytes is the mean size of a record. It is 0 for closed and max, and for a load that NewSchedule refuses.
func (l Load) MeanRate(recordBytes float64, over time.Duration) float64 {
	due := l.due(recordBytes)
	if due == nil || over <= 0 {
		return 0
	}
	from := max(0, l.Warmup.Duration)
	return (due(from+min(over, math.MaxInt64-from)) - due(from)) / over.Seconds()
}

// due returns the expected number of records due before a time, of all producers together; nil where NewSchedule gives none.
func (l Load) due(recordBytes float64) func(time.Duration) float64 {
	switch l.Arrivals {
	case ArrivalsConstant, ArrivalsPoisson:
		rate := l.Rate.PerSecond
		if l.Rate.Bytes {
			rate /= recordBytes
		}
		if !(rate > 0) || math.IsInf(rate, 0) {
			return nil
		}
		return func(t time.Duration) float64 { return rate * t.Seconds() }
	case ArrivalsRamp, ArrivalsSteps, ArrivalsBurst:
		if c, err := newCurve(l, recordBytes); err == nil {
			return c.before
		}
	case ArrivalsTrace:
		if trace, err := newReplay(l); err == nil {
			return trace.before
		}
	}
	return nil
}
