package main

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"

	"kbench/report"
	"kbench/workload"
)

// FuzzSweepRecord reads any bytes as a sweep.json. What is taken is taken again after it was written, the same, and cells
// that are names of folders with a value for every axis can be printed.
func FuzzSweepRecord(f *testing.F) {
	for _, r := range []sweepRecord{
		{Schema: sweepSchema},
		{Schema: sweepSchema, Kbench: "v0.1.0", Fingerprint: "ab12", Target: "sink", Axes: []workload.Axis{{Name: "linger.ms", Values: []string{"0", "5"}}},
			Cells:   []sweepCell{{ID: "c000-r1", Values: []string{"0"}, Repeat: 1}, {ID: "c001-r1", Values: []string{"5"}, Repeat: 1, Reference: true}},
			Refused: []sweepCell{{ID: "c002", Values: []string{"6"}, Reason: "no"}}},
	} {
		text, err := r.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
		f.Add(text[:len(text)/2])
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var probe struct{ Checksum string }
		if json.Unmarshal(src, &probe) == nil && probe.Checksum != "" {
			if sum, err := report.Checksum(src, probe.Checksum); err == nil {
				src = bytes.Replace(src, []byte(probe.Checksum), []byte(sum), 1)
			}
		}
		r, err := parseSweepRecord(src)
		if err != nil {
			return
		}
		text, err := r.encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseSweepRecord(text); err != nil {
			t.Errorf("written again: %v\n%s", err, text)
		}
		rows, err := storedRows("no such folder", &r)
		if err != nil {
			return
		}
		var axes []string
		for _, a := range r.Axes {
			axes = append(axes, a.Name)
		}
		for _, format := range report.SweepFormats() {
			if err := report.WriteSweep(io.Discard, format, axes, rows); err != nil {
				t.Errorf("%s: %v", format, err)
			}
		}
	})
}
