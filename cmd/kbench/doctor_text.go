package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"kbench/doctor"
	"kbench/report"
	"kbench/words"
	"kbench/workload"
)

// writeDoctor writes a doctor's report for people: what it comes to, the ceilings, the pacing, and all findings.
func writeDoctor(w io.Writer, r *doctor.Report) error {
	var b strings.Builder
	fmt.Fprintln(&b, doctorTitle(r))
	if v := r.Vouched; v.Ceiling != "" {
		fmt.Fprintf(&b, "vouched for: %s records/s of %s", humanize.Comma(int64(v.RecordsPerSecond)), workload.FormatSize(r.RecordBytes))
		if v.RecordsPerSecond > 0 {
			fmt.Fprintf(&b, "\n  %.0f %% of the ceiling of %s; records were late by %s at p99", 100*v.ShareOfCeiling, v.Ceiling, shortTime(time.Duration(v.Lateness.P99NS)))
		}
		fmt.Fprintln(&b)
	}
	if len(r.Ceilings) > 0 {
		fmt.Fprintln(&b)
		if err := report.WriteGrid(&b, []string{"ceiling of", "into", "records/s", "MiB/s", "ns/record", "CPU ns/record"}, ceilingRows(r.Ceilings)); err != nil {
			return err
		}
	}
	if len(r.Pacing) > 0 {
		fmt.Fprintln(&b)
		if err := report.WriteGrid(&b, []string{"records/s asked", "reached", "late p50 µs", "p99 µs", "p99.9 µs", "max µs"}, pacingRows(r.Pacing)); err != nil {
			return err
		}
	}
	fmt.Fprintln(&b)
	if err := report.WriteGrid(&b, []string{"check", "", "found"}, findingRows(r.Findings)); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// doctorTitle is the first line.
func doctorTitle(r *doctor.Report) string {
	state := "FIT"
	switch {
	case r.Interrupted:
		state = "INTERRUPTED"
	case !r.Fit:
		state = "UNFIT"
	}
	var counts []string
	for _, c := range []struct {
		severity doctor.Severity
		one      string
	}{{doctor.Bad, "bad finding"}, {doctor.Warning, "warning"}, {doctor.Note, "note"}} {
		if n := r.Count(c.severity); n > 0 {
			counts = append(counts, words.Count(n, c.one))
		}
	}
	if len(counts) == 0 {
		return state
	}
	return state + " · " + strings.Join(counts, ", ")
}

func ceilingRows(list []doctor.CeilingResult) [][]string {
	var rows [][]string
	for _, c := range list {
		if c.Error != "" {
			rows = append(rows, []string{c.Driver, c.Target, "–", "–", "–", "–"})
			continue
		}
		rows = append(rows, []string{c.Driver, c.Target, humanize.Comma(int64(c.RecordsPerSecond)), humanize.Comma(int64(c.BytesPerSecond / (1 << 20))),
			fmt.Sprintf("%.1f", c.NSPerRecord), fmt.Sprintf("%.1f", c.CPUNSPerRecord)})
	}
	return rows
}

func pacingRows(list []doctor.Pacing) [][]string {
	var rows [][]string
	for _, p := range list {
		rows = append(rows, []string{humanize.Comma(int64(p.RateAsked)), humanize.Comma(int64(p.RecordsPerSecond)),
			micros(p.P50NS), micros(p.P99NS), micros(p.P999NS), micros(p.MaxNS)})
	}
	return rows
}

// micros is a time in µs, a tenth exactly.
func micros(ns int64) string { return humanize.FormatFloat("#,###.#", float64(ns)/1e3) }

// findingRows has a row for each finding, under warnings and worse why they matter, and what to do where there is something.
func findingRows(list []doctor.Finding) [][]string {
	var rows [][]string
	for _, f := range list {
		rows = append(rows, []string{f.Check, string(f.Severity), f.Measured})
		if f.Severity == doctor.Warning || f.Severity == doctor.Bad {
			rows = append(rows, []string{"", "", "why: " + f.Why})
		}
		for _, do := range f.Do {
			rows = append(rows, []string{"", "", "do: " + do})
		}
	}
	return rows
}
