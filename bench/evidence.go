package bench

import (
	"math"

	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/workload"
)

// findings are all that the verdict is made from.
type findings struct {
	evidence    metrics.Evidence
	totals      metrics.Totals
	response    metrics.Latency
	plan        *workload.Plan
	driver      string
	interrupted bool
	died        bool
	clientError error
	stray       uint64  // acknowledgements of nothing
	failed      uint64  // records that failed within the measured time
	late        uint64  // records that the generator handed over late
	lateMargin  float64 // so many of them may be chance
	busy        float64 // share of the CPUs' time that somebody used, waiting for due times included; −1: unknown
	cores       float64 // CPUs' worth of time that this process used, waiting for due times left out
	buffered    float64 // the share of buffer.memory that was in use at the end
	growth      float64 // of the records in flight, from the first sample to the last
	still       int64   // ns for which the generator stood still
	longest     int64   // the longest such time
	littleError float64 // how far LittleRatio may be off by sampling and by the measurement's edges
	unsettled   string
	settled     stat.Steadiness
	startRate   float64              // by how much the seconds before evidence.WarmupCut differ from those after: throughput
	startP99    float64              // and p99
	differences []metrics.Difference // settings that the client promised to carry out and has otherwise
}

// findings collects them. The load has ended and all goroutines of the run rest.
func (r *run) findings(res *metrics.Result, s seconds) findings {
	f := findings{totals: res.Totals, response: res.Latency.Response, plan: r.plan, driver: r.opts.Driver.Name, interrupted: r.interrupt, died: r.died,
		clientError: r.clientError(), unsettled: r.unsettled, still: r.watch.still, longest: r.watch.longest, differences: r.brokenPromises(res)}
	f.evidence = metrics.Evidence{LateShare: -1, ResponseP99OnTime: -1, AchievedShare: -1, CPUShare: -1, MachineShare: -1, RunQueueShare: -1,
		StealShare: -1, ThrottledShare: -1, GCPauseMaxNS: -1, SchedulerP99NS: -1, InFlightMean: -1, LittleRatio: -1, ArrivalsP: r.arrivalsP(), WarmupCut: -1}
	for _, w := range r.workers {
		f.stray += w.stray
		f.failed += w.windowBad
		f.late += w.late[0]
	}
	e, l := &f.evidence, res.Latency
	f.lateMargin, e.LateStops = margin(r.workers)
	e.Clipped = l.Response.Clipped + l.Service.Clipped + l.GeneratorLateness.Clipped + l.Backpressure.Clipped
	if res.Totals.Scheduled > 0 && r.plan.Load.Scheduled() {
		e.LateShare = float64(f.late) / float64(res.Totals.Scheduled)
	}
	if l.Response.Count > 0 {
		e.ResponseP99OnTime = r.onTime(res.Intervals).Quantile(0.99)
	}
	if t := res.Totals; t.TargetRate > 0 && t.Scheduled > 0 && t.DurationNS > 0 {
		e.AchievedShare = t.RecordsPerSecond * float64(t.DurationNS) / 1e9 / float64(t.Scheduled)
	}
	r.hindrances(&f)
	r.little(&f)
	r.steadiness(&f, s)
	return f
}

// onTime are the responses of the measured records that the generator handed over in time. Which those are was noted record
// by record: a difference of percentiles would say nothing.
func (r *run) onTime(intervals []metrics.Interval) *metrics.Histogram {
	var all, late []*metrics.Histogram
	for _, i := range intervals {
		if !i.Warmup {
			all = append(all, i.Response)
		}
	}
	for _, w := range r.workers {
		late = append(late, w.lateResponse.Histogram())
	}
	return metrics.Sum(all...).Without(metrics.Sum(late...))
}

// leastWall is the time, in ns, below which the kernel's counts, which are some ms old, say nothing.
const leastWall = 20_000_000

// hindrances are what the machine and the Go runtime did to the generator between the two readings.
func (r *run) hindrances(f *findings) {
	f.busy = -1
	wall := r.pressure[1].at - r.pressure[0].at
	if f.totals.DurationNS == 0 || wall < leastWall {
		return // the measurement never began, or was over before the kernel counted
	}
	h := r.pressure[1].Since(r.pressure[0].Pressure)
	e := &f.evidence
	waited := r.waited()
	used := float64(max(0, h.CPUNS-waited))
	f.cores = used / float64(wall)
	e.CPUShare = f.cores / float64(usableCPUs())
	if h.AllNS > 0 {
		f.busy = float64(h.BusyNS) / float64(h.AllNS)
		// The kernel counts the machine's time by its ticks, and ours exactly: the difference mustn't make the whole less
		// than its part.
		e.MachineShare = max(e.CPUShare, float64(h.BusyNS-waited)/float64(h.AllNS))
	}
	e.StealShare, e.RunQueueShare = h.StealShare, h.RunQueueShare
	e.GCPauseMaxNS, e.SchedulerP99NS = h.GCPauseMaxNS, h.SchedulerP99NS
	if h.ThrottledNS >= 0 {
		e.ThrottledShare = min(1, float64(h.ThrottledNS)/float64(wall))
	}
}

// little holds the records in flight, counted at times that nothing has to do with, against the service times and the
// number of records that came back. L·T = Σ service holds for any window but for the records that were in flight at its
// two ends, of which a part lies outside.
func (r *run) little(f *findings) {
	served, returned := int64(0), uint64(0)
	for _, w := range r.workers {
		served += w.served
		returned += w.returned
	}
	l, stderr := r.watch.samples.mean()
	if math.IsNaN(l) {
		return
	}
	f.evidence.InFlightMean = l
	f.growth = r.watch.last - r.watch.first
	if memory := float64(f.plan.Producer.BufferMemory) * float64(len(r.workers)); memory > 0 {
		f.buffered = r.watch.last * r.payloads.MeanRecordBytes() / memory
	}
	seconds := float64(r.end - min(r.phases.measure.Load(), r.end))
	if served <= 0 || returned == 0 || seconds <= 0 {
		return
	}
	product := float64(served) / seconds
	f.evidence.LittleRatio = l / product
	edges := (r.watch.first + r.watch.last) * float64(served) / float64(returned) / seconds
	f.littleError = (littleErrors*stderr + 2*edges) / product
	if math.IsInf(stderr, 0) {
		f.littleError = math.Inf(1)
	}
}

// steadiness holds the measured seconds against each other.
func (r *run) steadiness(f *findings, s seconds) {
	f.settled = stat.Steadiness{Settled: true}
	if !r.plan.Load.Stationary() {
		return
	}
	f.settled = s.steadiness()
	if !f.settled.Judged {
		return
	}
	e := &f.evidence
	e.RateSlope, e.P99Slope = slopes(f.settled)
	e.WarmupCut = max(0, f.settled.Cut)
	f.startRate, f.startP99 = s.startDiffers(e.WarmupCut)
}
