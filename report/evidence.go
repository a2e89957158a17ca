package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kbench/metrics"
)

// verdictText is the verdict in two words at most: "valid", "invalid: unsteady".
func verdictText(v metrics.Verdict) string {
	if v.Cause == "" {
		return v.State
	}
	return v.State + ": " + v.Cause
}

// causes are all that a verdict can name.
func causes() []string {
	return []string{metrics.CauseClient, metrics.CauseUnsteady, metrics.CauseConfiguration, metrics.CauseTarget, metrics.CauseAccounting, metrics.CauseNothing}
}

// evidenceNotes say what the verdict rests on. What this system or this kind of load can't say is left out.
func evidenceNotes(r *metrics.Result) []note {
	e := r.Evidence
	if e == (metrics.Evidence{}) {
		return nil // nobody looked
	}
	var parts []string
	share := func(name string, v float64) {
		if v >= 0 {
			parts = append(parts, name+" "+percent(v))
		}
	}
	share("late", e.LateShare)
	share("CPU", e.CPUShare)
	share("machine", e.MachineShare)
	share("run queue", e.RunQueueShare)
	share("steal", e.StealShare)
	share("throttled", e.ThrottledShare)
	switch {
	case e.GCPauseMaxNS > 0:
		parts = append(parts, "GC ≤ "+duration(float64(e.GCPauseMaxNS)))
	case e.GCPauseMaxNS == 0:
		parts = append(parts, "no GC")
	}
	if e.SchedulerP99NS >= 0 {
		parts = append(parts, "scheduler p99 "+duration(float64(e.SchedulerP99NS)))
	}
	share("achieved", e.AchievedShare)
	if e.LittleRatio >= 0 {
		parts = append(parts, fmt.Sprintf("Little %.2f", e.LittleRatio))
	}
	if e.ArrivalsP >= 0 {
		parts = append(parts, "arrivals p "+probability(e.ArrivalsP))
	}
	if e.Clipped > 0 {
		parts = append(parts, "clipped "+count(e.Clipped))
	}
	parts = append(parts, steadyText(r)...)
	notes := []note{{"evidence", strings.Join(parts, ", ")}}
	return append(notes, lateNotes(r)...)
}

// steadyText says what the run's seconds showed: "no trend", or what moved. A load that changes isn't meant to be steady.
func steadyText(r *metrics.Result) []string {
	e := r.Evidence
	var parts []string
	if e.WarmupCut > 0 {
		parts = append(parts, "MSER-5 would cut "+plural(uint64(e.WarmupCut), "second"))
	}
	for _, slope := range []struct {
		of string
		v  float64
	}{{"rate", e.RateSlope}, {"p99", e.P99Slope}} {
		if slope.v != 0 {
			parts = append(parts, fmt.Sprintf("%s %+.1f %% over the run", slope.of, 100*slope.v))
		}
	}
	if len(parts) == 0 && e.WarmupCut == 0 && !slices.Contains(r.Verdict.Causes, metrics.CauseUnsteady) && !loadOf(r).curved() {
		return []string{"no trend"}
	}
	return parts
}

// lateNotes show what the records that the generator sent late do to the response's p99, where they do anything.
func lateNotes(r *metrics.Result) []note {
	l, onTime := &r.Latency.Response, r.Evidence.ResponseP99OnTime
	if onTime <= 0 || onTime == l.P99 || l.Count == 0 || !supported(l, "p99") {
		return nil
	}
	u := latencyUnit(r)
	with, without := u.show(float64(l.P99)), u.show(float64(onTime))
	if with == without {
		return nil
	}
	return []note{{"", fmt.Sprintf("response p99 %s %s with the records that the generator sent late, %s %s without them", with, u.name, without, u.name)}}
}

// percent is a share in percent: no finer than 0.01 %, and never rounded to 100 %.
func percent(share float64) string {
	p := 100 * share
	switch {
	case math.IsNaN(p) || math.IsInf(p, 0):
		return absent
	case p == 0:
		return "0 %"
	case p < 0.01:
		return "<0.01 %"
	case p >= 99.95 && p < 100:
		return strconv.FormatFloat(math.Floor(p*100)/100, 'f', 2, 64) + " %"
	case p < 0.995:
		return strconv.FormatFloat(p, 'f', 2, 64) + " %"
	}
	return strconv.FormatFloat(p, 'f', 1, 64) + " %"
}

// probability is a p-value with two digits behind the point.
func probability(p float64) string {
	if p < 0.01 {
		return "<0.01"
	}
	return strconv.FormatFloat(p, 'f', 2, 64)
}
