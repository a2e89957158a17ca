package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"kbench/metrics"
)

// cell is one column of a CSV file and its value.
type cell struct{ name, value string }

// WriteCSV writes one header line and one row. Names are those of result.json joined with dots; times are nanoseconds,
// sizes bytes; unsupported percentiles, and what the client doesn't tell, are empty. Lists of text are joined with "; ", other lists and maps are JSON.
func WriteCSV(w io.Writer, r *metrics.Result) error {
	cells, err := resultCells(r)
	if err != nil {
		return err
	}
	head, row := make([]string, len(cells)), make([]string, len(cells))
	for i, c := range cells {
		head[i], row[i] = c.name, c.value
	}
	return encodeCSV(w, [][]string{head, row})
}

func encodeCSV(w io.Writer, rows [][]string) error {
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		return fmt.Errorf("encode CSV: %w", err)
	}
	return writeAll(w, &out)
}

func resultCells(r *metrics.Result) ([]cell, error) {
	differs, err := jsonText(r.Driver.DiffersFromAsked, "[]")
	if err != nil {
		return nil, err
	}
	errs, err := jsonText(r.Totals.Errors, "{}")
	if err != nil {
		return nil, err
	}
	cells := []cell{
		{"schema", strconv.Itoa(r.Schema)},
		{"started", r.Started.UTC().Format(time.RFC3339Nano)},
		{"kbench", r.Kbench},
		{"profile", r.Profile},
		{"seed", strconv.FormatUint(r.Seed, 10)},
		{"schedule_checksum", r.ScheduleChecksum},
		{"driver.name", r.Driver.Name},
		{"driver.client", r.Driver.Client},
		{"driver.version", r.Driver.Version},
		{"driver.differs_from_asked", differs},
		{"driver.produce_version", strconv.FormatInt(r.Driver.ProduceVersion, 10)},
		{"target.kind", r.Target.Kind},
		{"target.version", r.Target.Version},
		{"target.brokers", strconv.Itoa(r.Target.Brokers)},
		{"target.hold", r.Target.Hold},
		{"interrupted", strconv.FormatBool(r.Interrupted)},
		{"verdict.state", r.Verdict.State},
		{"verdict.cause", r.Verdict.Cause},
		{"verdict.reasons", strings.Join(r.Verdict.Reasons, "; ")},
		{"warnings", strings.Join(r.Warnings, "; ")},
		{"objectives_met", strconv.FormatBool(objectivesMet(r))},
	}
	cells = append(cells, evidenceCells(&r.Evidence)...)
	cells = append(cells, totalsCells(&r.Totals, errs)...)
	for _, d := range distributions(r) {
		more, err := latencyCells("latency."+d.name+".", d.of)
		if err != nil {
			return nil, err
		}
		cells = append(cells, more...)
	}
	u := r.Runtime
	cells = append(cells,
		cell{"runtime.cpu_ns_per_record", float(u.CPUNSPerRecord)},
		cell{"runtime.allocs_per_record", float(u.AllocsPerRecord)},
		cell{"runtime.alloc_bytes_per_record", float(u.AllocBytesPerRecord)},
		cell{"runtime.gc_count", strconv.FormatUint(uint64(u.GCCount), 10)},
		cell{"runtime.gc_pause_ns", strconv.FormatUint(u.GCPauseNS, 10)},
		cell{"runtime.max_rss_bytes", strconv.FormatInt(u.MaxRSSBytes, 10)})
	return append(cells, clientCells(r)...), nil
}

func totalsCells(t *metrics.Totals, errs string) []cell {
	return []cell{
		{"totals.scheduled", strconv.FormatUint(t.Scheduled, 10)},
		{"totals.acked", strconv.FormatUint(t.Acked, 10)},
		{"totals.failed", strconv.FormatUint(t.Failed, 10)},
		{"totals.censored", strconv.FormatUint(t.Censored, 10)},
		{"totals.warmup_records", strconv.FormatUint(t.WarmupRecords, 10)},
		{"totals.warmup_failed", strconv.FormatUint(t.WarmupFailed, 10)},
		{"totals.warmup_censored", strconv.FormatUint(t.WarmupCensored, 10)},
		{"totals.bytes", strconv.FormatUint(t.Bytes, 10)},
		{"totals.duration_ns", strconv.FormatInt(t.DurationNS, 10)},
		{"totals.warmup_ns", strconv.FormatInt(t.WarmupNS, 10)},
		{"totals.target_rate", float(t.TargetRate)},
		{"totals.records_per_second", float(t.RecordsPerSecond)},
		{"totals.bytes_per_second", float(t.BytesPerSecond)},
		{"totals.wire_bytes", strconv.FormatInt(t.WireBytes, 10)},
		{"totals.requests", strconv.FormatInt(t.Requests, 10)},
		{"totals.batches", strconv.FormatInt(t.Batches, 10)},
		{"totals.retries", strconv.FormatInt(t.Retries, 10)},
		{"totals.records_per_request", float(t.RecordsPerReq)},
		{"totals.compression_ratio", float(t.CompressionRatio)},
		{"totals.throttle_ns", strconv.FormatInt(t.ThrottleNS, 10)},
		{"totals.errors", errs},
	}
}

func evidenceCells(e *metrics.Evidence) []cell {
	return []cell{
		{"evidence.late_share", float(e.LateShare)},
		{"evidence.late_stops", strconv.FormatUint(e.LateStops, 10)},
		{"evidence.response_p99_on_time", strconv.FormatInt(e.ResponseP99OnTime, 10)},
		{"evidence.achieved_share", float(e.AchievedShare)},
		{"evidence.cpu_share", float(e.CPUShare)},
		{"evidence.machine_share", float(e.MachineShare)},
		{"evidence.run_queue_share", float(e.RunQueueShare)},
		{"evidence.steal_share", float(e.StealShare)},
		{"evidence.throttled_share", float(e.ThrottledShare)},
		{"evidence.gc_pause_max_ns", strconv.FormatInt(e.GCPauseMaxNS, 10)},
		{"evidence.scheduler_p99_ns", strconv.FormatInt(e.SchedulerP99NS, 10)},
		{"evidence.in_flight_mean", float(e.InFlightMean)},
		{"evidence.little_ratio", float(e.LittleRatio)},
		{"evidence.arrivals_p", float(e.ArrivalsP)},
		{"evidence.warmup_cut", strconv.Itoa(e.WarmupCut)},
		{"evidence.rate_slope", float(e.RateSlope)},
		{"evidence.p99_slope", float(e.P99Slope)},
		{"evidence.clipped", strconv.FormatUint(e.Clipped, 10)},
	}
}

func latencyCells(prefix string, l *metrics.Latency) ([]cell, error) {
	intervals, err := jsonText(l.Intervals, "{}")
	if err != nil {
		return nil, err
	}
	needs, err := jsonText(l.Needs, "{}")
	if err != nil {
		return nil, err
	}
	cells := []cell{
		{prefix + "count", strconv.FormatUint(l.Count, 10)},
		{prefix + "clipped", strconv.FormatUint(l.Clipped, 10)},
		{prefix + "mean", float(l.Mean)},
		{prefix + "min", strconv.FormatInt(l.Min, 10)},
	}
	for _, p := range percentiles() {
		value := ""
		if supported(l, p.name) {
			value = strconv.FormatInt(p.of(l), 10)
		}
		cells = append(cells, cell{prefix + p.name, value})
	}
	return append(cells,
		cell{prefix + "max", strconv.FormatInt(l.Max, 10)},
		cell{prefix + "intervals", intervals},
		cell{prefix + "unsupported", strings.Join(l.Unsupported, "; ")},
		cell{prefix + "needs", needs}), nil
}

// float is a number with as many digits as it needs.
func float(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// jsonText is v as JSON on one line, or empty where v is nil.
func jsonText[T any](v T, empty string) (string, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return "", fmt.Errorf("encode CSV: %w", err)
	}
	if string(b) == "null" {
		return empty, nil
	}
	return string(b), nil
}

func objectivesMet(r *metrics.Result) bool {
	for _, o := range r.Objectives {
		if !o.Met {
			return false
		}
	}
	return true
}
