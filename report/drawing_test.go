package report

import (
	"strings"
	"testing"
	"time"

	"kbench/metrics"
)

// rates is a result whose seconds have so many acknowledgements, and as many µs as p99; a second of 0 has no row.
func rates(warmup, measured time.Duration, acked ...uint64) *metrics.Result {
	r := &metrics.Result{Totals: metrics.Totals{WarmupNS: int64(warmup), DurationNS: int64(measured)}}
	r.Latency.Response = metrics.Latency{Count: 1, P50: 1e6}
	for i, n := range acked {
		if n > 0 {
			r.Series = append(r.Series, metrics.Point{AtNS: int64(i+1) * metrics.Second, Acked: n, ResponseP99: int64(n) * 1000})
		}
	}
	return r
}

func TestDrawing(t *testing.T) {
	const s = time.Second
	many := make([]uint64, 600)
	for i := range many {
		many[i] = uint64(i + 1)
	}
	boundary := rates(s, 3*s, 800, 800, 800, 800)
	boundary.Series = append(boundary.Series[:2:2], append([]metrics.Point{
		{AtNS: 2 * metrics.Second, Warmup: true, Acked: 8, ResponseP99: 9e9}}, boundary.Series[2:]...)...)
	for _, c := range []struct {
		name             string
		r                *metrics.Result
		rate, p99, about string
	}{
		{"a slow start", rates(3*s, 4*s, 100, 400, 800, 800, 800, 790, 800),
			"▁▄█│████  100–800/s", "▁▄█│████  0.100–0.800 ms", "each column is 1 second; │: the warm-up ended"},
		{"no warm-up", rates(0, 3*s, 800, 400, 200), "█▄▂  200–800/s", "█▄▂  0.200–0.800 ms", "each column is 1 second"},
		{"a second without any acknowledgement", rates(s, 3*s, 800, 800, 0, 800), "█│█·█  0–800/s", "█│█·█  0–0.800 ms", ""},
		{"silence at the end", rates(s, 3*s, 800, 800), "█│█··  0–800/s", "", ""},
		{"the drain has no load", rates(s, 2*s, 800, 800, 800, 3), "█│██  800/s", "█│██  0.800 ms", ""},
		{"half a second at the end is none", rates(s, 2500*time.Millisecond, 800, 800, 800, 400), "█│██  800/s", "", ""},
		{"a moment short", rates(s, 2*s-time.Millisecond, 800, 800, 800), "█│██  800/s", "", ""},
		{"the warm-up ends within a second", rates(1600*time.Millisecond, 2400*time.Millisecond, 800, 800, 800, 800), "██│██  800/s", "", ""},
		{"stragglers of the warm-up", boundary, "█│███  800–808/s", "█│███  0.800 ms", ""},
		{"only a warm-up", rates(3*s, 0, 800, 800, 800), "███  800/s", "", "each column is 1 second"},
		{"ten minutes", rates(95*s, 505*s, many...), "▁▁▁▁▁▁▁▂▂▂│▂▂▂▂▂▃▃▃▃▃▃▃▃▄▄▄▄▄▄▄▅▅▅▅▅▅▅▅▆▆▆▆▆▆▆▇▇▇▇▇▇▇▇████████  5.50–598/s",
			"", "each column is 10 seconds (the mean rate, the highest p99); │: the warm-up ended"},
		{"one second", rates(0, s, 800), "", "", ""},
		{"no series", rates(0, 9*s), "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			lines, about := drawing(c.r)
			if c.rate == "" {
				if lines != nil || about != "" {
					t.Errorf("drawn: %v %q", lines, about)
				}
				return
			}
			if len(lines) != 2 {
				t.Fatalf("%d lines: %v", len(lines), lines)
			}
			if !strings.HasPrefix(lines[0].text, c.rate) {
				t.Errorf("rate %q, want %q", lines[0].text, c.rate)
			}
			if !strings.HasPrefix(lines[1].text, c.p99) {
				t.Errorf("p99 %q, want %q", lines[1].text, c.p99)
			}
			if c.about != "" && about != c.about {
				t.Errorf("about %q, want %q", about, c.about)
			}
		})
	}
}

// TestDrawingIsBounded: whatever the length, no more columns than fit.
func TestDrawingIsBounded(t *testing.T) {
	for _, n := range []int{2, 59, 60, 61, 119, 120, 121, 3600, 86_400, 1 << 40} {
		for _, warm := range []int{0, 1, 7, n / 2, n} {
			r := rates(time.Duration(warm)*time.Second, 0, 800, 800)
			r.Totals.DurationNS = int64(min(n-warm, 1<<32)) * metrics.Second
			r.Totals.WarmupNS = int64(min(warm, 1<<32)) * metrics.Second
			cols, each, w := columns(r)
			if len(cols) < 2 || len(cols) > drawn+1 || w > len(cols) {
				t.Errorf("%d seconds, %d of warm-up: %d columns, %d of warm-up", n, warm, len(cols), w)
			}
			seconds := 0
			for _, c := range cols {
				seconds += c.seconds
				if c.seconds < 1 || c.seconds > each {
					t.Errorf("%d seconds, %d of warm-up: a column of %d, each is %d", n, warm, c.seconds, each)
				}
			}
			if want := int((r.Totals.WarmupNS + r.Totals.DurationNS) / metrics.Second); seconds != want {
				t.Errorf("%d seconds, %d of warm-up: columns of %d", n, warm, seconds)
			}
		}
	}
}
