package bench

import (
	"fmt"
	"strings"
	"time"

	"kbench/metrics"
	"kbench/workload"
)

// checkObjectives holds the plan's objectives against the result.
func (r *run) checkObjectives(res *metrics.Result) {
	res.Objectives = []metrics.ObjectiveCheck{}
	for _, o := range r.plan.Objectives {
		actual, met := checkObjective(o, res)
		res.Objectives = append(res.Objectives, metrics.ObjectiveCheck{Objective: o.Text, Actual: actual, Met: met})
	}
}

// checkObjective returns the actual value as text and whether it meets o.
func checkObjective(o workload.Objective, res *metrics.Result) (actual string, met bool) {
	t := res.Totals
	switch o.Metric {
	case "failed":
		return fmt.Sprint(t.Failed), t.Failed <= o.Count
	case "censored":
		return fmt.Sprint(t.Censored), t.Censored <= o.Count
	case "records_per_second":
		return fmt.Sprintf("%.1f", t.RecordsPerSecond), t.RecordsPerSecond >= float64(o.Count)
	}
	which, percentile, _ := strings.Cut(o.Metric, ".")
	value, ok := latencyValue(distribution(res, which), percentile)
	if !ok {
		return "unknown metric " + o.Metric, false
	}
	return time.Duration(value).String(), time.Duration(value) <= o.Max
}

func distribution(res *metrics.Result, name string) metrics.Latency {
	switch name {
	case "response":
		return res.Latency.Response
	case "service":
		return res.Latency.Service
	case "generator_lateness":
		return res.Latency.GeneratorLateness
	case "backpressure":
		return res.Latency.Backpressure
	}
	return metrics.Latency{}
}

func latencyValue(l metrics.Latency, name string) (int64, bool) {
	switch name {
	case "p50":
		return l.P50, true
	case "p90":
		return l.P90, true
	case "p95":
		return l.P95, true
	case "p99":
		return l.P99, true
	case "p999":
		return l.P999, true
	case "p9999":
		return l.P9999, true
	case "max":
		return l.Max, true
	case "mean":
		return int64(l.Mean), true
	}
	return 0, false
}
