package workload

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, src string) *Profile {
	t.Helper()
	p, err := ParseProfile("base.yaml", []byte(src))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func vary(t *testing.T, texts ...string) []Axis {
	t.Helper()
	var axes []Axis
	for _, text := range texts {
		a, err := ParseVary(text)
		if err != nil {
			t.Fatal(err)
		}
		axes = append(axes, a)
	}
	return axes
}

func TestCellsOfEveryKindOfAxis(t *testing.T) {
	s, err := Cells(parse(t, overrideBase), vary(t,
		"linger.ms=0,20", "driver=native,franz", "rate=500/s,max", "record.size=100,{uniform: {min: 1, max: 9}}",
		"partitions=1,5", "producers=1,2", "topic.segment.bytes=1MiB,2MiB", "records.key=none,uniform",
		"partitioner=default,roundrobin", "topics.0.replication.factor=1,3"), SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Cells) != 1024 || len(s.Refused) != 0 {
		t.Fatalf("%d cells, %d refused; want 1024 and 0", len(s.Cells), len(s.Refused))
	}
	i := slices.IndexFunc(s.Cells, func(c Cell) bool { return c.Index == 1023 })
	c := s.Cells[i]
	got := fmt.Sprintln(c.ID, c.Values, c.Plan.Producer.Linger, c.Plan.Driver, c.Plan.Load.Arrivals, c.Plan.Load.Rate,
		c.Plan.Records.Value.Size, c.Plan.Topics, c.Plan.Load.Producers, c.Plan.Records.Key.Distribution, c.Plan.Producer.Partitioner)
	want := "c1023-r1 [20 franz max {uniform: {min: 1, max: 9}} 5 2 2MiB uniform roundrobin 3] 20ms franz max max " +
		"{uniform 0 1 9 0 0 []} [{a 5 3 map[segment.bytes:2097152]} {b 5 1 map[segment.bytes:2097152]}] 2 uniform roundrobin\n"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestCellsOfChangingLoads: their fields are axes, and a trace is read once for all cells.
func TestCellsOfChangingLoads(t *testing.T) {
	p := parse(t, overrideBase)
	s, err := Cells(p, vary(t, "load.ramp={from: 5/s, to: 10/s},{from: 5/s, to: 20/s, over: 3s}", "load.process=constant,poisson"), SweepOptions{})
	if err != nil || len(s.Cells) != 4 || len(s.Refused) != 0 || s.Cells[0].Plan.Load.Arrivals != ArrivalsRamp {
		t.Errorf("%v: %+v", err, s)
	}
	p = parse(t, "load: {ramp: {from: 5/s, to: 10/s}}\nobjectives: {response.p50: 1s}")
	s, err = Cells(p, vary(t, "load.ramp.to=10/s,20/s", "load.duration=1s,1m"), SweepOptions{})
	if err != nil || len(s.Cells) != 2 || len(s.Refused) != 2 || !strings.Contains(s.Refused[0].Refused.Error(), "needs at least 20 records") || s.Total != 2*time.Minute {
		t.Errorf("%v: %+v", err, s)
	}
	p = parse(t, "load: {trace: testdata/traces/small.csv}")
	s, err = Cells(p, vary(t, "load.trace.factor=1,2", "load.producers=1,2"), SweepOptions{})
	if err != nil || len(s.Cells) != 4 || len(p.traces) != 1 {
		t.Fatalf("%v: %+v", err, s)
	}
	for _, c := range s.Cells {
		if c.Plan.Load.Trace.Data != p.traces["testdata/traces/small.csv"] {
			t.Errorf("%s has a trace of its own", c.ID)
		}
	}
}

func TestEstimateOfChangingLoads(t *testing.T) {
	for src, want := range map[string]time.Duration{
		"{ramp: {from: 5/s, to: 15/s}, warmup: 2s}":                                       32 * time.Second,
		"{ramp: {from: 5/s, to: 15/s, over: 10s}, records: 100}":                          10 * time.Second,
		"{ramp: {from: 5/s, to: 15/s, over: 10s}, records: 400}":                          30 * time.Second,
		"{steps: [{rate: 5/s, duration: 10s}], repeat: true, records: 100, duration: 5s}": 5 * time.Second,
		"{trace: testdata/traces/small.csv, repeat: true, records: 50}":                   19 * time.Second,
	} {
		plan, err := parse(t, "load: "+src).Plan()
		if err != nil {
			t.Fatal(err)
		}
		if got, known := plan.Estimate(); got != want || !known {
			t.Errorf("%s: %v %v, want %v", src, got, known, want)
		}
	}
}

func TestCellsOrderAndReference(t *testing.T) {
	p := parse(t, overrideBase)
	axes := vary(t, "linger.ms=0,5,20", "batch.size=1KiB,2KiB")
	ids := func(opts SweepOptions) string {
		s, err := Cells(p, axes, opts)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, c := range s.Cells {
			ids = append(ids, c.ID)
		}
		return strings.Join(ids, " ")
	}
	for _, c := range []struct {
		opts SweepOptions
		want string
	}{
		{SweepOptions{Seed: 1}, "c001-r1 c003-r1 c005-r1 c000-r1 c004-r1 c002-r1"},
		{SweepOptions{Seed: 1, ReferenceEvery: 6}, "c001-r1 c003-r1 c005-r1 c000-r1 c004-r1 c002-r1"},
		{SweepOptions{Seed: 1, Repeats: 2, ReferenceEvery: 5}, "ref-01 c001-r1 c003-r1 c005-r1 c000-r1 c004-r1 ref-02 " +
			"c002-r1 c000-r2 c001-r2 c004-r2 c005-r2 ref-03 c003-r2 c002-r2 ref-04"},
	} {
		if diff := cmp.Diff(c.want, ids(c.opts)); diff != "" {
			t.Errorf("%+v: %s", c.opts, diff)
		}
	}
	if ids(SweepOptions{Seed: 1}) == ids(SweepOptions{Seed: 2}) {
		t.Error("another seed gives the same order")
	}
}

func TestCellsFingerprint(t *testing.T) {
	sign := func(src string, opts SweepOptions, texts ...string) string {
		s, err := Cells(parse(t, src), vary(t, texts...), opts)
		if err != nil {
			t.Fatal(err)
		}
		return s.Fingerprint
	}
	first := sign(overrideBase, SweepOptions{}, "linger.ms=0,5")
	if again := sign(overrideBase, SweepOptions{Overhead: time.Second}, "linger.ms=0,5"); again != first {
		t.Errorf("the same sweep has fingerprints %s and %s", first, again)
	}
	for _, other := range []string{
		sign(overrideBase, SweepOptions{Seed: 1}, "linger.ms=0,5"),
		sign(overrideBase, SweepOptions{Repeats: 2}, "linger.ms=0,5"),
		sign(overrideBase, SweepOptions{}, "linger.ms=0,6"),
		sign(strings.Replace(overrideBase, "1KiB", "2KiB", 1), SweepOptions{}, "linger.ms=0,5"),
	} {
		if other == first {
			t.Error("another sweep has the same fingerprint")
		}
	}
}

// TestCellsContradictions: what only some combinations contradict is listed, and what follows implicitly is noted.
func TestCellsContradictions(t *testing.T) {
	p := parse(t, overrideBase)
	s, err := Cells(p, vary(t, "acks=1,all"), SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range s.Cells {
		if off := c.Values[0] == "1"; c.Plan.Producer.EnableIdempotence == off || (len(c.Notes) > 0) != off {
			t.Errorf("acks=%s: idempotence %v, notes %q", c.Values[0], c.Plan.Producer.EnableIdempotence, c.Notes)
		}
	}
	if err := p.SetProducer("enable.idempotence", "true", "-X"); err != nil {
		t.Fatal(err)
	}
	s, err = Cells(p, vary(t, "acks=1,all", "linger.ms=0,5"), SweepOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Cells) != 2 || len(s.Refused) != 2 || s.Reference[0] != "all" {
		t.Fatalf("%d cells, %d refused, reference %v", len(s.Cells), len(s.Refused), s.Reference)
	}
	want := "-X: enable.idempotence: true contradicts acks=1: idempotence needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5"
	if got := s.Refused[0].Refused.Error(); got != want {
		t.Errorf("refused because of\n%s, want\n%s", got, want)
	}
}

func TestCellsOfOwnSweepAndTotal(t *testing.T) {
	p := parse(t, overrideBase+"sweep: {linger.ms: [0, 5], load.arrivals: [constant, poisson, max]}\n")
	s, err := Cells(p, nil, SweepOptions{Repeats: 2, Overhead: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Cells) != 12 || s.Total != 18*time.Second {
		t.Errorf("%d cells, %v; want 12, 18s", len(s.Cells), s.Total)
	}
	if len(s.Cells[0].Plan.Sweep) != 0 {
		t.Error("a cell's plan still has the sweep")
	}
}

func TestBadSweeps(t *testing.T) {
	golden(t, "bad_sweeps.txt", func(input string) string {
		var axes []Axis
		for _, text := range strings.Split(input, " + ") {
			a, err := ParseVary(text)
			if err != nil {
				return errorText(err)
			}
			axes = append(axes, a)
		}
		_, err := Cells(parse(t, overrideBase), axes, SweepOptions{})
		return errorText(err)
	})
}

func TestSplitList(t *testing.T) {
	for in, want := range map[string][]string{
		"0,5,20":                 {"0", "5", "20"},
		"a":                      {"a"},
		"{a: 1, b: [2, 3]},1KiB": {"{a: 1, b: [2, 3]}", "1KiB"},
		`"x,y",z`:                {`"x,y"`, "z"},
		"a,,b":                   {"a", "", "b"},
	} {
		if diff := cmp.Diff(want, splitList(in)); diff != "" {
			t.Errorf("%q: %s", in, diff)
		}
	}
}
