package bench

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/words"
	"kbench/workload"
)

// The limits of the verdict. Where no source is named, the figure is the share of records that may be wrong without being
// seen in a p99: a thousandth, as for lateness.
const (
	lateNS    = 1_000_000 // a record that the generator handed over more than 1 ms late …
	lateShare = 0.001     // … must be one of a thousand at most, with 99 % confidence
	// p99Shift is how far response p99 with and without these records may be apart, and lateNeeded how many of them there
	// have to be before that says anything.
	p99Shift   = 0.05
	lateNeeded = 10
	// throttledShare of the time may pass in stops by a control group's quota: a stop holds up all that is due in it.
	throttledShare = 0.001
	// stillShare of the time may pass while the generator stands still, for the same reason; and one stop that is this
	// long is one too many in a run of any length.
	stillShare = 0.001
	longStop   = int64(100 * time.Millisecond)
	// runQueueShare of their time the generator's threads may wait for a CPU without being suspected. With small requests they
	// wake each other so often that half of it is usual on a quiet machine. So it is no fault by itself, only the explanation
	// of records that are late.
	runQueueShare = 0.25

	achievedRate = 0.995 // below this share of the asked rate, the backlog grew
	momentNS     = 50e6  // of load may be in flight at the end of a run without being a backlog
	// Where the backlog grew, the generator was the limit if this share of the CPU time that there was is used up: of this
	// process, or of all.
	saturatedShare   = 0.90
	saturatedMachine = 0.95
	// Or if a producer's one sending goroutine had no time left: this process used so many cores a producer, less than half
	// of the backlog had been handed over, and the client's buffer wasn't full, so that it isn't the target it waited for.
	saturatedCores = 0.90
	handedShare    = 0.50
	idleBuffer     = 0.50

	// startTolerance is by how much the p99 of the first seconds may differ from the rest's without a word.
	startTolerance = 0.50
	// littleShare is how far Little's law may be missed, beyond what littleErrors standard errors of the sampling explain.
	littleShare  = 0.02
	littleErrors = 4
	// arrivalsAlpha is the probability by which the realised gaps of a perfect generator fail their test.
	arrivalsAlpha = 0.001
)

// judge makes the verdict, and says what else endangers the figures. It is a function of the findings alone. What makes
// figures meaningless stands first, then what makes others of them: the first reason gives the verdict its cause.
func judge(f findings) (metrics.Verdict, []string) {
	v := metrics.Verdict{State: metrics.StateValid, Reasons: []string{}}
	warnings := []string{}
	warn := func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	judgeAccounting(f, &v)
	judgeConfiguration(f, &v)
	judgeGenerator(f, &v, warn)
	judgeSteadiness(f, &v, warn)
	t := f.totals
	if f.plan.Load.Send == workload.SendFireAndForget && t.Censored > 0 {
		warn("send: fire-and-forget: nobody waited at the end, which left %s unconfirmed: censored, and perhaps lost", words.Count(t.Censored, "record"))
	}
	if t.WarmupFailed+t.WarmupCensored > 0 {
		warn("in the warm-up %s failed, and %d had no end (censored)", words.Count(t.WarmupFailed, "record"), t.WarmupCensored)
	}
	if e := f.evidence; e.Clipped > 0 {
		warn("latencies above the histograms' range of %v count as that: %d of them", time.Duration(metrics.HighestTrackable), e.Clipped)
	}
	return v, warnings
}

// judgeAccounting checks that there are figures and that they add up.
func judgeAccounting(f findings, v *metrics.Verdict) {
	t := f.totals
	if sum := t.Acked + t.Failed + t.Censored; sum != t.Scheduled {
		v.Doubt(metrics.CauseAccounting, fmt.Sprintf("accounting: %d records scheduled, but %d acked + %d failed + %d censored = %d", t.Scheduled, t.Acked, t.Failed, t.Censored, sum))
	}
	if f.died {
		v.Doubt(metrics.CauseTarget, "the target died during the run")
	}
	if f.clientError != nil {
		v.Doubt(metrics.CauseTarget, f.clientError.Error())
	}
	if f.stray > 0 {
		v.Doubt(metrics.CauseAccounting, fmt.Sprintf("accounting: driver %s acknowledged %s twice or unasked", f.driver, words.Count(f.stray, "record")))
	}
	switch {
	case t.Scheduled == 0 && t.DurationNS == 0 && t.WarmupRecords > 0:
		v.Doubt(metrics.CauseNothing, "nothing was measured: the run ended in its warm-up")
	case t.Scheduled == 0:
		v.Doubt(metrics.CauseNothing, "nothing was measured: no record was due")
	case t.Acked == 0 && !f.interrupted && f.clientError == nil && !f.died:
		v.Doubt(metrics.CauseNothing, fmt.Sprintf("nothing was measured: none of %s was acknowledged", words.Count(t.Scheduled, "record")))
	case t.RecordsPerSecond == 0 && t.Acked > 0 && !f.plan.Load.Scheduled() && !f.interrupted && f.clientError == nil && !f.died:
		v.Doubt(metrics.CauseNothing, "nothing was measured: no record was acknowledged within the measured time")
	}
}

// judgeConfiguration holds what the client says is in force against what was asked for.
func judgeConfiguration(f findings, v *metrics.Verdict) {
	for _, d := range f.differences {
		effective := d.Effective
		if effective == "" {
			effective = "nothing"
		}
		v.Doubt(metrics.CauseConfiguration, fmt.Sprintf("configuration: %s=%s was asked for, and the client says %s", d.Setting, d.Asked, effective))
	}
}

// judgeGenerator asks whether the generator or its machine was in the way of the figures.
func judgeGenerator(f findings, v *metrics.Verdict, warn func(string, ...any)) {
	e := f.evidence
	doubt := func(format string, args ...any) {
		v.Doubt(metrics.CauseClient, "client: "+fmt.Sprintf(format, args...))
	}
	switch {
	case late(f):
		doubt("the generator handed %.2f %% of the records over more than 1 ms late, in %s: this machine makes the tail of the response latency", 100*e.LateShare, words.Count(e.LateStops, "stop"))
	case e.LateShare > lateShare:
		warn("the generator handed %.2f %% of the records over more than 1 ms late, in %s: percentiles above p%.1f are this machine's, or a longer run shows it to be chance",
			100*e.LateShare, words.Count(e.LateStops, "stop"), 100*(1-e.LateShare))
	}
	if with, without := f.response.P99, e.ResponseP99OnTime; f.late >= lateNeeded && without > 0 && math.Abs(float64(with-without)) > p99Shift*float64(without) {
		doubt("response p99 is %v, and %v without the %d records that the generator handed over late", threeDigits(with), threeDigits(without), f.late)
	}
	if f.still > int64(stillShare*float64(f.totals.DurationNS)) || f.longest >= longStop {
		doubt("the generator stood still for %v, at the longest for %v: the process was stopped, or got no CPU", time.Duration(f.still).Round(time.Millisecond), time.Duration(f.longest).Round(time.Millisecond))
	}
	if e.StealShare > metrics.MaxStealShare {
		doubt("the hypervisor took %.1f %% of the CPUs' time", 100*e.StealShare)
	}
	if e.ThrottledShare > throttledShare {
		doubt("a control group's quota stopped the generator for %.1f %% of the time", 100*e.ThrottledShare)
	}
	if waitsForCPU(f) {
		doubt("the generator's threads waited for a CPU for %.0f %% of their time: something else runs on its CPUs", 100*e.RunQueueShare)
	}
	switch short := shortOfCPU(f); {
	case short == "":
	case backlog(f) > 0:
		doubt("%s: %s of %s records/s asked for were acknowledged", short, rateText(f.totals.RecordsPerSecond), rateText(asked(f.totals)))
	case !f.plan.Load.Scheduled():
		warn("%s: the client, not the target, is the limit of this throughput", short)
	}
	if e.ArrivalsP >= 0 && e.ArrivalsP < arrivalsAlpha {
		warn("the realised gaps between records aren't those of Poisson arrivals (Anderson–Darling p %.2g): the generator hands over records in bunches", e.ArrivalsP)
	}
	// A generator that is in its own way samples badly as well.
	if e.LittleRatio >= 0 && v.Cause != metrics.CauseClient && math.Abs(e.LittleRatio-1) > littleShare+f.littleError {
		warn("Little's law is missed: %.1f records in flight on average, but throughput × service time is %.1f", e.InFlightMean, e.InFlightMean/e.LittleRatio)
	}
}

// late says whether more records were late than may be, beyond what one unlucky moment more or less explains: a run of few
// seconds has no more than some stops in it.
func late(f findings) bool {
	return float64(f.late)-f.lateMargin > lateShare*float64(f.totals.Scheduled)
}

// waitsForCPU says whether something beside the generator keeps its threads waiting, and its records. Where the load is as
// much as the client can do, its own threads and those of an embedded target wait for each other, and nothing is late.
func waitsForCPU(f findings) bool {
	return f.evidence.RunQueueShare > runQueueShare && late(f)
}

// shortOfCPU says how the generator was short of CPU time; "": it wasn't.
func shortOfCPU(f findings) string {
	e, producers := f.evidence, float64(max(1, f.plan.Load.Producers))
	switch {
	case e.CPUShare >= saturatedShare:
		return fmt.Sprintf("this process used %.0f %% of its CPUs", 100*e.CPUShare)
	case f.busy >= saturatedMachine:
		return fmt.Sprintf("the generator's CPUs were busy for %.0f %% of the time, its own waiting included", 100*f.busy)
	case f.cores >= saturatedCores*producers && f.buffered < idleBuffer && f.growth < handedShare*backlog(f)*float64(f.totals.DurationNS)/1e9:
		return fmt.Sprintf("this process used %.2f CPUs for %s, and the client's buffers weren't full", f.cores, words.Count(uint64(producers), "producer"))
	}
	return ""
}

// judgeSteadiness asks whether the figures are those of one state.
func judgeSteadiness(f findings, v *metrics.Verdict, warn func(string, ...any)) {
	doubt := func(format string, args ...any) {
		v.Doubt(metrics.CauseUnsteady, "unsteady: "+fmt.Sprintf(format, args...))
	}
	if backlog(f) > 0 && shortOfCPU(f) == "" {
		doubt("%s of %s records/s asked for were acknowledged: the backlog grew", rateText(f.totals.RecordsPerSecond), rateText(asked(f.totals)))
	}
	if f.unsettled != "" && f.plan.Load.Stationary() {
		doubt("%s", f.unsettled)
	}
	e := f.evidence
	switch {
	case f.settled.Judged && !f.settled.Settled:
		doubt("%s", moved(f))
	case e.WarmupCut > 0 && (math.Abs(f.startRate) > stat.ThroughputTolerance || math.Abs(f.startP99) > startTolerance):
		warn("the first %d s of the measured part differ from the rest (throughput %+.0f %%, response p99 %+.0f %%): a longer warm-up would leave them out",
			e.WarmupCut, 100*f.startRate, 100*f.startP99)
	}
}

// moved says what kept the run from settling.
func moved(f findings) string {
	var parts []string
	if s := f.evidence.RateSlope; s != 0 {
		parts = append(parts, fmt.Sprintf("the throughput changed by %+.0f %%", 100*s))
	}
	if s := f.evidence.P99Slope; s != 0 {
		parts = append(parts, fmt.Sprintf("the response's p99 changed by %+.0f %%", 100*s))
	}
	if len(parts) == 0 {
		return "throughput or response p99 never settled in the measured part"
	}
	return strings.Join(parts, " and ") + " over the measured part"
}

// asked is the rate that the schedule really asked for in records/s: a Poisson count isn't its mean.
func asked(t metrics.Totals) float64 { return float64(t.Scheduled) / (float64(t.DurationNS) / 1e9) }

// backlog is by how many records/s fewer were acknowledged in the measured time than were due in it, where that is more
// than what linger.ms and a moment's service keep in flight; else 0. The difference is the growth of what waits.
func backlog(f findings) float64 {
	t := f.totals
	if t.TargetRate == 0 || t.Scheduled == 0 || f.plan.Load.Records > 0 || f.interrupted || f.died {
		return 0
	}
	seconds, asked := float64(t.DurationNS)/1e9, asked(t)
	missing := asked - t.RecordsPerSecond - float64(f.failed)/seconds
	usual := asked * (momentNS + float64(f.plan.Producer.Linger)) / float64(t.DurationNS)
	usual = max(usual, 2/seconds) // at a few records a second, one or two in flight are all there is
	if missing <= max((1-achievedRate)*asked, usual) {
		return 0
	}
	return missing
}

// rateText is a rate as people read it: whole from 100/s on, of three digits below.
func rateText(perSecond float64) string {
	if perSecond >= 100 {
		return strconv.FormatFloat(perSecond, 'f', 0, 64)
	}
	return strconv.FormatFloat(perSecond, 'g', 3, 64)
}

// threeDigits rounds a time to as many.
func threeDigits(ns int64) time.Duration {
	unit := time.Duration(1)
	for time.Duration(ns)/unit >= 1000 {
		unit *= 10
	}
	return time.Duration(ns).Round(unit)
}
