package metrics

import (
	"runtime/metrics"
)

// Usage is what this process has used since it started.
type Usage struct {
	CPUNS      int64 // user and system time
	Allocs     uint64
	AllocBytes uint64
	GCs        uint64
	GCPauseNS  uint64
	MaxRSS     int64 // bytes; 0 where the system doesn't say
}

// ReadUsage reads the counters, without stopping the world.
func ReadUsage() Usage {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:objects"},
		{Name: "/gc/heap/allocs:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
		{Name: "/sched/pauses/total/gc:seconds"},
	}
	metrics.Read(samples)
	u := Usage{Allocs: samples[0].Value.Uint64(), AllocBytes: samples[1].Value.Uint64(), GCs: samples[2].Value.Uint64()}
	pauses := samples[3].Value.Float64Histogram()
	for i, n := range pauses.Counts {
		// The upper end of each bucket, so that the sum is never too small; the last bucket is open.
		end := pauses.Buckets[i+1]
		if i+2 == len(pauses.Buckets) {
			end = pauses.Buckets[i]
		}
		u.GCPauseNS += uint64(float64(n) * end * 1e9)
	}
	u.CPUNS, u.MaxRSS = processUsage()
	return u
}

// Since is the difference of two readings; MaxRSS is the later one's.
func (u Usage) Since(before Usage) Usage {
	return Usage{CPUNS: u.CPUNS - before.CPUNS, Allocs: u.Allocs - before.Allocs, AllocBytes: u.AllocBytes - before.AllocBytes,
		GCs: u.GCs - before.GCs, GCPauseNS: u.GCPauseNS - before.GCPauseNS, MaxRSS: u.MaxRSS}
}
