package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"kbench/metrics"
)

// percentile is one of the percentiles that every result has.
type percentile struct {
	name  string // in JSON and CSV
	title string // for people
	of    func(*metrics.Latency) int64
}

// percentiles are all of them, ascending.
func percentiles() []percentile {
	return []percentile{
		{"p50", "p50", func(l *metrics.Latency) int64 { return l.P50 }},
		{"p90", "p90", func(l *metrics.Latency) int64 { return l.P90 }},
		{"p95", "p95", func(l *metrics.Latency) int64 { return l.P95 }},
		{"p99", "p99", func(l *metrics.Latency) int64 { return l.P99 }},
		{"p999", "p99.9", func(l *metrics.Latency) int64 { return l.P999 }},
		{"p9999", "p99.99", func(l *metrics.Latency) int64 { return l.P9999 }},
	}
}

// distribution is one of the four latency distributions.
type distribution struct {
	name  string // in JSON, CSV and the histogram log
	title string // for people
	of    *metrics.Latency
}

// distributions are the four of a result, in the order shown.
func distributions(r *metrics.Result) []distribution {
	l := &r.Latency
	return []distribution{
		{"response", "response", &l.Response},
		{"service", "service", &l.Service},
		{"generator_lateness", "generator lateness", &l.GeneratorLateness},
		{"backpressure", "back-pressure", &l.Backpressure},
	}
}

// latencyUnit suits the median response, or the median service where there is no response.
func latencyUnit(r *metrics.Result) unit {
	return unitFor(float64(cmp.Or(r.Latency.Response.P50, r.Latency.Service.P50)))
}

func latencyGrid(r *metrics.Result) *grid {
	u := latencyUnit(r)
	g := &grid{left: 1, head: []string{"latency, " + u.name, "count", "mean"}}
	for _, p := range percentiles() {
		g.head = append(g.head, p.title)
	}
	g.head = append(g.head, "max")
	for _, d := range distributions(r) {
		name := d.title
		if d.name == "response" && !scheduled(r) {
			name = "response = service"
		}
		g.rows = append(g.rows, latencyRow(name, d.of, u))
		// The intervals of the others stand below, where they don't make the table long.
		if row := intervalRow(d.of, u); row != nil && d.name == "response" {
			g.rows = append(g.rows, row)
		}
	}
	return g
}

func latencyRow(name string, l *metrics.Latency, u unit) []string {
	row := []string{name, count(l.Count), u.show(l.Mean)}
	for _, p := range percentiles() {
		if supported(l, p.name) {
			row = append(row, u.show(float64(p.of(l))))
		} else {
			row = append(row, needsText(l, p))
		}
	}
	if l.Count == 0 {
		row[2] = absent
		return append(row, absent)
	}
	return append(row, u.show(float64(l.Max)))
}

// supported says whether enough records stand behind the percentile.
func supported(l *metrics.Latency, percentile string) bool {
	return l.Count > 0 && !slices.Contains(l.Unsupported, percentile)
}

// needsText stands where the run doesn't support a percentile or its interval.
func needsText(l *metrics.Latency, p percentile) string {
	seconds, ok := l.Needs[p.name]
	if !ok || !(seconds > 0) || math.IsInf(seconds, 0) {
		return absent
	}
	return "needs " + softBreak + "≥ " + strconv.FormatFloat(math.Ceil(seconds), 'f', 0, 64) + " s"
}

// intervalRow is the row of 95 % intervals under a distribution's percentiles, or nil where there is nothing to say.
func intervalRow(l *metrics.Latency, u unit) []string {
	if len(l.Intervals) == 0 && len(l.Needs) == 0 || l.Count == 0 {
		return nil
	}
	row := []string{"95 % interval", "", ""}
	for _, p := range percentiles() {
		interval, ok := l.Intervals[p.name]
		switch {
		case !supported(l, p.name):
			row = append(row, "") // said in the row above
		case ok:
			row = append(row, u.show(float64(interval[0]))+"–"+softBreak+u.show(float64(interval[1])))
		default:
			row = append(row, needsText(l, p))
		}
	}
	return append(row, "")
}

func latencyNotes(r *metrics.Result) []note {
	var notes []note
	if !scheduled(r) {
		notes = append(notes, note{"", "no schedule: a record is due when it is handed over, so response is service here, and waiting before that shows nowhere"})
	}
	notes = append(notes, unsupportedNotes(r)...)
	for _, d := range distributions(r) {
		if d.of.Clipped > 0 {
			notes = append(notes, note{"", fmt.Sprintf("clipped: %s of %s above %s, counted as that", count(d.of.Clipped), d.title,
				duration(float64(metrics.HighestTrackable)))})
		}
		if text := intervalText(d, latencyUnit(r)); text != "" && d.name != "response" {
			notes = append(notes, note{"", text})
		}
	}
	return notes
}

// unsupportedNotes explain what stands in the grid in the place of numbers.
func unsupportedNotes(r *metrics.Result) []note {
	needs, blank := false, false
	for _, d := range distributions(r) {
		if d.of.Count == 0 {
			continue
		}
		rows := [][]string{latencyRow("", d.of, latencyUnit(r))}
		if d.name == "response" {
			rows = append(rows, intervalRow(d.of, latencyUnit(r)))
		}
		for _, row := range rows {
			blank = blank || slices.Contains(row, absent)
			needs = needs || slices.ContainsFunc(row, func(cell string) bool { return strings.HasPrefix(cell, "needs") })
		}
	}
	var notes []note
	if needs {
		notes = append(notes, note{"", "needs ≥ N s: a run like this one could tell if it measured for that long"})
	}
	if blank {
		notes = append(notes, note{"", absent + ": too few records stand behind it"})
	}
	return notes
}

// intervalText lists the 95 % intervals that the run supports.
func intervalText(d distribution, u unit) string {
	var parts []string
	for _, p := range percentiles() {
		if i, ok := d.of.Intervals[p.name]; ok {
			parts = append(parts, fmt.Sprintf("%s %s–%s", p.title, u.show(float64(i[0])), u.show(float64(i[1]))))
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return fmt.Sprintf("95 %% intervals of %s, %s: %s", d.title, u.name, strings.Join(parts, ", "))
}
