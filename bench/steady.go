package bench

import (
	"math"
	"time"

	"kbench/metrics"
	"kbench/metrics/stat"
)

// seconds are the full seconds of the measured part, one after the other.
type seconds struct {
	acked     []float64            // of records of both phases: the throughput
	all       []*metrics.Histogram // responses of records of both phases; nil: none
	latencies [4][]*metrics.Histogram
}

// measuredSeconds picks the seconds that lie wholly between measure and end (ns from the start of the run).
func measuredSeconds(intervals []metrics.Interval, measure, end int64) seconds {
	first, last := (measure+metrics.Second-1)/metrics.Second, end/metrics.Second
	n := int(max(0, last-first))
	s := seconds{acked: make([]float64, n), all: make([]*metrics.Histogram, n)}
	for i := range s.latencies {
		s.latencies[i] = make([]*metrics.Histogram, n)
	}
	for _, in := range intervals {
		k := int(int64(in.Start)/metrics.Second - first)
		if k < 0 || k >= n {
			continue
		}
		s.acked[k] += float64(in.Acked)
		if s.all[k] != nil {
			s.all[k] = metrics.Sum(s.all[k], in.Response)
		} else {
			s.all[k] = in.Response
		}
		if !in.Warmup {
			s.latencies[0][k], s.latencies[1][k], s.latencies[2][k], s.latencies[3][k] = in.Response, in.Service, in.Generator, in.Pressure
		}
	}
	return s
}

// p99s is the response's p99 of each second; nil where a second has no value, which is no series to judge.
func (s *seconds) p99s() []float64 {
	out := make([]float64, len(s.all))
	for i, h := range s.all {
		if h.Total() == 0 {
			return nil
		}
		out[i] = float64(h.Quantile(.99))
	}
	return out
}

// steadiness says whether the seconds are those of a steady state.
func (s *seconds) steadiness() stat.Steadiness {
	watched := []stat.Watched{{Values: s.acked, Tolerance: stat.ThroughputTolerance}}
	if p99s := s.p99s(); p99s != nil {
		watched = append(watched, stat.Watched{Values: p99s, Tolerance: stat.P99Tolerance})
	}
	return stat.WarmupEnd(watched...)
}

// slopes are the significant changes of the throughput and of the p99 over the run; 0: none.
func slopes(s stat.Steadiness) (rate, p99 float64) {
	for i, to := range []*float64{&rate, &p99} {
		if i < len(s.Trends) && s.Trends[i].Moves && !math.IsNaN(s.Trends[i].Change) && !math.IsInf(s.Trends[i].Change, 0) {
			*to = s.Trends[i].Change
		}
	}
	return rate, p99
}

// startDiffers says by how much the first cut seconds differ from those after them, as a share of the latter: throughput,
// and the median of the p99s.
func (s *seconds) startDiffers(cut int) (rate, p99 float64) {
	if cut <= 0 || cut >= len(s.acked) {
		return 0, 0
	}
	change := func(before, after float64) float64 {
		if after == 0 {
			return 0
		}
		return before/after - 1
	}
	rate = change(mean(s.acked[:cut]), mean(s.acked[cut:]))
	if p := s.p99s(); p != nil {
		p99 = change(stat.Median(p[:cut]), stat.Median(p[cut:]))
	}
	return rate, p99
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

const (
	level  = 0.95 // of confidence, of the intervals of percentiles
	beyond = 10   // values beyond a percentile that stat.Supported asks for
)

// fillIntervals gives each percentile the interval that the measured seconds support, or the seconds that it would need. A
// load that is meant to change has no steady state for an interval to be about.
func (r *run) fillIntervals(res *metrics.Result, s seconds) {
	if !r.plan.Load.Stationary() {
		return
	}
	per := time.Duration(res.Totals.DurationNS).Seconds()
	for i, l := range []*metrics.Latency{&res.Latency.Response, &res.Latency.Service, &res.Latency.GeneratorLateness, &res.Latency.Backpressure} {
		slices := metrics.NewSlices(s.latencies[i])
		for _, p := range percentiles {
			if l.Count == 0 {
				continue
			}
			iv, supported, needs := stat.PercentileInterval(slices, p.q, level)
			enough := stat.Supported(l.Count, p.q)
			if supported && enough && !math.IsNaN(iv.Low+iv.High) && !math.IsInf(iv.Low+iv.High, 0) {
				l.Intervals[p.name] = [2]int64{int64(math.Round(iv.Low)), int64(math.Round(iv.High))}
				continue
			}
			if !enough {
				needs = max(needs, beyond/(1-p.q)*per/float64(l.Count))
			}
			if needs > 0 && !math.IsNaN(needs) && !math.IsInf(needs, 0) {
				l.Needs[p.name] = math.Ceil(needs)
			}
		}
	}
}
