package report

import (
	"bytes"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/HdrHistogram/hdrhistogram-go"

	"kbench/metrics"
)

// TestHlogLines checks the form of the lines; that Java reads them is checked in java_test.go.
func TestHlogLines(t *testing.T) {
	var out bytes.Buffer
	if err := WriteHlog(&out, fixture(t)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	wantHead := []string{
		"#kbench v0.1.0, profile orders: values are nanoseconds; read one tag at a time, such as response",
		"#[Histogram log format version 1.3]",
		"#[StartTime: 1773500966.535 (seconds since epoch), 2026-03-14T15:09:26Z]",
		"#[BaseTime: 1773500966.535 (seconds since epoch)]",
		`"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"`,
	}
	for i, want := range wantHead {
		if lines[i] != want {
			t.Errorf("line %d is %q, want %q", i+1, lines[i], want)
		}
	}
	body := lines[len(wantHead):]
	if len(body) != 6*4 {
		t.Fatalf("%d interval lines, want 6 seconds × 4 tags", len(body))
	}
	for i, want := range []string{
		"Tag=warmup.response,0.000000,1.000000,9.6", "Tag=warmup.service,0.000000,", "Tag=warmup.generator_lateness,", "Tag=warmup.backpressure,",
		"Tag=response,1.000000,1.000000,7.42", "Tag=service,1.0", "Tag=generator_lateness,1.0", "Tag=backpressure,1.0",
		"Tag=response,2.000000,1.000000,9.01",
	} {
		if !strings.HasPrefix(body[i], want) {
			t.Errorf("interval line %d is %.60s…, want %s…", i+1, body[i], want)
		}
		if fields := strings.Split(body[i], ","); len(fields) != 5 || !strings.HasPrefix(fields[4], "HISTFAAA") {
			t.Errorf("interval line %d has the wrong fields: %.80s…", i+1, body[i])
		}
	}
}

// TestHlogKeepsEmptyIntervals: a second in which nothing was acknowledged is a fact.
func TestHlogKeepsEmptyIntervals(t *testing.T) {
	r := &metrics.Result{Intervals: []metrics.Interval{{End: 1e9}}}
	var out bytes.Buffer
	if err := WriteHlog(&out, r); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "\nTag="); n != 4 {
		t.Errorf("%d interval lines, want 4", n)
	}
}

// TestHlogHoldsEveryValue reads the log back with the Go library and compares it with the result.
func TestHlogHoldsEveryValue(t *testing.T) {
	r := fixture(t)
	var out bytes.Buffer
	if err := WriteHlog(&out, r); err != nil {
		t.Fatal(err)
	}
	sum := map[string]*hdrhistogram.Histogram{}
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "Tag=") {
			continue
		}
		fields := strings.Split(strings.TrimSpace(line), ",")
		h, err := hdrhistogram.Decode([]byte(fields[4]))
		if err != nil {
			t.Fatal(err)
		}
		tag := strings.TrimPrefix(fields[0], "Tag=")
		if sum[tag] == nil {
			sum[tag] = hdrhistogram.New(metrics.LowestTrackable, metrics.HighestTrackable, metrics.SignificantDigits)
		}
		if dropped := sum[tag].Merge(h); dropped != 0 {
			t.Errorf("%s: %d values dropped", tag, dropped)
		}
	}
	for _, d := range distributions(r) {
		h := sum[d.name]
		if h == nil {
			t.Errorf("no tag %s", d.name)
			continue
		}
		if uint64(h.TotalCount()) != d.of.Count {
			t.Errorf("%s: %d values, want %d", d.name, h.TotalCount(), d.of.Count)
		}
		for _, p := range percentiles() {
			if got, want := quantile(h, quantileOf(t, p.name)), p.of(d.of); !h.ValuesAreEquivalent(got, want) {
				t.Errorf("%s %s: log says %d, result says %d", d.name, p.name, got, want)
			}
		}
	}
}

// quantile is the smallest value with at least q of all values at or below it, as Java has it; the Go library's
// ValueAtPercentile rounds the rank instead of taking the next one up.
func quantile(h *hdrhistogram.Histogram, q float64) int64 {
	rank, seen := int64(math.Ceil(q*float64(h.TotalCount()))), int64(0)
	for _, bar := range h.Distribution() {
		if seen += bar.Count; seen >= rank {
			return bar.From
		}
	}
	return h.Max()
}

// quantileOf is the quantile behind a name such as p999.
func quantileOf(t *testing.T, name string) float64 {
	t.Helper()
	q, ok := map[string]float64{"p50": .5, "p90": .9, "p95": .95, "p99": .99, "p999": .999, "p9999": .9999}[name]
	if !ok {
		t.Fatalf("no percentile %q", name)
	}
	return q
}

func TestHlogGivesWriteErrorsBack(t *testing.T) {
	r := fixture(t)
	for _, room := range []int{0, 150, 300, 5000} {
		w := &limited{room: room}
		if err := WriteHlog(w, r); err == nil {
			t.Errorf("no error with room for %d bytes", room)
		}
	}
	if err := WriteHlog(&limited{room: math.MaxInt}, r); err != nil {
		t.Error(err)
	}
}

// limited is a writer with room for so many bytes.
type limited struct{ room int }

func (l *limited) Write(p []byte) (int, error) {
	if len(p) > l.room {
		return 0, os.ErrClosed
	}
	l.room -= len(p)
	return len(p), nil
}
