package bench

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
	"kbench/workload"
)

// madeUp records n responses of v in second k, for tests of whole runs.
func madeUp(k int, warmup bool, n int, v int64) metrics.Interval {
	var t metrics.Tally
	for i := range n {
		t.Add(v + int64(i))
	}
	return metrics.Interval{Start: time.Duration(k) * time.Second, End: time.Duration(k+1) * time.Second, Warmup: warmup, Acked: uint64(n), Response: t.Histogram()}
}

func TestMeasuredSeconds(t *testing.T) {
	intervals := []metrics.Interval{madeUp(0, true, 10, 1), madeUp(1, true, 3, 1), madeUp(1, false, 7, 1), madeUp(3, false, 20, 1), madeUp(4, false, 5, 1)}
	s := measuredSeconds(intervals, 1e9, 45e8) // second 2 had nothing, second 4 isn't full
	if len(s.acked) != 3 || s.acked[0] != 10 || s.acked[1] != 0 || s.acked[2] != 20 {
		t.Errorf("acknowledged %v", s.acked)
	}
	if s.all[0].Total() != 10 || s.latencies[0][0].Total() != 7 || s.latencies[0][1].Total() != 0 {
		t.Errorf("%d responses of both phases, %d of the measured one", s.all[0].Total(), s.latencies[0][0].Total())
	}
	if s.p99s() != nil {
		t.Error("a series of p99s with a second that has none")
	}
	if s := measuredSeconds(intervals, 15e8, 29e8); len(s.acked) != 0 {
		t.Errorf("no full second, but %v", s.acked)
	}
	if s := measuredSeconds(intervals, 6e9, 5e9); len(s.acked) != 0 {
		t.Errorf("an end before the start: %v", s.acked)
	}
}

func TestStartDiffers(t *testing.T) {
	var intervals []metrics.Interval
	for k := range 30 {
		n, v := 100, int64(1e6)
		if k < 10 {
			n, v = 50, 3e6
		}
		intervals = append(intervals, madeUp(k, false, n, v))
	}
	s := measuredSeconds(intervals, 0, 30e9)
	if rate, p99 := s.startDiffers(10); rate != -0.5 || math.Abs(p99-2) > 0.01 {
		t.Errorf("throughput %v, p99 %v", rate, p99)
	}
	if rate, p99 := s.startDiffers(0); rate != 0 || p99 != 0 {
		t.Errorf("no cut: throughput %v, p99 %v", rate, p99)
	}
}

func TestSlopes(t *testing.T) {
	moving := stat.Steadiness{Trends: []stat.Trend{{Change: 0.3, Moves: true}, {Change: 9}}}
	if rate, p99 := slopes(moving); rate != 0.3 || p99 != 0 {
		t.Errorf("throughput %v, p99 %v", rate, p99)
	}
	if rate, p99 := slopes(stat.Steadiness{Trends: []stat.Trend{{Change: math.NaN(), Moves: true}}}); rate != 0 || p99 != 0 {
		t.Errorf("throughput %v, p99 %v: JSON has no NaN", rate, p99)
	}
}

// TestSeriesJoins: in a wholly measured second, what is left of the warm-up counts with the rest; the second in which the
// warm-up ended has two points.
func TestSeriesJoins(t *testing.T) {
	points := series([]metrics.Interval{madeUp(0, true, 10, 1), madeUp(1, true, 3, 1), madeUp(1, false, 7, 1), madeUp(2, true, 1, 1), madeUp(3, false, 9, 1)}, 1e9)
	if len(points) != 4 || !points[0].Warmup || points[1].Warmup || points[1].Acked != 10 || points[2].Warmup || points[2].Acked != 1 {
		t.Errorf("%+v", points)
	}
	points = series([]metrics.Interval{madeUp(1, true, 3, 1), madeUp(1, false, 7, 1)}, 15e8)
	if len(points) != 2 || !points[0].Warmup || points[1].Warmup {
		t.Errorf("%+v", points)
	}
}

// TestIntervals: percentiles get an interval around them, or the seconds that they would need.
func TestIntervals(t *testing.T) {
	plan := testPlan(t, nil)
	fill := func(n int) metrics.Latency {
		rng := rand.New(rand.NewPCG(7, 8))
		var intervals []metrics.Interval
		for k := range n {
			var t metrics.Tally
			for range 2000 {
				t.Add(int64(1e6 * rng.ExpFloat64()))
			}
			intervals = append(intervals, metrics.Interval{Start: time.Duration(k) * time.Second, End: time.Duration(k+1) * time.Second, Acked: 2000, Response: t.Histogram()})
		}
		res := &metrics.Result{Totals: metrics.Totals{DurationNS: int64(n) * 1e9}, Latency: latencies(intervals)}
		(&run{plan: plan}).fillIntervals(res, measuredSeconds(intervals, 0, int64(n)*1e9))
		return res.Latency.Response
	}
	long, short := fill(240), fill(3)
	if iv, ok := long.Intervals["p50"]; !ok || iv[0] > long.P50 || iv[1] < long.P50 || iv[0] >= iv[1] {
		t.Errorf("p50 %d, intervals %v, needs %v", long.P50, long.Intervals, long.Needs)
	}
	if _, both := long.Needs["p50"]; both {
		t.Error("p50 has an interval and needs time for one")
	}
	if len(short.Intervals) != 0 || len(short.Needs) != len(percentiles) || short.Needs["p50"] <= 3 {
		t.Errorf("of 3 s: intervals %v, needs %v", short.Intervals, short.Needs)
	}
	if need := short.Needs["p9999"]; need < 50 { // 10 values of a ten-thousandth at 2,000/s
		t.Errorf("p9999 needs %v s", need)
	}
	plan.Load.Arrivals = workload.ArrivalsRamp
	if ramp := fill(60); len(ramp.Intervals)+len(ramp.Needs) != 0 {
		t.Errorf("a ramp: intervals %v, needs %v", ramp.Intervals, ramp.Needs)
	}
}
