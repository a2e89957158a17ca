package workload

import (
	"testing"
	"time"
)

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "16384": 16384, "1KiB": 1024, "1kib": 1024, "16 KiB": 16384, " 7 ": 7, "1MB": 1e6, "1kB": 1000, "1.5KiB": 1536,
		"0.25MB": 250000, "2TiB": 2 << 40, "12B": 12, "4611686018427387904": 1 << 62, "9007199254740993": 1<<53 + 1,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestFormatSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 1000: "1000", 1024: "1KiB", 1536: "1536", 5 << 20: "5MiB", 1 << 40: "1TiB", 1 << 50: "1024TiB"} {
		got := FormatSize(n)
		if got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
		if back, err := ParseSize(got); err != nil || back != n {
			t.Errorf("%d: read back as %d, %v", n, back, err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{"30s": 30 * time.Second, "500ms": 500 * time.Millisecond, "0s": 0, "1h30m": 90 * time.Minute, " 1.5s": 1500 * time.Millisecond} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestParseRate(t *testing.T) {
	for text, want := range map[string]Rate{
		"5000": {PerSecond: 5000}, "5000/s": {PerSecond: 5000}, "0.5/s": {PerSecond: 0.5}, "90/m": {PerSecond: 1.5}, "1/h": {PerSecond: 1.0 / 3600},
		"1e6/s": {PerSecond: 1e6}, "20MiB/s": {20 << 20, true}, "100MB/s": {1e8, true}, "1.5 KiB / s": {1536, true}, "10B/m": {10.0 / 60, true}, "max": {},
	} {
		got, err := ParseRate(text)
		if err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", text, got, err, want)
		}
		if back, err := ParseRate(got.String()); err != nil || back != got {
			t.Errorf("%q: written as %s and read back as %v, %v", text, got, back, err)
		}
	}
}

func FuzzParseUnits(f *testing.F) {
	for _, s := range []string{"1KiB", "5000/s", "20MiB/s", "max", "30s", "-1", "1e9/m", "0.1B/h"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if n, err := ParseSize(text); err == nil && (n < 0 || n > maxSize) {
			t.Errorf("size %q is %d", text, n)
		}
		if d, err := ParseDuration(text); err == nil && d < 0 {
			t.Errorf("duration %q is %v", text, d)
		}
		if r, err := ParseRate(text); err == nil {
			if back, err := ParseRate(r.String()); err != nil || back != r {
				t.Errorf("rate %q is %v, written as %s, read back as %v, %v", text, r, r, back, err)
			}
		}
	})
}
