package workload

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// replayLoad replays a trace at a speed.
func replayLoad(trace *Trace, factor float64) Load {
	return Load{Arrivals: ArrivalsTrace, Trace: TraceSpec{File: "t.csv", Factor: factor, Data: trace}, Producers: 1}
}

func forever(l Load) Load {
	l.Repeat = true
	return l
}

func mustTrace(t testing.TB, src string) *Trace {
	t.Helper()
	trace, err := parseTrace("t.csv", strings.NewReader(src), 1000)
	if err != nil {
		t.Fatal(err)
	}
	return trace
}

func TestReadTrace(t *testing.T) {
	for _, name := range []string{"small.csv", "small.csv.gz"} {
		got, err := ReadTrace(filepath.Join("testdata", "traces", name))
		if err != nil {
			t.Fatal(err)
		}
		want := &Trace{times: []int64{1e6, 15e5, 2e6, 250_000_001, 15e8}, sizes: []uint32{100, 2000, 300, 0, 1024},
			bytes: 3424, largest: 2000, largestLine: 4}
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(Trace{})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		if !got.Sized() || got.Records() != 5 || got.Length() != 1_874_750_000 {
			t.Errorf("%s: %v, %d records, %v", name, got.Sized(), got.Records(), got.Length())
		}
	}
}

func TestTraceTimes(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "1": 1e9, "007": 7e9, ".5": 5e8, "2.": 2e9, "0.0000000004": 0, "0.0000000005": 1, "0.9999999999": 1e9,
		"86400.123456789": 86_400_123_456_789, "315360000": int64(longestTrace), "1e-3": 1e6, "2.5E1": 25e9, "1.5ms": 15e5, "1h2m": 3720e9, "3us": 3000} {
		if got, err := parseTraceTime(text); got != want || err != nil {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"315360000.000000001", "99999999999999999999999", "1e300", "100000h"} {
		if got, err := parseTraceTime(text); got <= int64(longestTrace) || err != nil {
			t.Errorf("%s: %d, %v, want more than %d", text, got, err, int64(longestTrace))
		}
	}
	for _, text := range []string{"", ".", "-0", "-1", "+1", "NaN", "Inf", "0x1", "1_0", "1,5", "5 s", "5y", "1.2.3", "e5", "1e", "-5ms", "1e5s"} {
		if got, err := parseTraceTime(text); err == nil {
			t.Errorf("%q: %d, want an error", text, got)
		}
	}
}

func TestParseTrace(t *testing.T) {
	for _, tt := range []struct {
		src   string
		times []int64
		sizes []uint32
	}{
		{"1\n2\n2\n3", []int64{1e9, 2e9, 2e9, 3e9}, nil},
		{"\ufefftimestamp,bytes\r\n0,5\r\n1,6\r\n", []int64{0, 1e9}, []uint32{5, 6}},
		{"\"time\"\n  1ms \n", []int64{1e6}, nil},
		{"# a\n\nt size # b\n 1\t5# c\n2 ,6\n3, 7\n4  8\n", []int64{1e9, 2e9, 3e9, 4e9}, []uint32{5, 6, 7, 8}},
		{"0,1.5KiB\n", []int64{0}, []uint32{1536}},
	} {
		got := mustTrace(t, tt.src)
		if !slices.Equal(got.times, tt.times) || !slices.Equal(got.sizes, tt.sizes) {
			t.Errorf("%q: %v %v", tt.src, got.times, got.sizes)
		}
	}
}

func TestBadTraces(t *testing.T) {
	long := strings.Repeat("1", maxTraceLine)
	for _, tt := range []struct{ src, want string }{
		{"", "t.csv: no record in it"},
		{"time\n", "t.csv: no record in it"},
		{"1\ntime\n", `t.csv:2: bad time "time" in "time": allowed a time in seconds (0.25) or with a unit (1.5ms)`},
		{"hello\n", `t.csv:1: bad time "hello"`},
		{"1\n1.5\n\n# x\n1.4999\n", `t.csv:5: time "1.4999" comes after "1.5" of line 2: times must not go backwards`},
		{"1,\n", `t.csv:1: bad size "" in "1,"`},
		{",5\n", `t.csv:1: bad time "" in ",5"`},
		{"1,,5\n", `t.csv:1: bad size ",5"`},
		{"1,5.5\n", `t.csv:1: bad size "5.5"`},
		{"1,3GiB\n", `t.csv:1: bad size "3GiB"`},
		{"1,99999999999999999999\n", `t.csv:1: bad size "99999999999999999999"`},
		{"1;5\n", `t.csv:1: bad time "1;5"`},
		{"1\n" + long, "t.csv:2: "},
		{"1\n" + long + "1\n", "t.csv:2: a line of more than 4096 bytes"},
		{"1\n" + strings.Repeat(long, 100), "t.csv:2: a line of more than 4096 bytes"},
		{"\x00\xff\n", `t.csv:1: bad time "\x00\xff"`},
		{strings.Repeat("1\n", 1001), "t.csv:1001: more than 1000 records"},
	} {
		if _, err := parseTrace("t.csv", strings.NewReader(tt.src), 1000); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20q: %v, want %q", tt.src, err, tt.want)
		}
	}
	cut, err := os.ReadFile("testdata/traces/small.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cut.gz")
	if err := os.WriteFile(name, cut[:len(cut)-12], 0o644); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{name, "testdata/traces", "testdata/traces/nosuch.csv", "testdata/traces/notgzip.csv.gz"} {
		if _, err := ReadTrace(name); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseTrace(f *testing.F) {
	f.Add([]byte("time,size\n# c\n0.5,100\n1.5s 1KiB\n"))
	f.Add([]byte("1e-3\n0.0000000005\n-1\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		trace, err := parseTrace("f.csv", bytes.NewReader(src), 1000)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.csv:") {
				t.Errorf("%v doesn't name the file", err)
			}
			return
		}
		if n := len(trace.times); n == 0 || !slices.IsSorted(trace.times) || trace.times[0] < 0 || trace.times[n-1] > int64(longestTrace) {
			t.Errorf("times %v", trace.times)
		}
		if trace.sizes != nil && len(trace.sizes) != len(trace.times) || int64(trace.Length()) <= trace.times[len(trace.times)-1] {
			t.Errorf("%d sizes, length %v", len(trace.sizes), trace.Length())
		}
		// Written out and read again it is the same.
		var again bytes.Buffer
		for i, at := range trace.times {
			fmt.Fprintf(&again, "%d.%09d", at/1e9, at%1e9)
			if trace.sizes != nil {
				fmt.Fprintf(&again, ",%d", trace.sizes[i])
			}
			again.WriteByte('\n')
		}
		second, err := parseTrace("again", &again, 1000)
		if err != nil || !slices.Equal(second.times, trace.times) || !slices.Equal(second.sizes, trace.sizes) {
			t.Errorf("%v: %v %v, want %v %v", err, second, err, trace.times, trace.sizes)
		}
	})
}

func TestTraceReplayAt(t *testing.T) {
	const never = time.Duration(math.MaxInt64)
	trace := mustTrace(t, "1\n1.5\n1.5\n4\n") // length 4 s + 1 s
	for _, tt := range []struct {
		name string
		load Load
		want map[uint64]time.Duration
	}{
		{"once", replayLoad(trace, 1), map[uint64]time.Duration{0: time.Second, 2: 1500 * time.Millisecond, 3: 4 * time.Second, 4: never, math.MaxUint64: never}},
		{"twice as fast", replayLoad(trace, 2), map[uint64]time.Duration{0: 500 * time.Millisecond, 3: 2 * time.Second, 4: never}},
		{"slower", replayLoad(trace, 0.3), map[uint64]time.Duration{0: 3_333_333_333, 3: 13_333_333_333}},
		{"again", forever(replayLoad(trace, 1)), map[uint64]time.Duration{3: 4 * time.Second, 4: 6 * time.Second, 7: 9 * time.Second, 4_000_001: 5_000_001_500 * time.Millisecond, math.MaxUint64: never}},
		{"again, faster", forever(replayLoad(trace, 10)), map[uint64]time.Duration{4: 600 * time.Millisecond, 4_000_001: 500_000_150 * time.Millisecond}},
		{"all at once", forever(replayLoad(mustTrace(t, "2\n2\n"), 1)), map[uint64]time.Duration{1: 2 * time.Second, 2: 5 * time.Second, 5: 8 * time.Second}},
		{"one", forever(replayLoad(mustTrace(t, "0\n"), 4)), map[uint64]time.Duration{0: 0, 1: 250 * time.Millisecond, 8: 2 * time.Second}},
	} {
		s := mustSchedule(t, tt.load, ScheduleOptions{Shards: 1})
		for n, want := range tt.want {
			if got := s.At(n); got != want {
				t.Errorf("%s: At(%d) = %v, want %v", tt.name, n, got, want)
			}
		}
		for shard := range 3 {
			part := mustSchedule(t, tt.load, ScheduleOptions{Shard: shard, Shards: 3})
			for n := range uint64(20) {
				if got, want := part.At(n), s.At(3*n+uint64(shard)); got != want {
					t.Errorf("%s, shard %d of 3: At(%d) = %v, want %v", tt.name, shard, n, got, want)
				}
			}
		}
		for to := time.Duration(0); to < 30*time.Second; to += 250 * time.Millisecond {
			count := uint64(0)
			for s.At(count) < to {
				count++
			}
			if got := tt.load.due(0)(to); got != float64(count) {
				t.Errorf("%s: %v records due before %v, want %d", tt.name, got, to, count)
			}
		}
	}
}

// TestMeanRate: of the measured part, whatever the warm-up had.
func TestMeanRate(t *testing.T) {
	trace := mustTrace(t, "0\n1\n2\n2.5\n")
	warm := replayLoad(trace, 1)
	warm.Warmup.Duration = 2 * time.Second
	for name, tt := range map[string]struct {
		load Load
		over time.Duration
		want float64
	}{
		"constant":     {constantLoad(7), time.Second, 7},
		"bytes":        {Load{Arrivals: ArrivalsPoisson, Rate: Rate{5000, true}}, time.Second, 50},
		"closed":       {Load{Arrivals: ArrivalsClosed, InFlight: 5}, time.Second, 0},
		"max":          {Load{Arrivals: ArrivalsMax}, time.Second, 0},
		"ramp":         {rampLoad(100, 300, 10*time.Second), 10 * time.Second, 200},
		"half a ramp":  {rampLoad(100, 300, 10*time.Second), 5 * time.Second, 150},
		"and after it": {warmed(rampLoad(100, 300, 10*time.Second), time.Hour), 20 * time.Second, 250},
		"steps":        {warmed(stepsLoad(false, step(10, time.Second), step(20, time.Second)), time.Second), 4 * time.Second, 17.5},
		"steps again":  {warmed(stepsLoad(true, step(10, time.Second), step(20, time.Second)), time.Second), 4 * time.Second, 15},
		"burst":        {burstLoad(10, 110, 10*time.Second, time.Second), 30 * time.Second, (28*10 + 2*110) / 30.0},
		"trace":        {replayLoad(trace, 1), 4 * time.Second, 1},
		"of its rest":  {warm, 2 * time.Second, 1},
		"absurd trace": {forever(replayLoad(mustTrace(t, "0\n0.000000001\n"), 1e6)), longest, 1 << 60 / longest.Seconds()},
		"refused":      {rampLoad(0, 1, time.Second), time.Second, 0},
		"not read":     {Load{Arrivals: ArrivalsTrace}, time.Second, 0},
		"no time":      {constantLoad(7), 0, 0},
	} {
		if got := tt.load.MeanRate(100, tt.over); math.Abs(got-tt.want) > 1e-9*tt.want {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
}

func TestLoadKinds(t *testing.T) {
	got := ""
	for _, a := range arrivals() {
		l := Load{Arrivals: a}
		got += fmt.Sprintln(a, l.Scheduled(), l.Stationary(), l.ExponentialGaps())
	}
	want := "constant true true false\npoisson true true true\nramp true false false\nsteps true false false\n" +
		"burst true false false\ntrace true false false\nclosed false true false\nmax false true false\n"
	if got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
