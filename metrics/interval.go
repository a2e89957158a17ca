// Package metrics takes the measurements: clock, recorder, intervals, result, host fingerprint.
package metrics

import "time"

// Interval is one second of the run: the histograms of what was acknowledged in it, all producers together.
// Values are nanoseconds.
type Interval struct {
	Start, End time.Duration // from the start of the run
	Warmup     bool          // the records were due in the warm-up
	Response   *Histogram
	Service    *Histogram
	Generator  *Histogram // generator lateness
	Pressure   *Histogram // back-pressure
	Acked      uint64
	Failed     uint64
	Bytes      uint64
}

// Join is both intervals' records together; the times and the phase are those of i.
func (i Interval) Join(other Interval) Interval {
	i.Response, i.Service = Sum(i.Response, other.Response), Sum(i.Service, other.Service)
	i.Generator, i.Pressure = Sum(i.Generator, other.Generator), Sum(i.Pressure, other.Pressure)
	i.Acked, i.Failed, i.Bytes = i.Acked+other.Acked, i.Failed+other.Failed, i.Bytes+other.Bytes
	return i
}
