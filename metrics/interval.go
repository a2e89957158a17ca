// Package metrics takes the measurements: clock, recorder, intervals, result, host fingerprint.
package metrics

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Interval is one second of the run: the histograms of what was acknowledged in it, all producers together.
// Values are nanoseconds.
type Interval struct {
	Start, End time.Duration // from the start of the run
	Warmup     bool          // the records were due in the warm-up
	Response   *hdrhistogram.Histogram
	Service    *hdrhistogram.Histogram
	Generator  *hdrhistogram.Histogram // generator lateness
	Pressure   *hdrhistogram.Histogram // back-pressure
	Acked      uint64
	Failed     uint64
	Bytes      uint64
}
