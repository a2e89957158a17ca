package bench

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"kbench/driver"
	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/workload"
)

// Limits behind warnings and the verdict.
const (
	lateNS       = 1_000_000 // a record that the generator handed over more than 1 ms late …
	lateShare    = 0.001     // … is worth a warning from this share on
	momentNS     = 50e6      // of load may be in flight at the end of a run without being a backlog
	achievedRate = 0.995     // below this share of the asked rate the target or client couldn't keep up
)

// result puts together what the workers, the collector and the clients found out.
func (r *run) result(started time.Time, checksum string) *metrics.Result {
	intervals := r.collector.Finish()
	res := &metrics.Result{Schema: metrics.Schema, Started: started, Profile: r.plan.Profile, Seed: r.plan.Seed,
		ScheduleChecksum: checksum, Interrupted: r.interrupt, Warnings: slices.Clone(r.notes),
		Driver: r.driverInfo(), Host: metrics.Host{Clock: r.clock.Source()}, Intervals: intervals, Series: series(intervals)}
	if res.Plan = r.planJSON(); res.Plan == nil {
		res.Plan = json.RawMessage("null")
	}
	r.fillTotals(res)
	res.Latency = latencies(intervals)
	r.fillRuntime(res)
	r.judge(res)
	return res
}

func (r *run) planJSON() json.RawMessage {
	out, err := json.Marshal(r.plan)
	if err != nil {
		r.notes = append(r.notes, fmt.Sprintf("the plan can't be written: %v", err))
		return nil
	}
	return out
}

// driverInfo describes the client; all producers of a run have the same configuration.
func (r *run) driverInfo() metrics.DriverInfo {
	d := r.opts.Driver
	info := metrics.DriverInfo{Name: d.Name, Client: d.Client, Version: d.Version, ProduceVersion: -1,
		EffectiveConfig: map[string]string{}, DiffersFromAsked: []metrics.Difference{}}
	if len(r.sessions) > 0 && r.sessions[0].Effective != nil {
		info.EffectiveConfig = r.sessions[0].Effective
		for _, diff := range driver.Differences(&r.plan.Producer, info.EffectiveConfig, d.Capabilities) {
			info.DiffersFromAsked = append(info.DiffersFromAsked, metrics.Difference(diff))
		}
	}
	return info
}

func (r *run) fillTotals(res *metrics.Result) {
	t := &res.Totals
	t.Errors = map[string]uint64{}
	var window, windowBytes uint64
	lastAck := int64(0)
	for _, w := range r.workers {
		t.Scheduled += w.scheduled[0]
		t.WarmupRecords += w.scheduled[1]
		t.Acked += w.acked[0]
		t.Failed += w.failed[0]
		t.WarmupFailed += w.failed[1]
		t.Censored += w.censored[0] + w.unhanded[0]
		t.WarmupCensored += w.censored[1] + w.unhanded[1]
		t.Bytes += w.ackedBytes[0]
		window += w.window
		windowBytes += w.windowBytes
		lastAck = max(lastAck, w.lastAck)
		for text, n := range w.errs {
			t.Errors[text] += n
		}
	}
	t.WarmupNS = min(r.phases.measure.Load(), r.end)
	t.DurationNS = max(0, r.end-t.WarmupNS)
	if r.plan.Load.Records > 0 {
		// A bound on records ends with its last acknowledgement, as in Kafka's own tool.
		t.DurationNS = max(t.DurationNS, lastAck-t.WarmupNS)
		window, windowBytes = t.Acked, t.Bytes
	}
	if seconds := float64(t.DurationNS) / 1e9; seconds > 0 {
		t.RecordsPerSecond, t.BytesPerSecond = float64(window)/seconds, float64(windowBytes)/seconds
	}
	if rate := r.plan.Load.Rate; rate.Bytes {
		t.TargetRate = rate.PerSecond / r.payloads.MeanRecordBytes()
	} else {
		t.TargetRate = rate.PerSecond
	}
	r.fillWire(res)
}

// fillWire adds up the clients' own counters; one that doesn't know makes the sum unknown.
func (r *run) fillWire(res *metrics.Result) {
	t := &res.Totals
	sum, version := driver.Stats{}, int64(-1)
	for _, s := range r.sessions {
		st := driver.UnknownStats()
		if s.Stats != nil {
			st = s.Stats()
		}
		version = max(version, st.ProduceVersion)
		for _, f := range []struct{ to, from *int64 }{{&sum.Requests, &st.Requests}, {&sum.WireBytes, &st.WireBytes}, {&sum.Batches, &st.Batches},
			{&sum.UncompressedBytes, &st.UncompressedBytes}, {&sum.CompressedBytes, &st.CompressedBytes}, {&sum.Retries, &st.Retries}, {&sum.ThrottleNS, &st.ThrottleNS}} {
			if *f.from < 0 || *f.to < 0 {
				*f.to = -1
			} else {
				*f.to += *f.from
			}
		}
	}
	t.WireBytes, t.Requests, t.Batches, t.Retries, t.ThrottleNS = sum.WireBytes, sum.Requests, sum.Batches, sum.Retries, sum.ThrottleNS
	t.RecordsPerReq, t.CompressionRatio = -1, -1
	if sum.Requests > 0 {
		all := uint64(0)
		for _, w := range r.workers {
			all += w.acked[0] + w.acked[1]
		}
		t.RecordsPerReq = float64(all) / float64(sum.Requests)
	}
	if sum.CompressedBytes > 0 && sum.UncompressedBytes > 0 {
		t.CompressionRatio = float64(sum.UncompressedBytes) / float64(sum.CompressedBytes)
	}
	res.Driver.ProduceVersion = version
}

func (r *run) fillRuntime(res *metrics.Result) {
	used := r.usage[1].Since(r.usage[0])
	res.Runtime = metrics.Runtime{GCCount: uint32(used.GCs), GCPauseNS: used.GCPauseNS, MaxRSSBytes: used.MaxRSS}
	if n := float64(res.Totals.Scheduled); n > 0 {
		waiting, handed := int64(0), uint64(0)
		for _, w := range r.workers {
			waiting += w.pacer.cpu - w.cpuWarm
			handed += w.scheduled[0] - w.unhanded[0]
		}
		res.Runtime.CPUNSPerRecord = float64(max(0, used.CPUNS-waiting)) / float64(max(1, handed))
		res.Runtime.AllocsPerRecord = float64(used.Allocs) / n
		res.Runtime.AllocBytesPerRecord = float64(used.AllocBytes) / n
	}
}

// judge checks the accounting and writes down what endangers the figures.
func (r *run) judge(res *metrics.Result) {
	t := res.Totals
	var reasons []string
	if sum := t.Acked + t.Failed + t.Censored; sum != t.Scheduled {
		reasons = append(reasons, fmt.Sprintf("accounting: %d records scheduled, but %d acked + %d failed + %d censored = %d", t.Scheduled, t.Acked, t.Failed, t.Censored, sum))
	}
	stray := uint64(0)
	for _, w := range r.workers {
		stray += w.stray
	}
	if r.died {
		reasons = append(reasons, "the target died during the run")
	}
	if err := r.clientError(); err != nil {
		reasons = append(reasons, err.Error())
	}
	if stray > 0 {
		reasons = append(reasons, fmt.Sprintf("accounting: driver %s acknowledged %d records twice or unasked", r.opts.Driver.Name, stray))
	}
	switch {
	case t.Scheduled == 0 && t.WarmupRecords == 0:
		reasons = append(reasons, "nothing was measured: no record was due")
	case t.Scheduled == 0:
		reasons = append(reasons, "nothing was measured: the run ended in its warm-up")
	}
	if r.plan.Load.Send == workload.SendFireAndForget && t.Censored > 0 {
		res.Warnings = append(res.Warnings, fmt.Sprintf("send: fire-and-forget: nobody waited at the end, and %d records were unconfirmed then: censored, and perhaps lost", t.Censored))
	}
	if reason := r.backlogGrew(t); reason != "" {
		reasons = append(reasons, reason)
	}
	if t.WarmupFailed+t.WarmupCensored > 0 {
		res.Warnings = append(res.Warnings, fmt.Sprintf("in the warm-up %d records failed and %d were censored", t.WarmupFailed, t.WarmupCensored))
	}
	if late := lateRecords(res.Intervals); t.Scheduled > 0 && float64(late) > lateShare*float64(t.Scheduled) {
		res.Warnings = append(res.Warnings, fmt.Sprintf("the generator handed %.2f %% of the records over more than 1 ms late: this machine limits the tail of the response latency",
			100*float64(late)/float64(t.Scheduled)))
	}
	res.Verdict = metrics.Verdict{State: "valid", Reasons: []string{}}
	if len(reasons) > 0 {
		res.Verdict = metrics.Verdict{State: "invalid", Reasons: reasons}
	}
	r.checkObjectives(res)
}

// backlogGrew says why the run wasn't steady: fewer records were acknowledged in the measured time than were due in it.
// The difference is the growth of what is in flight or waits. It is compared with what this schedule really asked for (a
// Poisson count isn't its mean), and what linger.ms and a moment's service keep in flight is no backlog.
func (r *run) backlogGrew(t metrics.Totals) string {
	if t.TargetRate == 0 || t.Scheduled == 0 || r.plan.Load.Records > 0 || r.interrupt || r.died {
		return ""
	}
	seconds := float64(t.DurationNS) / 1e9
	asked := float64(t.Scheduled) / seconds
	failed := uint64(0)
	for _, w := range r.workers {
		failed += w.windowBad
	}
	missing := asked - t.RecordsPerSecond - float64(failed)/seconds
	usual := asked * (momentNS + float64(r.plan.Producer.Linger)) / float64(t.DurationNS)
	usual = max(usual, 2/seconds) // at a few records a second, one or two in flight are all there is
	if missing <= max((1-achievedRate)*asked, usual) {
		return ""
	}
	return fmt.Sprintf("unsteady: %.1f of %.1f records/s asked for were acknowledged: the backlog grew", t.RecordsPerSecond, asked)
}

// lateRecords is the number of measured records that the generator, not the client, handed over late.
func lateRecords(intervals []metrics.Interval) uint64 {
	n := uint64(0)
	for _, i := range intervals {
		if !i.Warmup {
			n += i.Generator.Above(lateNS)
		}
	}
	return n
}

// latencies merges the measured intervals.
func latencies(intervals []metrics.Interval) metrics.Latencies {
	var parts [4][]*metrics.Histogram
	for _, i := range intervals {
		if !i.Warmup {
			for j, h := range []*metrics.Histogram{i.Response, i.Service, i.Generator, i.Pressure} {
				parts[j] = append(parts[j], h)
			}
		}
	}
	return metrics.Latencies{Response: latency(parts[0]), Service: latency(parts[1]), GeneratorLateness: latency(parts[2]), Backpressure: latency(parts[3])}
}

func latency(parts []*metrics.Histogram) metrics.Latency {
	h := metrics.Sum(parts...)
	l := metrics.Latency{Count: h.Total(), Clipped: h.Clipped(), Mean: math.Round(h.Mean()), Min: h.Min(), Max: h.Max(),
		Intervals: map[string][2]int64{}, Unsupported: []string{}}
	for _, p := range []struct {
		name string
		q    float64
		to   *int64
	}{{"p50", .5, &l.P50}, {"p90", .9, &l.P90}, {"p95", .95, &l.P95}, {"p99", .99, &l.P99}, {"p999", .999, &l.P999}, {"p9999", .9999, &l.P9999}} {
		*p.to = h.Quantile(p.q)
		if !stat.Supported(h.Total(), p.q) {
			l.Unsupported = append(l.Unsupported, p.name)
		}
	}
	return l
}

// series has one point for every second; the second in which the warm-up ended has two.
func series(intervals []metrics.Interval) []metrics.Point {
	points := make([]metrics.Point, 0, len(intervals))
	for _, i := range intervals {
		points = append(points, metrics.Point{AtNS: int64(i.End), Warmup: i.Warmup, Acked: i.Acked, Failed: i.Failed, Bytes: i.Bytes,
			ResponseP50: i.Response.Quantile(.5), ResponseP99: i.Response.Quantile(.99), ResponseMax: i.Response.Max(),
			ServiceP99: i.Service.Quantile(.99), LatenessP99: i.Generator.Quantile(.99)})
	}
	return points
}
