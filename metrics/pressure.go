package metrics

import (
	"runtime/metrics"

	"kbench/metrics/procfs"
)

// Pressure is what stood in this process's way until now, as counters that only mean something as differences: see Since.
// Times are ns.
type Pressure struct {
	cpu       int64           // of this process, user and system
	cpus      procfs.CPUTimes // of the CPUs that it may use, by whomever
	throttled []int64
	threads   map[string]procfs.ThreadTime // by thread id
	pauses    *metrics.Float64Histogram
	latencies *metrics.Float64Histogram
}

// Hindrance is the difference of two Pressures. −1: the system can't say.
type Hindrance struct {
	CPUNS          int64   // of this process, user and system
	BusyNS, AllNS  int64   // CPU time on the CPUs that it may use: taken by anybody, and there at all
	StealShare     float64 // of AllNS
	RunQueueShare  float64 // the time that threads waited for a CPU, of the time that they ran or waited
	ThrottledNS    int64   // by quotas of control groups, all CPUs added up
	GCPauseMaxNS   int64   // the longest stop of the world for the garbage collector; 0: none
	SchedulerP99NS int64   // 99 % of goroutines ran within this time of being ready
}

// ReadPressure reads the counters, without stopping the world. It opens some files for each thread: not for the hot path.
func ReadPressure() Pressure {
	samples := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}, {Name: "/sched/latencies:seconds"}}
	metrics.Read(samples)
	p := Pressure{pauses: samples[0].Value.Float64Histogram(), latencies: samples[1].Value.Float64Histogram()}
	p.cpu, _ = processUsage()
	readSystemPressure(&p)
	return p
}

// Since is what happened between two readings.
func (p Pressure) Since(before Pressure) Hindrance {
	h := Hindrance{CPUNS: p.cpu - before.cpu, BusyNS: -1, AllNS: -1, StealShare: -1, RunQueueShare: -1, ThrottledNS: -1,
		GCPauseMaxNS: highest(p.pauses, before.pauses), SchedulerP99NS: upperQuantile(p.latencies, before.latencies, 0.99)}
	if all := p.cpus.All - before.cpus.All; all > 0 {
		h.AllNS, h.BusyNS, h.StealShare = all, p.cpus.Busy-before.cpus.Busy, float64(p.cpus.Stolen-before.cpus.Stolen)/float64(all)
	}
	ran, waited := int64(0), int64(0)
	for id, now := range p.threads {
		was := before.threads[id] // zero: a new thread
		if now.Ran < was.Ran {
			was = procfs.ThreadTime{} // another one, with an id that was used before
		}
		ran += now.Ran - was.Ran
		waited += now.Waited - was.Waited
	}
	if ran > 0 {
		h.RunQueueShare = float64(waited) / float64(ran+waited)
	}
	if len(p.throttled) == len(before.throttled) {
		// A group's stop may be counted in the groups above it as well.
		for i := range p.throttled {
			h.ThrottledNS = max(h.ThrottledNS, p.throttled[i]-before.throttled[i])
		}
	}
	return h
}

// grown is the number of values that bucket i of a runtime histogram gained.
func grown(now, before *metrics.Float64Histogram, i int) uint64 {
	return now.Counts[i] - before.Counts[i]
}

// upperEnd is the upper end of bucket i in ns; the last bucket is open and stands for its lower one.
func upperEnd(h *metrics.Float64Histogram, i int) int64 {
	end := h.Buckets[i+1]
	if i+2 == len(h.Buckets) {
		end = h.Buckets[i]
	}
	return int64(end * 1e9)
}

// highest is the upper end of the highest bucket that gained something; 0: none did.
func highest(now, before *metrics.Float64Histogram) int64 {
	for i := len(now.Counts) - 1; i >= 0; i-- {
		if grown(now, before, i) > 0 {
			return upperEnd(now, i)
		}
	}
	return 0
}

// upperQuantile is the upper end of the bucket that the q-quantile of the gained values lies in; 0: nothing was gained.
func upperQuantile(now, before *metrics.Float64Histogram, q float64) int64 {
	total := uint64(0)
	for i := range now.Counts {
		total += grown(now, before, i)
	}
	seen := uint64(0)
	for i := range now.Counts {
		if seen += grown(now, before, i); seen > 0 && float64(seen) >= q*float64(total) {
			return upperEnd(now, i)
		}
	}
	return 0
}
