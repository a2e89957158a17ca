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
)

// result puts together what the workers, the collector and the clients found out.
func (r *run) result(started time.Time, checksum string) *metrics.Result {
	intervals := r.collector.Finish()
	res := &metrics.Result{Schema: metrics.Schema, Started: started, Profile: r.plan.Profile, Seed: r.plan.Seed,
		ScheduleChecksum: checksum, Interrupted: r.interrupt, Warnings: slices.Clone(r.notes),
		Driver: r.driverInfo(), Host: metrics.Host{Clock: r.clock.Source()}, Intervals: intervals, Series: series(intervals, r.phases.measure.Load())}
	if res.Plan = r.planJSON(); res.Plan == nil {
		res.Plan = json.RawMessage("null")
	}
	r.fillTotals(res)
	res.Latency = latencies(intervals)
	r.fillRuntime(res)
	if r.measuring {
		res.Client = client(r.told[0], r.told[1])
	}
	res.Timing = r.timing
	seconds := measuredSeconds(intervals, res.Totals.WarmupNS, r.end)
	r.fillIntervals(res, seconds)
	f := r.findings(res, seconds)
	res.Evidence = f.evidence
	verdict, warnings := judge(f)
	res.Verdict, res.Warnings = verdict, append(res.Warnings, warnings...)
	r.checkObjectives(res)
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
	t.TargetRate = r.plan.Load.MeanRate(r.payloads.MeanRecordBytes(), time.Duration(t.DurationNS))
	r.fillWire(res)
}

// fillWire adds up the clients' own counters of the whole run; one that doesn't know makes the sum unknown.
func (r *run) fillWire(res *metrics.Result) {
	t := &res.Totals
	sum := driver.Stats{ProduceVersion: -1}
	for _, s := range r.sessions {
		st := driver.UnknownStats()
		if s.Stats != nil {
			st = s.Stats()
		}
		sum.Add(st)
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
	res.Driver.ProduceVersion = sum.ProduceVersion
}

func (r *run) fillRuntime(res *metrics.Result) {
	used := r.usage[1].Since(r.usage[0])
	res.Runtime = metrics.Runtime{GCCount: uint32(used.GCs), GCPauseNS: used.GCPauseNS, MaxRSSBytes: used.MaxRSS}
	if n := float64(res.Totals.Scheduled); n > 0 {
		waiting, handed := r.waited(), uint64(0)
		for _, w := range r.workers {
			handed += w.scheduled[0] - w.unhanded[0]
		}
		res.Runtime.CPUNSPerRecord = float64(max(0, used.CPUNS-waiting)) / float64(max(1, handed))
		res.Runtime.AllocsPerRecord = float64(used.Allocs) / n
		res.Runtime.AllocBytesPerRecord = float64(used.AllocBytes) / n
	}
}

// waited is the processor time that waiting for due times took in the measured part.
func (r *run) waited() int64 {
	sum := int64(0)
	for _, w := range r.workers {
		sum += w.pacer.cpu - w.cpuWarm
	}
	return sum
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

// percentiles are those of a metrics.Latency, in its order.
var percentiles = [...]struct {
	name string
	q    float64
}{{"p50", .5}, {"p90", .9}, {"p95", .95}, {"p99", .99}, {"p999", .999}, {"p9999", .9999}}

func latency(parts []*metrics.Histogram) metrics.Latency {
	h := metrics.Sum(parts...)
	l := metrics.Latency{Count: h.Total(), Clipped: h.Clipped(), Mean: math.Round(h.Mean()), Min: h.Min(), Max: h.Max(),
		Intervals: map[string][2]int64{}, Unsupported: []string{}, Needs: map[string]float64{}}
	to := []*int64{&l.P50, &l.P90, &l.P95, &l.P99, &l.P999, &l.P9999}
	for i, p := range percentiles {
		*to[i] = h.Quantile(p.q)
		if !stat.Supported(h.Total(), p.q) {
			l.Unsupported = append(l.Unsupported, p.name)
		}
	}
	return l
}

// series has one point for every second; a second in which the warm-up ended has two. Records of the warm-up that were
// acknowledged in a wholly measured second are part of its point: the throughput is that of the second.
func series(intervals []metrics.Interval, measure int64) []metrics.Point {
	points := make([]metrics.Point, 0, len(intervals))
	for i := 0; i < len(intervals); i++ {
		in := intervals[i]
		if in.Warmup && int64(in.Start) >= measure {
			in.Warmup = false
			if i+1 < len(intervals) && intervals[i+1].Start == in.Start {
				i++
				in = in.Join(intervals[i])
			}
		}
		points = append(points, metrics.Point{AtNS: int64(in.End), Warmup: in.Warmup, Acked: in.Acked, Failed: in.Failed, Bytes: in.Bytes,
			ResponseP50: in.Response.Quantile(.5), ResponseP99: in.Response.Quantile(.99), ResponseMax: in.Response.Max(),
			ServiceP99: in.Service.Quantile(.99), LatenessP99: in.Generator.Quantile(.99)})
	}
	return points
}
