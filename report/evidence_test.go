package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kbench/metrics"
)

func TestPercent(t *testing.T) {
	for _, c := range []struct {
		share float64
		want  string
	}{
		{0, "0 %"}, {0.000001, "<0.01 %"}, {0.0001, "0.01 %"}, {0.00123, "0.12 %"}, {0.0099, "0.99 %"}, {0.00996, "1.0 %"},
		{0.0213, "2.1 %"}, {0.9, "90.0 %"}, {0.99949, "99.9 %"}, {0.99951, "99.95 %"}, {0.999999, "99.99 %"}, {1, "100.0 %"}, {1.0042, "100.4 %"},
	} {
		if got := percent(c.share); got != c.want {
			t.Errorf("percent(%v) = %q, want %q", c.share, got, c.want)
		}
	}
}

// TestVerdictStandsFirst: the first line of everything that people read says it.
func TestVerdictStandsFirst(t *testing.T) {
	for _, c := range []struct {
		verdict     metrics.Verdict
		interrupted bool
		want        string
	}{
		{metrics.Verdict{State: metrics.StateValid}, false, "VALID · "},
		{metrics.Verdict{State: metrics.StateValid}, true, "VALID, INTERRUPTED · "},
		{metrics.Verdict{State: metrics.StateInvalid, Cause: metrics.CauseClient}, false, "INVALID: CLIENT · "},
		{metrics.Verdict{State: metrics.StateInvalid, Cause: metrics.CauseConfiguration}, true, "INVALID: CONFIGURATION, INTERRUPTED · "},
	} {
		r := fixture(t)
		r.Verdict, r.Interrupted = c.verdict, c.interrupted
		for format, before := range map[string]string{"table": "", "markdown": "### ", "gobench": "# "} {
			var out bytes.Buffer
			if err := Write(&out, format, r); err != nil {
				t.Fatal(err)
			}
			if first, _, _ := strings.Cut(out.String(), "\n"); !strings.HasPrefix(first, before+c.want) {
				t.Errorf("%s begins with %q, want %q", format, first, before+c.want)
			}
		}
	}
}

// TestSteady: nothing is called steady that isn't meant to be, or was found not to be.
func TestSteady(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*metrics.Result)
		want   string
	}{
		{"steady", func(*metrics.Result) {}, "no trend"},
		{"too short to say", func(r *metrics.Result) { r.Evidence.WarmupCut = -1 }, ""},
		{"a slow start", func(r *metrics.Result) { r.Evidence.WarmupCut = 1 }, "MSER-5 would cut 1 second"},
		{"drift", func(r *metrics.Result) { r.Evidence.RateSlope, r.Evidence.P99Slope = -0.051, 0.4 }, "rate -5.1 % over the run, p99 +40.0 % over the run"},
		{"found unsteady", func(r *metrics.Result) { r.Verdict.Doubt(metrics.CauseUnsteady, "the backlog grew") }, ""},
		{"a ramp", func(r *metrics.Result) { r.Plan = []byte(`{"load":{"arrivals":"ramp"}}`) }, ""},
	} {
		r := fixture(t)
		c.change(r)
		if got := strings.Join(steadyText(r), ", "); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestLateRecordsInTheP99: both figures are shown where they differ as shown.
func TestLateRecordsInTheP99(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*metrics.Result)
		want   bool
	}{
		{"apart", func(r *metrics.Result) { r.Evidence.ResponseP99OnTime = 3_100_000 }, true},
		{"the same", func(r *metrics.Result) { r.Evidence.ResponseP99OnTime = r.Latency.Response.P99 }, false},
		{"the same as shown", func(r *metrics.Result) { r.Evidence.ResponseP99OnTime = r.Latency.Response.P99 + 1 }, false},
		{"unknown", func(r *metrics.Result) { r.Evidence.ResponseP99OnTime = -1 }, false},
		{"no p99", func(r *metrics.Result) {
			r.Evidence.ResponseP99OnTime, r.Latency.Response.Unsupported = 3_100_000, []string{"p99"}
		}, false},
	} {
		r := fixture(t)
		c.change(r)
		var out bytes.Buffer
		if err := WriteTable(&out, r); err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(out.String(), "3.10 ms without them"); got != c.want {
			t.Errorf("%s: shown is %v, want %v", c.name, got, c.want)
		}
	}
}

// TestUnsupportedIsNoNumber: a percentile that the run doesn't support is no number in any form but its own JSON field.
func TestUnsupportedIsNoNumber(t *testing.T) {
	r := fixture(t)
	r.Latency = metrics.Latencies{Response: metrics.Latency{Count: 500, Mean: 1e6, P50: 1_010_000, P90: 2_020_000, P95: 3_030_000, P99: 4_040_000, P999: 5_050_000,
		P9999: 6_060_000, Max: 7e6, Unsupported: []string{"p99", "p999", "p9999"}, Intervals: map[string][2]int64{"p50": {1e6, 11e5}},
		Needs: map[string]float64{"p90": 20, "p99": 199.01, "p999": 2000}}}
	u := unit{"ms", 1e6}
	if diff := cmp.Diff([]string{"response", "500", "1.00", "1.01", "2.02", "3.03", "needs \v≥ 200 s", "needs \v≥ 2000 s", "–", "7.00"},
		latencyRow("response", &r.Latency.Response, u)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"95 % interval", "", "", "1.00–\v1.10", "needs \v≥ 20 s", "–", "", "", "", ""}, intervalRow(&r.Latency.Response, u)); diff != "" {
		t.Error(diff)
	}
	for _, format := range slices.DeleteFunc(Formats(), func(f string) bool { return f == "json" }) {
		var out bytes.Buffer
		if err := Write(&out, format, r); err != nil {
			t.Fatal(err)
		}
		for _, number := range []string{"4.04", "5.05", "6.06", "4040000", "5050000", "6060000", "p99-ns"} {
			if strings.Contains(out.String(), number) {
				t.Errorf("%s has %s:\n%s", format, number, out.String())
			}
		}
	}
}
