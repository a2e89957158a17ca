package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kbench/broker"
	"kbench/driver"
	"kbench/driver/native"
	"kbench/driver/null"
	"kbench/workload"
)

// TestMain lets the test binary stand for the program that starts the sink.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "broker-child" {
		if err := broker.RunChild(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(4)
		}
		return
	}
	os.Exit(m.Run())
}

func short() Options {
	o := DefaultOptions()
	o.Duration = 200 * time.Millisecond
	o.Ceilings = []Ceiling{{Driver: null.Driver()}, {Driver: native.Driver(), Sink: true}}
	return o
}

// TestRun examines the machine that the tests run on: whatever it is, every check has a finding, in order.
func TestRun(t *testing.T) {
	o := short()
	o.Rate = workload.Rate{PerSecond: 1 << 20, Bytes: true} // 1024 records/s
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range r.Findings {
		names = append(names, f.Check)
		if f.Measured == "" || f.Why == "" || f.Severity == "" {
			t.Errorf("%+v", f)
		}
	}
	if !slices.Equal(names, Checks()) {
		t.Errorf("findings %v\nwant %v", names, Checks())
	}
	if r.Fit != (r.Count(Bad) == 0) || r.Interrupted || r.RateAsked != 1024 {
		t.Errorf("fit %v with %d bad findings, interrupted %v, asked %v", r.Fit, r.Count(Bad), r.Interrupted, r.RateAsked)
	}
	if len(r.Ceilings) != 2 || len(r.Pacing) != 1 {
		t.Fatalf("%d ceilings, %d rates paced", len(r.Ceilings), len(r.Pacing))
	}
	for _, c := range r.Ceilings {
		if c.Error != "" || c.RecordsPerSecond <= 0 || c.NSPerRecord <= 0 || c.BytesPerSecond < 1000*c.RecordsPerSecond {
			t.Errorf("%+v", c)
		}
	}
	// Only where nothing was late is anything vouched for, and at most half of the lower ceiling.
	if v := r.Vouched; v.Ceiling == "" || v.RecordsPerSecond > MaxShare*min(r.Ceilings[0].RecordsPerSecond, r.Ceilings[1].RecordsPerSecond) {
		t.Errorf("vouched %+v of %+v", v, r.Ceilings)
	}
	if r.Host.OS == "" {
		t.Errorf("host %+v", r.Host)
	}
}

// TestJSONNames: the names that --json promises.
func TestJSONNames(t *testing.T) {
	r := &Report{Findings: []Finding{{Check: "cores"}}, Ceilings: []CeilingResult{{}}, Pacing: []Pacing{{}}}
	r.finish()
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	names := func(v any) string {
		var list []string
		for name := range v.(map[string]any) {
			list = append(list, name)
		}
		slices.Sort(list)
		return strings.Join(list, " ")
	}
	for _, tt := range []struct {
		of   any
		want string
	}{
		{got, "ceilings findings fit host interrupted kbench pacing rate_asked record_bytes schema_version vouched"},
		{got["vouched"], "bytes_per_second ceiling lateness records_per_second share_of_ceiling"},
		{got["vouched"].(map[string]any)["lateness"], "max_ns p50_ns p999_ns p99_ns"},
		{got["ceilings"].([]any)[0], "bytes_per_second cpu_ns_per_record driver error ns_per_record records_per_second target"},
		{got["pacing"].([]any)[0], "max_ns p50_ns p999_ns p99_ns rate_asked records_per_second"},
		{got["findings"].([]any)[0], "check do measured severity values why"},
	} {
		if got := names(tt.of); got != tt.want {
			t.Errorf("names %s\nwant  %s", got, tt.want)
		}
	}
}

func TestBadOptions(t *testing.T) {
	for _, tt := range []struct {
		change func(*Options)
		want   string
	}{
		{func(o *Options) { o.RecordBytes = 0 }, "0 bytes: at least 1"},
		{func(o *Options) { o.RecordBytes = -5 }, "-5 bytes: at least 1"},
		{func(o *Options) { o.RecordBytes = 1 << 20 }, "over max.request.size=1048576"},
		{func(o *Options) { o.RecordBytes = 1 << 60 }, "over max.request.size=1048576"},
		{func(o *Options) { o.Duration = time.Millisecond }, "1ms: allowed are 100ms to 1m0s"},
		{func(o *Options) { o.CPUs = []int{1000} }, "CPU 1000"},
	} {
		o := short()
		tt.change(&o)
		if _, err := Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error %v, want %q in it", err, tt.want)
		}
	}
	for size, fits := range map[int64]bool{1: true, 1<<20 - 88: true, 1<<20 - 80: false} {
		if err := CheckRecordBytes(size); (err == nil) != fits {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestInterrupted: what was found until then is kept, and nothing is called fit.
func TestInterrupted(t *testing.T) {
	for _, at := range []string{"what else", "the clock", "the ceiling of driver null", "how exactly"} {
		ctx, cancel := context.WithCancel(context.Background())
		o := short()
		o.Ceilings = o.Ceilings[:1]
		o.Progress = func(what string) {
			if strings.HasPrefix(what, at) {
				cancel()
			}
		}
		r, err := Run(ctx, o)
		cancel()
		if err != nil {
			t.Errorf("at %q: %v", at, err)
			continue
		}
		if !r.Interrupted || r.Fit || len(r.Findings) < 10 {
			t.Errorf("at %q: interrupted %v, fit %v, %d findings", at, r.Interrupted, r.Fit, len(r.Findings))
		}
		if done := len(r.Ceilings); (done == 1) != (at == "how exactly") {
			t.Errorf("at %q: %d ceilings", at, done)
		}
	}
}

// TestBrokenDriver: a client that doesn't work is a finding, and the others are measured all the same.
func TestBrokenDriver(t *testing.T) {
	broken := driver.Driver{Name: "broken", Open: func(context.Context, driver.Config, driver.AckFunc) (driver.Session, error) {
		return driver.Session{}, errors.New("out of order")
	}}
	o := short()
	o.Ceilings = []Ceiling{{Driver: null.Driver()}, {Driver: broken}}
	r, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r.Findings, "ceilings", Bad, "broken failed: driver broken: out of order", "--driver broken")
	if r.Fit || len(r.Ceilings) != 2 || r.Ceilings[1].Error == "" || r.Vouched.Ceiling != "null" {
		t.Errorf("fit %v, ceilings %+v, vouched %+v", r.Fit, r.Ceilings, r.Vouched)
	}
}

func TestRateFinding(t *testing.T) {
	c := CeilingResult{Driver: "native", RecordsPerSecond: 1e6}
	full := Vouched{RecordsPerSecond: 5e5, ShareOfCeiling: 0.5}
	for _, tt := range []struct {
		v     Vouched
		asked float64
		want  Severity
		text  string
		do    string
	}{
		{full, 0, OK, "up to 500,000 records/s, 50.0 % of native's ceiling", ""},
		{full, 4e5, OK, "up to 500,000", ""},
		{full, 6e5, Warning, "600,000 records/s asked for is over what can be vouched for, 500,000", "--rate"},
		{full, 2e6, Bad, "over the ceiling of 1,000,000", "--rate"},
		{Vouched{RecordsPerSecond: 125_000, ShareOfCeiling: 0.125}, 0, Note, "at higher rates records were late", "--rate"},
		{Vouched{}, 0, Bad, "no rate", "see pacing"},
	} {
		expect(t, []Finding{rateFinding(tt.v, c, tt.asked)}, "rate", tt.want, tt.text, tt.do)
	}
}

func TestPacingSeverity(t *testing.T) {
	for _, tt := range []struct {
		l      Lateness
		lowest bool
		want   Severity
	}{
		{Lateness{P99NS: 20_000, P999NS: 900_000}, true, OK},
		{Lateness{P99NS: 60_000, P999NS: 900_000}, true, Note},
		{Lateness{P99NS: 60_000, P999NS: 1_100_000}, false, Warning},
		{Lateness{P99NS: 60_000, P999NS: 1_100_000}, true, Bad},
	} {
		if got := (Pacing{Lateness: tt.l}).severity(tt.lowest); got != tt.want {
			t.Errorf("%+v lowest %v: %s, want %s", tt.l, tt.lowest, got, tt.want)
		}
	}
}

// TestVouchHeedsPacing: no rate is vouched for above one at which records were late.
func TestVouchHeedsPacing(t *testing.T) {
	o := short()
	l := &laboratory{opts: &o, report: &Report{Pacing: []Pacing{
		{RateAsked: 10_000, Lateness: Lateness{P999NS: 1000}}, {RateAsked: 100_000, Lateness: Lateness{P999NS: 5e6}}}}}
	if l.lateBelow(50_000) || !l.lateBelow(100_000) || !l.lateBelow(1e6) {
		t.Error("late at 100,000/s and above is what the pacing says")
	}
}

// TestPacingWithoutARun: rates at which there is nothing to run, and a driver that doesn't.
func TestPacingWithoutARun(t *testing.T) {
	for _, tt := range []struct {
		name     string
		rate     float64
		err      error
		severity Severity
		text, do string
	}{
		{"too few", 5, nil, Note, "too few within 200ms", "--duration"},
		{"more than the ceiling", 2e6, nil, Bad, "2,000,000 records/s are more than the generator alone can hand over, 1,000,000", "other load"},
		{"a broken driver", 1000, errors.New("out of order"), Bad, "out of order", "other load"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := short()
			o.Rate = workload.Rate{PerSecond: tt.rate}
			o.Progress = func(string) {}
			o.Ceilings = []Ceiling{{Driver: driver.Driver{Name: "d", Open: func(context.Context, driver.Config, driver.AckFunc) (driver.Session, error) {
				return driver.Session{}, tt.err
			}}}}
			plan, err := newPlan(o.RecordBytes)
			if err != nil {
				t.Fatal(err)
			}
			payloads, err := workload.NewSource(plan, workload.SourceOptions{})
			if err != nil {
				t.Fatal(err)
			}
			l := &laboratory{opts: &o, plan: plan, payloads: payloads, report: &Report{Ceilings: []CeilingResult{{Driver: "d", RecordsPerSecond: 1e6}}}}
			l.pacing(context.Background())
			expect(t, l.report.Findings, "pacing", tt.severity, tt.text, tt.do)
			if len(l.report.Pacing) > 0 {
				t.Errorf("paced %+v", l.report.Pacing)
			}
		})
	}
}

func TestTimes(t *testing.T) {
	for ns, want := range map[float64]string{8.52: "8.52 ns", 1234: "1.23 µs", 20_900: "20.9 µs", 3_850_000: "3.85 ms", 1.5e9: "1.5s"} {
		if got := times(ns); got != want {
			t.Errorf("%v ns is %q, want %q", ns, got, want)
		}
	}
}
