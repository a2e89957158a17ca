package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"kbench/metrics"
)

// cellResult is the result of one run of a cell: what a sweep looks at, and nothing else.
type cellResult struct {
	rate, target, cpu float64
	p99               int64 // µs
	failed            uint64
	state             string
}

func (c cellResult) result(minute int) *metrics.Result {
	r := &metrics.Result{Schema: metrics.Schema, Profile: "orders", Target: metrics.TargetInfo{Kind: "sink", Brokers: 1},
		Started: time.Date(2026, 3, 14, 15, minute, 0, 0, time.UTC), Verdict: metrics.Verdict{State: metrics.StateValid}}
	if c.state != "" {
		r.Verdict = metrics.Verdict{State: c.state, Cause: metrics.CauseUnsteady, Reasons: []string{"unsteady: the backlog grew"}}
		r.Warnings = []string{"the generator was late"}
	}
	r.Totals = metrics.Totals{RecordsPerSecond: c.rate, BytesPerSecond: c.rate * 1024, TargetRate: c.target, Failed: c.failed,
		RecordsPerReq: 80, CompressionRatio: -1}
	r.Latency.Response = metrics.Latency{Count: 50_000, P50: c.p99 * 300, P99: c.p99 * 1000, P999: c.p99 * 2500, Unsupported: []string{"p9999"}}
	r.Runtime.CPUNSPerRecord = c.cpu
	return r
}

func row(linger, codec string, repeat int, c cellResult, minute int) SweepRow {
	number := 4*strings.Index("059", linger) + slices.Index([]string{"none", "lz4", "gzip", "zstd"}, codec)
	return SweepRow{Cell: fmt.Sprintf("c%03d-r%d", number, repeat), Values: []string{linger, codec}, Repeat: repeat, Result: c.result(minute)}
}

func sweepFixture() []SweepRow {
	rows := []SweepRow{
		row("0", "none", 1, cellResult{rate: 300_000, cpu: 900, p99: 2000}, 1),
		row("5", "none", 1, cellResult{rate: 500_000, cpu: 500, p99: 6000}, 2),
		row("0", "lz4", 1, cellResult{rate: 280_000, cpu: 950, p99: 2500}, 3),
		row("5", "lz4", 1, cellResult{rate: 900_000, cpu: 300, p99: 9000, failed: 12}, 4),
		row("5", "gzip", 1, cellResult{rate: 950_000, cpu: 300, p99: 1000, state: metrics.StateInvalid}, 5),
		row("5", "none", 2, cellResult{rate: 520_000, cpu: 480, p99: 6600}, 6),
		row("5", "none", 3, cellResult{rate: 510_000, cpu: 490, p99: 6300}, 8),
		row("0", "lz4", 2, cellResult{rate: 270_000, cpu: 940, p99: 2300}, 9),
		{Cell: "c003-r1", Values: []string{"0", "zstd"}, Repeat: 1, Refused: "driver native has no zstd"},
		{Cell: "c003-r2", Values: []string{"0", "zstd"}, Repeat: 2, Refused: "driver native has no zstd"},
		{Cell: "c008-r1", Values: []string{"5", "snappy"}, Repeat: 1, Err: "the broker at 127.0.0.1:9092 went away"},
	}
	for n, i := range []int{5, 6} { // the reference is a cell run more often, under other names
		rows[i].Reference, rows[i].Cell = true, fmt.Sprintf("ref-%02d", n+1)
	}
	return rows
}

func TestSweepGolden(t *testing.T) {
	extension := map[string]string{"table": "txt", "json": "json", "csv": "csv", "markdown": "md"}
	for _, format := range SweepFormats() {
		t.Run(format, func(t *testing.T) {
			var out bytes.Buffer
			if err := WriteSweep(&out, format, []string{"linger.ms", "compression.type"}, sweepFixture()); err != nil {
				t.Fatal(err)
			}
			golden(t, "sweep."+extension[format], out.Bytes())
		})
	}
}

func TestSweepWithNothingMeasured(t *testing.T) {
	rows := []SweepRow{{Cell: "acks=1", Values: []string{"1"}, Refused: "enable.idempotence needs acks=all"}}
	for _, format := range SweepFormats() {
		var out bytes.Buffer
		if err := WriteSweep(&out, format, []string{"acks"}, rows); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "needs acks=all") {
			t.Errorf("%s leaves the refused cell out:\n%s", format, out.String())
		}
	}
}

func TestParetoFront(t *testing.T) {
	front := func(rows []SweepRow) string {
		cells := groupRows(rows)
		markFront(cells)
		var marked []string
		for _, c := range cells {
			if c.pareto {
				marked = append(marked, strings.Join(c.values, "/"))
			}
		}
		return strings.Join(marked, " ")
	}
	for _, c := range []struct {
		name string
		rows []SweepRow
		want string
	}{
		{"all repeats of a cell; failed, invalid and dominated ones are out", sweepFixture(), "0/none 5/none"},
		{"with a rate to keep, CPU counts and records/s doesn't", []SweepRow{
			row("0", "none", 1, cellResult{rate: 1000, target: 1000, cpu: 900, p99: 2000}, 1),
			row("5", "none", 1, cellResult{rate: 1001, target: 1000, cpu: 500, p99: 2000}, 2),
			row("9", "none", 1, cellResult{rate: 1002, target: 1000, cpu: 400, p99: 8000}, 3),
			row("9", "lz4", 1, cellResult{rate: 1003, target: 1000, cpu: 600, p99: 8000}, 3),
		}, "5/none 9/none"},
		{"one unbounded run makes it records/s", []SweepRow{
			row("0", "none", 1, cellResult{rate: 1000, target: 1000, cpu: 1, p99: 2000}, 1),
			row("5", "none", 1, cellResult{rate: 2000, cpu: 900, p99: 2000}, 2),
		}, "5/none"},
		{"medians decide, not the best run", []SweepRow{
			row("0", "none", 1, cellResult{rate: 9000, p99: 2000}, 1),
			row("0", "none", 2, cellResult{rate: 1000, p99: 2000}, 1),
			row("0", "none", 3, cellResult{rate: 1000, p99: 2000}, 1),
			row("5", "none", 1, cellResult{rate: 2000, p99: 2000}, 2),
		}, "5/none"},
	} {
		if got := front(c.rows); got != c.want {
			t.Errorf("%s: front is %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSweepOrder: cells stand in the order of the plan, whatever order they ran in; extra runs of the reference cell
// don't move it.
func TestSweepOrder(t *testing.T) {
	var rows []SweepRow
	for _, name := range []string{"ref-01", "c1000-r1", "c002-r2", "c001-r1", "c002-r1", "c999-r1"} {
		value := strings.TrimSuffix(strings.TrimSuffix(name, "-r1"), "-r2")
		r := SweepRow{Cell: name, Values: []string{value}, Result: cellResult{rate: 1}.result(1)}
		if name == "ref-01" {
			r.Reference, r.Values = true, []string{"c002"}
		}
		rows = append(rows, r)
	}
	var got []string
	for _, c := range groupRows(rows) {
		got = append(got, fmt.Sprintf("%s×%d", c.values[0], len(c.runs)))
	}
	if want := "c001×1 c002×3 c999×1 c1000×1"; strings.Join(got, " ") != want {
		t.Errorf("order is %v, want %s", got, want)
	}
}

// TestDrift: thirds are taken in the order the runs started, not in the order of the rows.
func TestDrift(t *testing.T) {
	var rows []SweepRow
	for _, minute := range []int{3, 1, 2, 6, 5, 4} {
		r := row("5", "none", minute, cellResult{rate: 1000 * float64(minute), p99: int64(100 * minute)}, minute)
		r.Reference = true
		rows = append(rows, r)
	}
	d := driftOf(rows)
	if d == nil || d.n != 6 {
		t.Fatalf("drift %+v, want 6 runs", d)
	}
	// First third: minutes 1 and 2, median 1.5; last: 5 and 6, median 5.5.
	if want := 5.5 / 1.5; d.rateRatio != want || d.p99Ratio != want {
		t.Errorf("ratios %v and %v, want %v", d.rateRatio, d.p99Ratio, want)
	}
	if (d.rate != spread{3500, 1000, 6000}) {
		t.Errorf("rate %+v, want 3500, 1000–6000", d.rate)
	}
	if got := driftOf(rows[:1]); got != nil {
		t.Errorf("one run gives drift %+v", got)
	}
}

func TestSweepErrors(t *testing.T) {
	has(t, WriteSweep(io.Discard, "tabel", nil, nil), `format "tabel"`, "table, json, csv, markdown", `did you mean "table"`)
	has(t, WriteSweep(io.Discard, "gobench", nil, nil), `format "gobench"`)
	has(t, CheckSweepFormat("gobench"), `format "gobench"`)
	if err := CheckSweepFormat("csv"); err != nil {
		t.Error(err)
	}
	has(t, WriteSweep(io.Discard, "table", []string{"acks"}, sweepFixture()), "c000-r1", "2 values")
	has(t, WriteSweep(&limited{}, "table", []string{"linger.ms", "compression.type"}, sweepFixture()), "write the result")
}
