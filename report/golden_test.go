package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kbench/metrics"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name, or writes it there under -update.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s differs (-want +got); if it should, run go test ./report -update:\n%s", path, diff)
	}
}

// variants are results that exercise every part of the output.
func variants(t *testing.T) map[string]*metrics.Result {
	full := fixture(t)

	bad := fixture(t)
	bad.Client = &metrics.Client{DurationNS: 5e9, Counters: metrics.ClientCounters{Requests: new(int64(400)), BatchesSplit: new(int64(1)), BufferWaits: new(int64(0))},
		Distributions: metrics.ClientDistributions{RequestRecords: full.Client.Distributions.RequestRecords, Flight: full.Client.Distributions.Flight,
			Broker: full.Client.Distributions.Broker}}
	bad.Interrupted = true
	bad.Target = metrics.TargetInfo{Kind: "sink", Version: "v0.1.0", Brokers: 1, Hold: "lognormal:5ms,2ms"}
	bad.Verdict = metrics.Verdict{State: metrics.StateInvalid, Cause: metrics.CauseAccounting, Reasons: []string{
		"accounting: 25005 records scheduled, but 25000 acked + 3 failed + 0 censored = 25003",
		"unsteady: 3120 of 5001 records/s asked for were acknowledged: the backlog grew"},
		Causes: []string{metrics.CauseAccounting, metrics.CauseUnsteady}}
	bad.Latency.Response.Clipped = 4
	bad.Latency.Response.Max = int64(time.Hour)
	bad.Latency.Response.Needs = nil
	bad.Latency.Response.Intervals = map[string][2]int64{"p50": {1_390_000, 1_420_000}, "p99": {3_800_000, 4_400_000}}

	bad.Evidence = metrics.Evidence{LateShare: 0.0312, LateStops: 17, ResponseP99OnTime: 3_650_000, AchievedShare: 0.62393, CPUShare: 0.991, MachineShare: 1, RunQueueShare: 0.31,
		StealShare: 0.021, ThrottledShare: 0.4, GCPauseMaxNS: 0, SchedulerP99NS: 12_582_912, InFlightMean: 9120, LittleRatio: 0.871,
		ArrivalsP: 0.0004, WarmupCut: 2, RateSlope: -0.124, P99Slope: 1.8, Clipped: 4}
	bad.Objectives = append(bad.Objectives, metrics.ObjectiveCheck{Objective: "response.p9999: 1s", Actual: "can't be told: needs ≥ 800 s"})

	unknown := fixture(t)
	unknown.Profile, unknown.Plan = "max", []byte(`{"Load":{"Arrivals":"max","Send":"sync"}}`)
	unknown.Driver = metrics.DriverInfo{Name: "null", Version: "v0.1.0", ProduceVersion: -1}
	unknown.Target = metrics.TargetInfo{Kind: "sink", Brokers: 1}
	unknown.Totals = metrics.Totals{Scheduled: 40, Acked: 40, DurationNS: 1e6, RecordsPerSecond: 21_400_000, BytesPerSecond: 2.14e9,
		WireBytes: -1, Requests: -1, Batches: -1, Retries: -1, RecordsPerReq: -1, CompressionRatio: -1, ThrottleNS: -1}
	unknown.Latency = metrics.Latencies{Response: metrics.Latency{Count: 40, Mean: 312, Min: 90, P50: 301, P90: 480, P95: 520, P99: 610, P999: 610, P9999: 610,
		Max: 610, Unsupported: []string{"p90", "p95", "p99", "p999", "p9999"}}}
	unknown.Latency.Service = unknown.Latency.Response
	unknown.Evidence = metrics.Evidence{LateShare: -1, ResponseP99OnTime: -1, AchievedShare: -1, CPUShare: 0.5, MachineShare: -1, RunQueueShare: -1, StealShare: -1,
		ThrottledShare: -1, GCPauseMaxNS: -1, SchedulerP99NS: -1, InFlightMean: -1, LittleRatio: -1, ArrivalsP: -1, WarmupCut: -1}
	unknown.Client = nil
	unknown.Objectives, unknown.Warnings, unknown.Series, unknown.Partitions, unknown.Intervals = nil, nil, nil, nil, nil

	return map[string]*metrics.Result{"full": full, "bad": bad, "unknown": unknown}
}

func TestGolden(t *testing.T) {
	extension := map[string]string{"table": "txt", "json": "json", "csv": "csv", "markdown": "md", "gobench": "bench.txt"}
	for name, r := range variants(t) {
		for _, format := range Formats() {
			t.Run(name+"/"+format, func(t *testing.T) {
				var out bytes.Buffer
				if err := Write(&out, format, r); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+extension[format], out.Bytes())
			})
		}
	}
}
