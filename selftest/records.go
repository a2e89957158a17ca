package selftest

import (
	"fmt"
	"math/bits"

	"kbench/broker/sink"
	"kbench/metrics"
	"kbench/workload"
)

// monotonic maps a time of a run onto CLOCK_MONOTONIC: StartMonotonic + (t − StartRun)·(EndMonotonic − StartMonotonic) /
// (EndRun − StartRun), in integers, because as floats an hour's ns lose the last digits.
func monotonic(t metrics.Timing) func(run int64) int64 {
	ran, passed := t.EndRun-t.StartRun, t.EndMonotonic-t.StartMonotonic
	if ran <= 0 || passed <= 0 {
		return func(run int64) int64 { return t.StartMonotonic + run - t.StartRun }
	}
	return func(run int64) int64 {
		d := run - t.StartRun
		if d < 0 {
			return t.StartMonotonic + d // before the first reading: the two clocks differ by less than a ns there
		}
		hi, lo := bits.Mul64(uint64(d), uint64(passed))
		q, _ := bits.Div64(hi, lo, uint64(ran)) // d ≤ about ran, so that the quotient fits
		return t.StartMonotonic + int64(q)
	}
}

// dueTimes are when the records of a run with one producer were due, in ns on the run's clock: those before end.
func dueTimes(plan *workload.Plan, recordBytes float64, end int64) ([]int64, error) {
	schedule, err := workload.NewSchedule(plan.Load, workload.ScheduleOptions{Seed: plan.Seed, Shards: 1, RecordBytes: recordBytes})
	if err != nil {
		return nil, err
	}
	if schedule == nil {
		return nil, fmt.Errorf("arrivals %s have no schedule", plan.Load.Arrivals)
	}
	var due []int64
	for n := uint64(0); ; n++ {
		if plan.Load.Records > 0 && n >= plan.Load.Records {
			return due, nil
		}
		at := int64(schedule.At(n))
		if at >= end {
			return due, nil
		}
		due = append(due, at)
	}
}

// answered says for each record, in the order of sending, when its answer left: one producer and one partition keep the
// order, so the k-th request of the log has the next of them. The answers are 0 where none left, and there may be fewer
// than records were sent. It fails where the log can't be read that way.
func answered(log []sink.LogEntry) ([]int64, error) {
	var left []int64
	var conn uint32
	for i := range log {
		e := &log[i]
		switch {
		case e.Code != 0:
			continue // its records come again
		case conn == 0:
			conn = e.Conn
		case e.Conn != conn:
			return nil, fmt.Errorf("requests of more than one connection (%d and %d) are in the sink's log: their order isn't known", conn, e.Conn)
		}
		for range e.Records {
			left = append(left, e.Departed)
		}
	}
	return left, nil
}

// trueResponses are the responses of the records from first to before last: answer − due, both on CLOCK_MONOTONIC. One
// that was never answered is missing, and counted.
func trueResponses(due, left []int64, clock func(int64) int64, first, last int) (t truth, missing int) {
	values := make([]int64, 0, max(0, last-first))
	for n := first; n < last; n++ {
		if n >= len(left) || left[n] == 0 {
			missing++
			continue
		}
		values = append(values, left[n]-clock(due[n]))
	}
	return newTruth(values), missing
}

// measuredPart is the range of the records that belong to the measured part.
func measuredPart(res *metrics.Result) (first, last int) {
	first = int(res.Totals.WarmupRecords)
	return first, first + int(res.Totals.Scheduled)
}

// responseView is how a result reports responses: the merged histogram of the measured part.
func responseView(res *metrics.Result) view {
	return mergedView(res, func(i metrics.Interval) *metrics.Histogram { return i.Response })
}

// mergedView merges one of the measured part's histograms.
func mergedView(res *metrics.Result, which func(metrics.Interval) *metrics.Histogram) view {
	var parts []*metrics.Histogram
	for _, i := range res.Intervals {
		if !i.Warmup {
			parts = append(parts, which(i))
		}
	}
	h := metrics.Sum(parts...)
	return func(q float64) float64 { return float64(h.Quantile(q)) }
}

// printedView is what the result prints, for the percentiles that it prints.
func printedView(l *metrics.Latency) view {
	return func(q float64) float64 {
		switch q {
		case .5:
			return float64(l.P50)
		case .9:
			return float64(l.P90)
		case .95:
			return float64(l.P95)
		case .99:
			return float64(l.P99)
		case .999:
			return float64(l.P999)
		}
		return float64(l.P9999)
	}
}
