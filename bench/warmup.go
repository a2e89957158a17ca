package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"kbench/metrics"
)

// The rule of `warmup: auto`: the measurement starts at the first full second after settledSeconds seconds in a row whose
// throughput lies within settledRate of their mean (or within three standard deviations of a Poisson count, where that
// is more) and whose median response lies within settledResponse of theirs.
const (
	settledSeconds  = 3
	settledRate     = 0.10
	settledResponse = 0.30
	longestWarmup   = 30 // seconds; then the measurement starts all the same, and the run is unsteady
)

// warmup looks for the end of the warm-up in the seconds as they pass.
type warmup struct {
	rates, medians []float64
}

// settled takes in the next second and says whether the rule holds now.
func (w *warmup) settled(last metrics.Interval) bool {
	w.rates = append(w.rates, float64(last.Acked))
	w.medians = append(w.medians, float64(last.Response.Quantile(0.5)))
	n := len(w.rates)
	return n >= settledSeconds && within(w.rates[n-settledSeconds:], max(settledRate, 3/math.Sqrt(max(1, w.rates[n-1])))) && within(w.medians[n-settledSeconds:], settledResponse)
}

func (w *warmup) unsettledNote() string {
	n := len(w.rates)
	medians := make([]time.Duration, 0, settledSeconds)
	for _, v := range w.medians[max(0, n-settledSeconds):] {
		medians = append(medians, time.Duration(v).Round(time.Microsecond))
	}
	return fmt.Sprintf("the warm-up never settled: after %d s, the last seconds had %.0f records/s and median responses of %v",
		longestWarmup, w.rates[max(0, n-settledSeconds):], medians)
}

// within says whether all values lie within the share of their mean, which must be positive.
func within(values []float64, share float64) bool {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	mean := sum / float64(len(values))
	return mean > 0 && !slices.ContainsFunc(values, func(v float64) bool { return math.Abs(v-mean) > share*mean })
}
