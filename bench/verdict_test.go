package bench

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/workload"
)

// clean is what a good run of 10 s at 1,000 records/s finds.
func clean(t *testing.T) findings {
	t.Helper()
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Arrivals, p.Load.Duration = workload.ArrivalsPoisson, 10*time.Second })
	return findings{
		totals:   metrics.Totals{Scheduled: 10_000, Acked: 10_000, DurationNS: 10e9, TargetRate: 1000, RecordsPerSecond: 999.9},
		response: metrics.Latency{P99: 4e6},
		evidence: metrics.Evidence{LateShare: 0.0005, ResponseP99OnTime: 4e6, AchievedShare: 0.9999, CPUShare: 0.3, MachineShare: 0.5, RunQueueShare: 0.1,
			StealShare: 0.001, ThrottledShare: 0, InFlightMean: 2, LittleRatio: 1.01, ArrivalsP: 0.4},
		plan: plan, driver: "fake", late: 5, busy: 0.6, cores: 0.5, buffered: 0.01, settled: stat.Steadiness{Judged: true, Settled: true},
	}
}

// lateRecords are records that were handed over late in so many stops, of which so many may be chance.
func lateRecords(n, stops uint64, margin float64) func(*findings) {
	return func(f *findings) {
		f.late, f.lateMargin = n, margin
		f.evidence.LateStops, f.evidence.LateShare = stops, float64(n)/float64(f.totals.Scheduled)
	}
}

// TestJudge has, for each rule, findings just inside it and just outside.
func TestJudge(t *testing.T) {
	behind := func(f *findings) { f.totals.RecordsPerSecond = 900 }
	maximum := func(f *findings) {
		f.plan.Load.Arrivals, f.plan.Load.Rate = workload.ArrivalsMax, workload.Rate{}
		f.totals.TargetRate, f.evidence.LateShare, f.evidence.AchievedShare = 0, -1, -1
	}
	tests := []struct {
		name    string
		change  func(f *findings)
		cause   string // "": valid
		says    string // part of the first reason, or of the first warning where the run is valid
		warning bool
	}{
		{name: "clean", change: func(*findings) {}},
		{name: "nobody can say", change: func(f *findings) {
			f.evidence = metrics.Evidence{LateShare: -1, ResponseP99OnTime: -1, AchievedShare: -1, CPUShare: -1, MachineShare: -1, RunQueueShare: -1, StealShare: -1,
				ThrottledShare: -1, GCPauseMaxNS: -1, SchedulerP99NS: -1, InFlightMean: -1, LittleRatio: -1, ArrivalsP: -1, WarmupCut: -1}
			f.busy = -1
		}},
		{name: "late: 0.1 %", change: lateRecords(10, 9, 0)},
		{name: "late: more", change: lateRecords(11, 11, 0), cause: metrics.CauseClient, says: "handed 0.11 % of the records over more than 1 ms late, in 11 stops"},
		{name: "late: in one stop", change: lateRecords(40, 1, 93), says: "handed 0.40 % of the records over more than 1 ms late, in 1 stop: percentiles above p99.6", warning: true},
		{name: "late: just chance", change: lateRecords(40, 7, 30), says: "in 7 stops", warning: true},
		{name: "late: hardly chance", change: lateRecords(40, 7, 29.9), cause: metrics.CauseClient, says: "in 7 stops"},
		{name: "p99 moves by 5 %", change: func(f *findings) { f.late, f.response.P99 = 10, 4.2e6 }},
		{name: "p99 moves by more", change: func(f *findings) { f.late, f.response.P99 = 10, 4.21e6 }, cause: metrics.CauseClient, says: "4.21ms, and 4ms without the 10 records"},
		{name: "p99 falls by late records", change: func(f *findings) { f.late, f.response.P99 = 10, 3.7e6 }, cause: metrics.CauseClient, says: "response p99"},
		{name: "p99 moves by a handful", change: func(f *findings) { f.late, f.response.P99 = 9, 6e6 }},
		{name: "all late", change: func(f *findings) { f.late, f.evidence.ResponseP99OnTime, f.evidence.LateShare = 10_000, 0, 1 }, cause: metrics.CauseClient, says: "100.00 %"},
		{name: "short stops", change: func(f *findings) { f.still, f.longest = 10e6, 10e6 }},
		{name: "stops add up", change: func(f *findings) { f.still, f.longest = 41e6, 21e6 }, cause: metrics.CauseClient, says: "stood still for 41ms, at the longest for 21ms"},
		{name: "one stop in a long run", change: func(f *findings) {
			f.totals.DurationNS, f.still, f.longest = 3600e9, 100e6, 100e6
			f.totals.RecordsPerSecond = asked(f.totals)
		},
			cause: metrics.CauseClient, says: "100ms"},
		{name: "steal: 1 %", change: func(f *findings) { f.evidence.StealShare = 0.01 }},
		{name: "steal: more", change: func(f *findings) { f.evidence.StealShare = 0.011 }, cause: metrics.CauseClient, says: "hypervisor took 1.1 %"},
		{name: "a moment's quota", change: func(f *findings) { f.evidence.ThrottledShare = 0.001 }},
		{name: "quota", change: func(f *findings) { f.evidence.ThrottledShare = 0.002 }, cause: metrics.CauseClient, says: "quota stopped the generator for 0.2 %"},
		{name: "some waiting for CPUs", change: func(f *findings) { f.evidence.RunQueueShare, f.evidence.LateShare = runQueueShare, 0.0009 }},
		{name: "waiting for CPUs that makes nothing late", change: func(f *findings) { f.evidence.RunQueueShare = 0.6; lateRecords(10, 10, 0)(f) }},
		{name: "waiting for CPUs that shows", change: func(f *findings) { f.evidence.RunQueueShare = runQueueShare + 0.01; lateRecords(11, 11, 0)(f) },
			cause: metrics.CauseClient, says: "handed 0.11 %"},
		{name: "at maximum rate, threads wait", change: func(f *findings) { maximum(f); f.evidence.RunQueueShare = 0.6 }},
		{name: "at maximum rate, the client is the limit", change: func(f *findings) { maximum(f); f.evidence.CPUShare = 0.95 }, says: "the client, not the target", warning: true},
		{name: "a busy process", change: func(f *findings) { f.evidence.CPUShare = 0.95 }},
		{name: "backlog", change: behind, cause: metrics.CauseUnsteady, says: "900 of 1000 records/s"},
		{name: "a little backlog", change: func(f *findings) { f.totals.RecordsPerSecond = 995.1 }},
		{name: "failed, no backlog", change: func(f *findings) { behind(f); f.failed = 1000 }},
		{name: "what lingers is no backlog", change: func(f *findings) { behind(f); f.plan.Producer.Linger = 2 * time.Second }},
		{name: "backlog, bound on records", change: func(f *findings) { behind(f); f.plan.Load.Records = 10_000 }},
		{name: "backlog, interrupted", change: func(f *findings) { behind(f); f.interrupted = true }},
		{name: "backlog, process saturated", change: func(f *findings) { behind(f); f.evidence.CPUShare = 0.95 }, cause: metrics.CauseClient, says: "used 95 % of its CPUs"},
		{name: "backlog, machine saturated", change: func(f *findings) { behind(f); f.busy = 0.97 }, cause: metrics.CauseClient, says: "busy for 97 %"},
		{name: "backlog, sender saturated", change: func(f *findings) { behind(f); f.cores = 0.95 }, cause: metrics.CauseClient, says: "0.95 CPUs for 1 producer,"},
		{name: "backlog, busy client waits for the target", change: func(f *findings) { behind(f); f.cores, f.buffered = 0.95, 0.8 }, cause: metrics.CauseUnsteady, says: "backlog"},
		{name: "backlog in the client", change: func(f *findings) { behind(f); f.cores, f.growth = 0.95, 900 }, cause: metrics.CauseUnsteady, says: "backlog"},
		{name: "backlog, idle senders", change: func(f *findings) { behind(f); f.cores, f.plan.Load.Producers = 0.95, 2 }, cause: metrics.CauseUnsteady, says: "backlog"},
		{name: "never warm", change: func(f *findings) { f.unsettled = "the warm-up never settled" }, cause: metrics.CauseUnsteady, says: "never settled"},
		{name: "never warm, nor meant to be", change: func(f *findings) {
			f.unsettled, f.plan.Load.Arrivals = "the warm-up never settled", workload.ArrivalsRamp
		}},
		{name: "throughput drifts", change: func(f *findings) { f.settled.Settled, f.evidence.RateSlope = false, -0.3 }, cause: metrics.CauseUnsteady, says: "throughput changed by -30 %"},
		{name: "p99 drifts", change: func(f *findings) { f.settled.Settled, f.evidence.P99Slope = false, 1.5 }, cause: metrics.CauseUnsteady, says: "p99 changed by +150 %"},
		{name: "never steady", change: func(f *findings) { f.settled.Settled = false }, cause: metrics.CauseUnsteady, says: "never settled in the measured part"},
		{name: "too short to judge", change: func(f *findings) { f.settled = stat.Steadiness{Settled: true} }},
		{name: "a start like the rest", change: func(f *findings) { f.evidence.WarmupCut, f.startRate, f.startP99 = 5, 0.01, 0.2 }},
		{name: "a different start", change: func(f *findings) { f.evidence.WarmupCut, f.startRate, f.startP99 = 5, 0.01, 2 }, says: "the first 5 s", warning: true},
		{name: "setting read back", change: func(f *findings) {
			f.differences = []metrics.Difference{{Setting: "linger.ms", Asked: "5", Effective: "0"}}
		}, cause: metrics.CauseConfiguration, says: "linger.ms=5 was asked for, and the client says 0"},
		{name: "setting not read back", change: func(f *findings) { f.differences = []metrics.Difference{{Setting: "acks", Asked: "all"}} }, cause: metrics.CauseConfiguration, says: "says nothing"},
		{name: "accounting", change: func(f *findings) { f.totals.Failed = 1 }, cause: metrics.CauseAccounting, says: "10000 acked + 1 failed"},
		{name: "stray", change: func(f *findings) { f.stray = 3 }, cause: metrics.CauseAccounting, says: "3 records twice"},
		{name: "target died", change: func(f *findings) { f.died = true }, cause: metrics.CauseTarget, says: "died"},
		{name: "client died", change: func(f *findings) { f.clientError = errors.New("driver fake stopped: dead") }, cause: metrics.CauseTarget, says: "driver fake stopped"},
		{name: "nothing acknowledged", change: func(f *findings) { f.totals.Acked, f.totals.Failed, f.failed = 0, 10_000, 10_000 },
			cause: metrics.CauseNothing, says: "none of 10000 records was acknowledged"},
		{name: "all acknowledged too late", change: func(f *findings) { maximum(f); f.totals.RecordsPerSecond = 0 }, cause: metrics.CauseNothing,
			says: "no record was acknowledged within the measured time"},
		{name: "nothing was due", change: func(f *findings) { f.totals = metrics.Totals{} }, cause: metrics.CauseNothing, says: "no record was due"},
		{name: "warm-up only", change: func(f *findings) { f.totals = metrics.Totals{WarmupRecords: 9} }, cause: metrics.CauseNothing, says: "ended in its warm-up"},
		{name: "first cause counts", change: func(f *findings) { f.died, f.evidence.StealShare, f.settled.Settled = true, 0.5, false }, cause: metrics.CauseTarget, says: "died"},
		{name: "the client before the steadiness", change: func(f *findings) { f.evidence.StealShare, f.settled.Settled = 0.5, false }, cause: metrics.CauseClient, says: "hypervisor"},
		{name: "Little's law, within its error", change: func(f *findings) { f.evidence.LittleRatio, f.littleError = 1.1, 0.09 }},
		{name: "Little's law, nobody knows the error", change: func(f *findings) { f.evidence.LittleRatio, f.littleError = 2, math.Inf(1) }},
		{name: "Little's law", change: func(f *findings) { f.evidence.LittleRatio, f.littleError = 1.1, 0.07 }, says: "Little's law is missed", warning: true},
		{name: "bunched", change: func(f *findings) { f.evidence.ArrivalsP = 0.0009 }, says: "aren't those of Poisson arrivals", warning: true},
		{name: "clipped", change: func(f *findings) { f.evidence.Clipped = 2 }, says: "count as that: 2 of them", warning: true},
		{name: "unconfirmed", change: func(f *findings) {
			f.plan.Load.Send, f.totals.Censored, f.totals.Acked = workload.SendFireAndForget, 10, 9990
		}, says: "nobody waited", warning: true},
		{name: "a bad warm-up", change: func(f *findings) { f.totals.WarmupFailed = 2 }, says: "in the warm-up 2 records failed", warning: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := clean(t)
			tt.change(&f)
			v, warnings := judge(f)
			state := "valid"
			if tt.cause != "" {
				state = "invalid"
			}
			if v.State != state || v.Cause != tt.cause || (tt.cause == "") != (len(v.Reasons) == 0) {
				t.Errorf("verdict %+v, want %s by %q", v, state, tt.cause)
			}
			if v.Reasons == nil || tt.warning != (len(warnings) > 0) {
				t.Errorf("reasons %v, warnings %q", v.Reasons, warnings)
			}
			if said := slices.Concat(v.Reasons, warnings, []string{""})[0]; !strings.Contains(said, tt.says) {
				t.Errorf("says %q, want %q in it", said, tt.says)
			}
		})
	}
}

// TestTexts: rates and times in reasons have the digits that people read.
func TestTexts(t *testing.T) {
	for rate, want := range map[float64]string{0.5: "0.5", 12.345: "12.3", 99.96: "100", 100: "100", 19234.567: "19235", 1e6: "1000000"} {
		if got := rateText(rate); got != want {
			t.Errorf("rate %v: %s, want %s", rate, got, want)
		}
	}
	for ns, want := range map[int64]string{0: "0s", 999: "999ns", 12_345: "12.3µs", 26_959_872: "27ms", 1_234_567_890: "1.23s", 999_900: "1ms"} {
		if got := threeDigits(ns).String(); got != want {
			t.Errorf("%d ns: %s, want %s", ns, got, want)
		}
	}
}
