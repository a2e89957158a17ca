package report

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
)

// fixture is a result of a short Poisson run with everything that a result can have, from a fixed seed.
func fixture(t testing.TB) *metrics.Result {
	t.Helper()
	r := &metrics.Result{
		Schema:  metrics.Schema,
		Started: time.Date(2026, 3, 14, 15, 9, 26, 535_000_000, time.UTC),
		Kbench:  "v0.1.0",
		Profile: "orders",
		Plan:    json.RawMessage(`{"Profile":"orders","Load":{"Arrivals":"poisson","Rate":{"PerSecond":5000,"Bytes":false},"Producers":2,"Send":"async"}}`),
		Seed:    42, ScheduleChecksum: "9f1c4ad3c07b2e55",
		Driver: metrics.DriverInfo{Name: "franz", Client: "franz-go", Version: "v1.22.2", ProduceVersion: 12,
			EffectiveConfig:  map[string]string{"acks": "all", "linger.ms": "5", "batch.size": "65536"},
			DiffersFromAsked: []metrics.Difference{{Setting: "buffer.memory", Asked: "33554432", Effective: "10000 records", Why: "the client bounds records, not bytes"}}},
		Target: metrics.TargetInfo{Kind: "kafka", Version: "4.3.1", Brokers: 3, Topics: []metrics.TopicInfo{{
			Name: "orders-x", Partitions: 12, ReplicationFactor: 3, Created: true, Config: map[string]string{"min.insync.replicas": "2"}}}},
		Host: metrics.Host{OS: "linux", Arch: "amd64", Kernel: "6.18.0", CPU: "AMD EPYC 7B13", CPUs: 2, GeneratorCPUs: []int{0},
			TargetCPUs: []int{1}, MemoryBytes: 8 << 30, Go: "go1.26.0", Clock: "tsc"},
		Verdict: metrics.Verdict{State: metrics.StateValid},
		Evidence: metrics.Evidence{LateShare: 0.00004, ResponseP99OnTime: 4_278_272, AchievedShare: 0.9999, CPUShare: 0.342, MachineShare: 0.471,
			RunQueueShare: 0.021, StealShare: 0, ThrottledShare: -1, GCPauseMaxNS: 96_000, SchedulerP99NS: 40_960, InFlightMean: 7.75,
			LittleRatio: 1.0003, ArrivalsP: 0.43, WarmupCut: 0},
		Warnings:   []string{"the generator and the target share this machine's 2 CPUs"},
		Objectives: []metrics.ObjectiveCheck{{Objective: "response.p99: 20ms", Actual: "4.21 ms", Met: true}, {Objective: "failed: 0", Actual: "3", Met: false}},
		Runtime: metrics.Runtime{CPUNSPerRecord: 812.4, AllocsPerRecord: 0.0021, AllocBytesPerRecord: 0.53, GCCount: 3,
			GCPauseNS: 412_000, MaxRSSBytes: 48 << 20},
		Client: &metrics.Client{DurationNS: 5_000_412_000,
			Counters: metrics.ClientCounters{Requests: new(int64(400)), WireBytes: new(int64(12_800_000)), Batches: new(int64(1842)),
				UncompressedBytes: new(int64(25_900_000)), CompressedBytes: new(int64(12_700_000)), Retries: new(int64(5)),
				ThrottleNS: new(int64(12_000_000)), BufferWaits: new(int64(14)), BufferWaitNS: new(int64(96_400_000)),
				BatchesSplit: new(int64(0)), BatchesExpired: new(int64(1)), Connections: new(int64(2))},
			Distributions: metrics.ClientDistributions{
				BatchFill:      &metrics.Distribution{Count: 1837, Mean: 861.2, P50: 943, P90: 999, P99: 999, P999: 999, Max: 1000},
				BatchRecords:   &metrics.Distribution{Count: 1837, Mean: 13.61, P50: 15, P90: 16, P99: 16, P999: 16, Max: 16},
				RequestBatches: &metrics.Distribution{Count: 400, Mean: 4.605, P50: 5, P90: 6, P99: 8, P999: 9, Max: 9},
				RequestRecords: &metrics.Distribution{Count: 400, Mean: 62.5, P50: 63, P90: 81, P99: 107, P999: 121, Max: 121},
				RequestBytes:   &metrics.Distribution{Count: 400, Mean: 32_000, P50: 31_744, P90: 41_984, P99: 55_296, P999: 61_439, Max: 61_439},
				Linger:         &metrics.Distribution{Count: 1837, Mean: 631_000, P50: 589_824, P90: 1_015_808, P99: 1_015_808, P999: 4_063_232, Max: 4_194_303},
				Queue:          &metrics.Distribution{Count: 1837, Mean: 96_100, P50: 31_744, P90: 278_528, P99: 884_736, P999: 2_031_616, Max: 2_097_151},
				Write:          &metrics.Distribution{Count: 400, Mean: 61_300, P50: 55_296, P90: 88_064, P99: 229_376, P999: 950_272, Max: 983_039},
				Flight:         &metrics.Distribution{Count: 399, Mean: 871_000, P50: 819_200, P90: 1_277_952, P99: 3_014_656, P999: 6_160_384, Max: 6_291_455},
				Broker:         &metrics.Distribution{Count: 399, Mean: 842_000, P50: 802_816, P90: 1_212_416, P99: 2_883_584, P999: 6_160_384, Max: 6_291_455},
				Delivery:       &metrics.Distribution{Count: 1834, Mean: 1_710_000, P50: 1_605_632, P90: 2_555_904, P99: 4_325_376, P999: 9_175_040, Max: 9_437_183},
				BufferWait:     &metrics.Distribution{Count: 14, Mean: 6_886_000, P50: 6_160_384, P90: 12_320_768, P99: 14_942_208, P999: 14_942_208, Max: 15_204_351}}},
		Partitions: []metrics.PartitionCount{{Topic: "orders-x", Partition: 0, Records: 12_345}},
	}
	r.Intervals = intervals(6, 5000)
	r.Latency = latencies(r.Intervals)
	r.Latency.Response.Intervals = map[string][2]int64{"p50": {1_590_000, 1_630_000}, "p90": {2_650_000, 2_790_000}, "p95": {3_080_000, 3_250_000}, "p99": {4_100_000, 4_470_000}}
	r.Latency.Response.Needs = map[string]float64{"p999": 79.2, "p9999": 800}
	r.Latency.Service.Intervals = map[string][2]int64{"p50": {1_390_000, 1_420_000}}
	r.Latency.Service.Needs = map[string]float64{"p9999": 800}
	n := r.Latency.Response.Count
	r.Totals = metrics.Totals{Scheduled: n + 5, Acked: n, Failed: 3, Censored: 2, WarmupRecords: 5000, Bytes: n * 1024,
		DurationNS: 5e9, WarmupNS: 1e9, TargetRate: 5000, RecordsPerSecond: float64(n) / 5, BytesPerSecond: float64(n) * 1024 / 5,
		WireBytes: 15_400_000, Requests: 480, Batches: 2210, Retries: 7, RecordsPerReq: 62.5, CompressionRatio: 2.04,
		ThrottleNS: 12_000_000, Errors: map[string]uint64{"MESSAGE_TOO_LARGE": 2, "REQUEST_TIMED_OUT": 1}}
	for _, i := range r.Intervals {
		r.Series = append(r.Series, metrics.Point{AtNS: int64(i.End), Warmup: i.Warmup, Acked: i.Acked, Failed: i.Failed, Bytes: i.Bytes,
			ResponseP50: i.Response.Quantile(.5), ResponseP99: i.Response.Quantile(.99), ResponseMax: i.Response.Max(),
			ServiceP99: i.Service.Quantile(.99), LatenessP99: i.Generator.Quantile(.99)})
	}
	return r
}

// intervals records so many seconds of made-up latencies; the first second is warm-up.
func intervals(seconds, rate int) []metrics.Interval {
	rng := rand.New(rand.NewPCG(7, 7))
	collector := metrics.NewCollector(1)
	send, ack := collector.Recorder(metrics.SendSide), collector.Recorder(metrics.AckSide)
	for s := range seconds {
		now, warmup := int64(s)*metrics.Second, s == 0
		send.Roll(now)
		ack.Roll(now)
		for range rate {
			lateness := int64(80 + 40*rng.ExpFloat64())
			pressure := int64(rng.ExpFloat64() * 200_000)
			service := int64(1.4e6 * math.Exp(0.45*rng.NormFloat64()))
			send.Add(lateness, pressure, warmup)
			ack.Add(lateness+pressure+service, service, warmup)
		}
		ack.Acked(uint64(rate), uint64(rate)*1024, warmup)
	}
	send.Flush()
	ack.Flush()
	return collector.Finish()
}

// latencies merges the measured intervals.
func latencies(all []metrics.Interval) metrics.Latencies {
	one := func(of func(metrics.Interval) *metrics.Histogram) metrics.Latency {
		var parts []*metrics.Histogram
		for _, i := range all {
			if !i.Warmup {
				parts = append(parts, of(i))
			}
		}
		h := metrics.Sum(parts...)
		l := metrics.Latency{Count: h.Total(), Clipped: h.Clipped(), Mean: math.Round(h.Mean()), Min: h.Min(), Max: h.Max(),
			P50: h.Quantile(.5), P90: h.Quantile(.9), P95: h.Quantile(.95), P99: h.Quantile(.99), P999: h.Quantile(.999), P9999: h.Quantile(.9999)}
		for name, q := range map[string]float64{"p999": .999, "p9999": .9999} {
			if !stat.Supported(l.Count, q) {
				l.Unsupported = append(l.Unsupported, name)
			}
		}
		return l
	}
	return metrics.Latencies{
		Response:          one(func(i metrics.Interval) *metrics.Histogram { return i.Response }),
		Service:           one(func(i metrics.Interval) *metrics.Histogram { return i.Service }),
		GeneratorLateness: one(func(i metrics.Interval) *metrics.Histogram { return i.Generator }),
		Backpressure:      one(func(i metrics.Interval) *metrics.Histogram { return i.Pressure }),
	}
}
