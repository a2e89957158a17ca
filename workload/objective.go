package workload

import (
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metrics that an objective may bound, besides the latencies <kind>.<statistic>.
const (
	MetricFailed           = "failed"             // records, at most
	MetricCensored         = "censored"           // records, at most
	MetricRecordsPerSecond = "records_per_second" // at least
)

// latencyKinds and latencyStatistics make the names of latency metrics: response.p99.
func latencyKinds() []string {
	return []string{"response", "service", "generator_lateness", "backpressure"}
}

func latencyStatistics() []string {
	return []string{"p50", "p90", "p95", "p99", "p999", "p9999", "max", "mean"}
}

// ObjectiveMetrics lists every metric that an objective may bound.
func ObjectiveMetrics() []string {
	var all []string
	for _, kind := range latencyKinds() {
		for _, stat := range latencyStatistics() {
			all = append(all, kind+"."+stat)
		}
	}
	return append(all, MetricFailed, MetricCensored, MetricRecordsPerSecond)
}

// canonicalMetric gives a metric the name of ObjectiveMetrics: response.p99.9 is how people say response.p999.
func canonicalMetric(name string) string {
	for _, kind := range latencyKinds() {
		switch name {
		case kind + ".p99.9":
			return kind + ".p999"
		case kind + ".p99.99":
			return kind + ".p9999"
		}
	}
	return name
}

// Latency tells whether the objective bounds a latency, so that Max counts.
func (o Objective) Latency() bool { return strings.Contains(o.Metric, ".") }

// String gives the objective as a condition: response.p99 ≤ 20ms.
func (o Objective) String() string {
	switch {
	case o.Latency():
		return o.Metric + " ≤ " + o.Max.String()
	case o.Metric == MetricRecordsPerSecond:
		return o.Metric + " ≥ " + strconv.FormatUint(o.Count, 10)
	}
	return o.Metric + " ≤ " + strconv.FormatUint(o.Count, 10)
}

// objectives reads the bounds on the result:
//
//	objectives: {response.p99: 20ms, service.max: 1s, failed: 0, censored: 0, records_per_second: 50000}
//
// All are upper bounds, but for records_per_second, which is a lower one. response.p99.9 is response.p999.
func (d *decoder) objectives(n *node) []Objective {
	var all []Objective
	first := map[string]nodeField{}
	for _, f := range d.entries(n, "objectives", "{response.p99: 20ms, failed: 0}") {
		path, metric := join("objectives", f.key), canonicalMetric(f.key)
		if earlier, twice := first[metric]; twice {
			d.failf(f.value, path, "the same objective as %s, given at %s", earlier.key, earlier.at)
			continue
		}
		first[metric] = f
		if !slices.Contains(ObjectiveMetrics(), metric) {
			e := &fieldError{at: f.at.String(), path: path, msg: "unknown metric", near: Nearest(f.key, ObjectiveMetrics()),
				allowed: strings.Join(latencyKinds(), "|") + "." + strings.Join(latencyStatistics(), "|") + " (p999 also as p99.9, p9999 as p99.99), " +
					strings.Join([]string{MetricFailed, MetricCensored, MetricRecordsPerSecond}, ", ")}
			if strings.HasPrefix(f.key, "end_to_end") {
				e.msg, e.near = "not available in this version", ""
			}
			d.errs = append(d.errs, e)
			continue
		}
		text, ok := d.scalar(f.value, path)
		if !ok {
			continue
		}
		o := Objective{Metric: metric, Text: f.key + ": " + text}
		switch {
		case o.Latency():
			d.duration(f.value, path, &o.Max)
		case o.Metric == MetricRecordsPerSecond:
			rate, err := parseRate(text)
			if err != nil || rate.Bytes || rate.PerSecond == 0 || rate.PerSecond != math.Trunc(rate.PerSecond) {
				d.fail(f.value, path, badValue(text, "whole records such as 5000/s"))
			}
			o.Count = uint64(rate.PerSecond)
		default:
			const most = 1 << 62
			o.Count = d.unsigned(f.value, path, 0, most)
		}
		all = append(all, o)
	}
	return all
}
