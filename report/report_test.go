package report

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"kbench/metrics"
)

func TestDigits(t *testing.T) {
	for _, c := range []struct {
		v    float64
		want string
	}{
		{0, "0"}, {0.0000001, "<0.001"}, {0.000999, "<0.001"}, {0.001, "0.00100"}, {0.0123456, "0.0123"}, {0.5, "0.500"},
		{1, "1.00"}, {9.994, "9.99"}, {9.996, "10.0"}, {99.96, "100"}, {123.4, "123"}, {999.4, "999"}, {999.6, "1,000"},
		{1234567.8, "1,234,568"}, {-12.34, "-12.3"}, {math.NaN(), "–"}, {math.Inf(1), "–"},
	} {
		if got := digits(c.v); got != c.want {
			t.Errorf("digits(%v) = %q, want %q", c.v, got, c.want)
		}
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		ns   float64
		want string
	}{
		{0, "0 ns"}, {312, "312 ns"}, {4_200, "4.20 µs"}, {412_000, "412 µs"}, {12_000_000, "12.0 ms"}, {30e9, "30.0 s"}, {3600e9, "3,600 s"},
	} {
		if got := duration(c.ns); got != c.want {
			t.Errorf("duration(%v) = %q, want %q", c.ns, got, c.want)
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	err := Write(io.Discard, "markdwon", fixture(t))
	has(t, err, `"markdwon"`, "table, json, csv, markdown, gobench", `did you mean "markdown"`)
	has(t, CheckFormat("yaml"), `"yaml"`, "table, json, csv, markdown, gobench")
	for _, name := range Formats() {
		if err := CheckFormat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestWriteErrorsComeBack(t *testing.T) {
	for _, name := range Formats() {
		has(t, Write(&limited{}, name, fixture(t)), "write the result")
	}
}

// TestEmptyResult: a run that was stopped at once has nothing in it, and is still shown.
func TestEmptyResult(t *testing.T) {
	for _, name := range Formats() {
		var out bytes.Buffer
		if err := Write(&out, name, &metrics.Result{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if strings.Contains(out.String(), "NaN") {
			t.Errorf("%s shows NaN:\n%s", name, out.String())
		}
	}
}

// TestTableWidth holds the table of a long and fast run to 100 columns.
func TestTableWidth(t *testing.T) {
	r := fixture(t)
	r.Totals.Scheduled, r.Totals.Acked, r.Totals.Failed = 90_000_000, 89_000_000, 1_000_000
	r.Totals.RecordsPerSecond, r.Totals.BytesPerSecond, r.Totals.Requests = 1_500_000, 1.5e9, 1_234_567
	r.Latency.Response.Count, r.Latency.Service.Count = 90_000_000, 90_000_000
	r.Latency.Response.Needs = map[string]float64{"p999": 720, "p9999": 7200}
	r.Latency.Response.Intervals["p50"] = [2]int64{900_000_000, 1_100_000_000}
	r.Latency.Response.P9999, r.Latency.Response.Max, r.Latency.Response.Unsupported = 1_100_000_000, 12_345_000_000, nil
	r.Warnings = []string{strings.Repeat("a long warning ", 20)}
	var out bytes.Buffer
	if err := WriteTable(&out, r); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
		if strings.HasSuffix(line, " \n") {
			t.Errorf("space at the end of %q", line)
		}
	}
}

// TestTextFromOutside: messages of brokers and names of profiles can't drive the terminal or the Markdown.
func TestTextFromOutside(t *testing.T) {
	r := fixture(t)
	r.Profile = "or\x1b[31mders"
	r.Warnings = []string{"first line\nsecond | <b>line</b>"}
	r.Totals.Errors = map[string]uint64{}
	for i := range 30 {
		r.Totals.Errors[fmt.Sprintf("message %02d", i)] = 1
	}
	for _, name := range []string{"table", "markdown", "gobench"} {
		var out bytes.Buffer
		if err := Write(&out, name, r); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		if strings.Contains(text, "\x1b") || strings.Contains(text, "\nsecond") {
			t.Errorf("%s passes control characters on:\n%q", name, text)
		}
		switch name {
		case "table":
			if !strings.Contains(text, "20 further messages") {
				t.Errorf("30 messages aren't cut:\n%s", text)
			}
		case "markdown":
			if !strings.Contains(text, `second \| &lt;b>line&lt;/b>`) {
				t.Errorf("Markdown isn't escaped:\n%s", text)
			}
		}
	}
}

// TestNoScheduleLabel: where nothing was due at a time of its own, the table says that response is service.
func TestNoScheduleLabel(t *testing.T) {
	for plan, want := range map[string]bool{
		`{"load":{"arrivals":"max"}}`:                       true,
		`{"Load":{"Arrivals":"closed","InFlight":16}}`:      true,
		`{"Load":{"Arrivals":"poisson"}}`:                   false,
		`{"load":{"arrivals":"constant","rate":"5000/s"}}`:  false,
		`{"load":{"arrivals":"trace","trace":"times.txt"}}`: false,
		`{}`: false, // then the rate decides, and the fixture has one
	} {
		r := fixture(t)
		r.Plan = []byte(plan)
		var out bytes.Buffer
		if err := WriteTable(&out, r); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "response = service"); got != want {
			t.Errorf("plan %s: label there is %v, want %v", plan, got, want)
		}
	}
}

// TestLoadText: what was asked for, in the words of the profile.
func TestLoadText(t *testing.T) {
	for _, c := range []struct {
		load string
		rate float64
		want string
	}{
		{`"arrivals":"constant"`, 5000, "constant 5,000 records/s asked"},
		{`"arrivals":"poisson","send":"sync"`, 5000, "poisson 5,000 records/s asked, sync"},
		{`"arrivals":"max"`, 0, "as fast as it goes"},
		{`"arrivals":"closed","send":"sync"`, 0, "closed loop, sync"},
		{`"arrivals":"ramp","ramp":{"from":"1000/s","to":"50000/s","over":"30s"},"process":"poisson"`, 25_500,
			"ramp 1000/s→50000/s in 30s (poisson), 25,500 records/s asked on average"},
		{`"arrivals":"steps","steps":[{"rate":"1000/s","duration":"5s"},{"rate":"1MiB/s","duration":"5s"}]`, 1012, "steps 1000/s→1MiB/s, 1,012 records/s asked on average"},
		{`"arrivals":"burst","burst":{"base":"0/s","rate":"9000/s","every":"10s","for":"1s"}`, 900, "burst 0/s, 9000/s for 1s every 10s, 900 records/s asked on average"},
		{`"arrivals":"trace","trace":{"factor":2}`, 1234, "trace, 1,234 records/s asked on average"},
		{`"arrivals":"trace"`, 0, "trace"},
		{``, 5000, "5,000 records/s asked"},
		{``, 0, "no rate asked"},
	} {
		r := &metrics.Result{Plan: []byte(`{"load":{` + c.load + `}}`)}
		r.Totals.TargetRate = c.rate
		if got := loadText(r); got != c.want {
			t.Errorf("%s at %v: %q, want %q", c.load, c.rate, got, c.want)
		}
	}
}

// BenchmarkWriteHlog reports the cost of one interval: an hour has 3,600.
func BenchmarkWriteHlog(b *testing.B) {
	r := &metrics.Result{Intervals: intervals(2, 5000)}
	b.ReportAllocs()
	for b.Loop() {
		if err := WriteHlog(io.Discard, r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(r.Intervals)), "ns/interval")
}

// TestGridOfText: the last column of a grid that holds text alone keeps to the width.
func TestGridOfText(t *testing.T) {
	g := grid{left: 2, head: []string{"driver", "about"}, rows: [][]string{
		{"franz", strings.Repeat("word ", 30)},
		{"null", "takes everything"},
	}}
	var out bytes.Buffer
	if err := g.text(&out); err != nil {
		t.Fatal(err)
	}
	golden(t, "grid.txt", out.Bytes())
}

// TestTotalsNotes: records acknowledged after the measured time are told where records/s and acked would contradict each
// other without a word.
func TestTotalsNotes(t *testing.T) {
	const told = "only came after it"
	for _, c := range []struct {
		name   string
		totals metrics.Totals
		want   string // "": nothing of it
	}{
		{"in time", metrics.Totals{Acked: 1000, RecordsPerSecond: 500, DurationNS: 2e9}, ""},
		{"those in flight", metrics.Totals{Acked: 1005, RecordsPerSecond: 500, DurationNS: 2e9}, ""},
		{"a tenth late", metrics.Totals{Acked: 1000, RecordsPerSecond: 450, DurationNS: 2e9},
			"records/s and MiB/s are of the 900 records acknowledged within the measured time; of the acked, 100 only came after it"},
		{"after a warm-up", metrics.Totals{Acked: 1000, RecordsPerSecond: 450, DurationNS: 2e9, WarmupNS: 1e9}, "of the acked, at least 100 only came"},
		{"all late", metrics.Totals{Acked: 693, DurationNS: 1e9}, "are of the 0 records acknowledged within the measured time; of the acked, 693 only"},
		{"nothing", metrics.Totals{DurationNS: 1e9}, ""},
	} {
		text := fmt.Sprint(totalsNotes(&metrics.Result{Totals: c.totals}))
		if !strings.Contains(text, c.want) || (c.want == "") == strings.Contains(text, told) {
			t.Errorf("%s: %s, want %q", c.name, text, c.want)
		}
	}
	text := fmt.Sprint(totalsNotes(&metrics.Result{Totals: metrics.Totals{Retries: 1}}))
	if !strings.Contains(text, "1 retry, throttled for 0 ns") {
		t.Errorf("retries: %s", text)
	}
}
