package workload

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// everyForm uses every field of a profile.
const everyForm = `
name: every form
about: "One of each: quoted"
seed: 18446744073709551615
topics:
  - {name: orders, partitions: 3, replication.factor: 2, config: {min.insync.replicas: 1, segment.bytes: 64MiB, retention.ms: 1h}}
  - payments
records:
  key: {distribution: hot, cardinality: 1000, hot.keys: 10, hot.share: 0.9, size: 8}
  value:
    size: {lognormal: {median: 1KiB, sigma: 0.8, min: 10, max: 64KiB}}
    compressibility: 0.25
  headers: {traceparent: random, id: {random: 32}, source: shop 7, mode: {value: random}}
load:
  arrivals: poisson
  rate: 0.5MiB/s
  producers: 2
  send: sync
  warmup: 1500ms
  duration: 1m
  records: 10000
producer: {acks: 1, linger.ms: 7, batch.size: 16KiB, partitioner.class: org.apache.kafka.clients.producer.RoundRobinPartitioner}
driver: franz
sweep: {linger.ms: [0, 5], size: [100, {uniform: {min: 1, max: 2KiB}}], driver: [native, franz]}
objectives: {response.p99: 20ms, failed: 0, censored: 3, records_per_second: 500/s, generator_lateness.mean: 1us}
`

func TestProfileOfEveryForm(t *testing.T) {
	plan, err := parse(t, everyForm).Plan()
	if err != nil {
		t.Fatal(err)
	}
	want := Plan{
		Profile: "every form", About: "One of each: quoted", Seed: 1<<64 - 1,
		Topics: []Topic{
			{"orders", 3, 2, map[string]string{"min.insync.replicas": "1", "segment.bytes": "67108864", "retention.ms": "3600000"}},
			{"payments", 12, 1, nil},
		},
		Records: RecordSpec{
			Key: KeySpec{Distribution: KeyHot, Cardinality: 1000, HotKeys: 10, HotShare: 0.9, Size: 8},
			Value: ValueSpec{Size: SizeSpec{Distribution: SizeLognormal, Median: 1024, Sigma: 0.8, Min: 10, Max: 65536},
				Compressibility: 0.25},
			Headers: []HeaderSpec{{Key: "traceparent", Random: true, Size: 55}, {Key: "id", Random: true, Size: 32},
				{Key: "source", Value: "shop 7"}, {Key: "mode", Value: "random"}},
		},
		Load: Load{Arrivals: ArrivalsPoisson, Rate: Rate{512 << 10, true}, Producers: 2, Send: SendSync,
			Warmup: Warmup{Duration: 1500 * time.Millisecond}, Duration: time.Minute, Records: 10000},
		Driver: "franz",
		Sweep:  []Axis{{"linger.ms", []string{"0", "5"}}, {"size", []string{"100", "{uniform: {min: 1, max: 2KiB}}"}}, {"driver", []string{"native", "franz"}}},
		Objectives: []Objective{{"response.p99", 20 * time.Millisecond, 0, "response.p99: 20ms"}, {"failed", 0, 0, "failed: 0"},
			{"censored", 0, 3, "censored: 3"}, {"records_per_second", 0, 500, "records_per_second: 500/s"},
			{"generator_lateness.mean", time.Microsecond, 0, "generator_lateness.mean: 1us"}},
	}
	if diff := cmp.Diff(want, plan, cmpopts.IgnoreFields(Plan{}, "Producer")); diff != "" {
		t.Error(diff)
	}
	if c := plan.Producer; c.Acks != 1 || c.BatchSize != 16384 || c.Partitioner != PartitionerRoundRobin || c.EnableIdempotence || !c.Explicit("partitioner.class") {
		t.Errorf("producer is %+v", c)
	}
}

func TestShortFormsAndDefaults(t *testing.T) {
	fixed := func(n int) SizeSpec { return SizeSpec{Distribution: SizeFixed, Bytes: n} }
	base := Plan{
		Profile: "base", Seed: 1, Driver: "native", Topics: []Topic{{"base", 12, 1, nil}},
		Records: RecordSpec{Key: KeySpec{Distribution: KeyNone}, Value: ValueSpec{Size: fixed(1024), Compressibility: 0.5}},
		Load:    Load{Arrivals: ArrivalsMax, Producers: 1, Send: SendAsync, Warmup: Warmup{Auto: true}, Duration: 30 * time.Second},
	}
	for _, c := range []struct {
		src  string
		want func(*Plan)
	}{
		{"{}", func(*Plan) {}},
		{"name: a b/c", func(p *Plan) { p.Profile, p.Topics[0].Name = "a b/c", "a-b-c" }},
		{"topics: [x, y]", func(p *Plan) { p.Topics = []Topic{{"x", 12, 1, nil}, {"y", 12, 1, nil}} }},
		{"topics: [{partitions: 1}]", func(p *Plan) { p.Topics[0].Partitions = 1 }},
		{"records: {key: zipf}", func(p *Plan) { p.Records.Key = KeySpec{Distribution: KeyZipf, Cardinality: 100000, S: 1.1, Size: 16} }},
		{"records: {key: none}", func(*Plan) {}},
		{"records: {key: {distribution: sequential, cardinality: 9}}", func(p *Plan) { p.Records.Key = KeySpec{Distribution: KeySequential, Cardinality: 9, Size: 16} }},
		{"records: {value: 0}", func(p *Plan) { p.Records.Value.Size.Bytes = 0 }},
		{"records: {value: {size: {fixed: 1MB}}}", func(p *Plan) { p.Records.Value.Size.Bytes = 1e6 }},
		{"records: {value: {size: {uniform: {max: 9}}}}", func(p *Plan) {
			p.Records.Value.Size = SizeSpec{Distribution: SizeUniform, Min: 1, Max: 9}
		}},
		{"records: {value: {size: {lognormal: {median: 100}}}}", func(p *Plan) {
			p.Records.Value.Size = SizeSpec{Distribution: SizeLognormal, Median: 100, Sigma: 0.5, Min: 1, Max: 6400}
		}},
		{"records: {value: {file: bad_units.txt}}", func(p *Plan) { p.Records.Value = ValueSpec{File: filepath.Join("testdata", "bad_units.txt")} }},
		{"load: {rate: 5/s}", func(p *Plan) { p.Load.Arrivals, p.Load.Rate.PerSecond = ArrivalsConstant, 5 }},
		{"load: {rate: max}", func(*Plan) {}},
		{"load: {in.flight: 7}", func(p *Plan) { p.Load.Arrivals, p.Load.InFlight = ArrivalsClosed, 7 }},
		{"load: {arrivals: closed, send: sync, producers: 3}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Send, p.Load.Producers, p.Load.InFlight = ArrivalsClosed, SendSync, 3, 3
		}},
		{"load: {ramp: {from: 10/s, to: 1KiB/s}}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup = ArrivalsRamp, ArrivalsConstant, Warmup{}
			p.Load.Ramp = Ramp{Rate{10, false}, Rate{1024, true}, 30 * time.Second}
		}},
		{"load: {arrivals: ramp, ramp: {from: 10/s, to: 20/s, over: 9s}, process: poisson, warmup: 2s}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup.Auto, p.Load.Warmup.Duration = ArrivalsRamp, ArrivalsPoisson, false, 2*time.Second
			p.Load.Ramp, p.Load.Duration = Ramp{Rate{10, false}, Rate{20, false}, 9 * time.Second}, 9*time.Second
		}},
		{"load: {ramp: {from: 10/s, to: 20/s, over: 9s}, duration: 1m}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup = ArrivalsRamp, ArrivalsConstant, Warmup{}
			p.Load.Ramp, p.Load.Duration = Ramp{Rate{10, false}, Rate{20, false}, 9 * time.Second}, time.Minute
		}},
		{"load: {steps: [{rate: 5/s, duration: 10s}, {rate: 1/m, duration: 1h}], repeat: true}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup, p.Load.Repeat = ArrivalsSteps, ArrivalsConstant, Warmup{}, true
			p.Load.Steps, p.Load.Duration = []Step{{Rate{5, false}, 10 * time.Second}, {Rate{1.0 / 60, false}, time.Hour}}, time.Hour+10*time.Second
		}},
		{"load: {burst: {rate: 5/s, every: 10s, for: 1s}}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup = ArrivalsBurst, ArrivalsConstant, Warmup{}
			p.Load.Burst = Burst{Rate{}, Rate{5, false}, 10 * time.Second, time.Second}
		}},
		{"load: {burst: {base: 0.0 B/s, rate: 5/s, every: 10s, for: 1s}, records: 100}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Process, p.Load.Warmup = ArrivalsBurst, ArrivalsConstant, Warmup{}
			p.Load.Burst, p.Load.Records, p.Load.Duration = Burst{Rate{}, Rate{5, false}, 10 * time.Second, time.Second}, 100, 24*time.Hour
		}},
		{"load: {trace: traces/times.txt}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Warmup, p.Load.Duration = ArrivalsTrace, Warmup{}, 1500*time.Millisecond
			p.Load.Trace = TraceSpec{File: filepath.Join("testdata", "traces", "times.txt"), Factor: 1}
		}},
		{"load: {trace: {file: traces/times.txt, factor: 2}, warmup: 100ms}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Warmup, p.Load.Duration = ArrivalsTrace, Warmup{Duration: 100 * time.Millisecond}, 650*time.Millisecond
			p.Load.Trace = TraceSpec{File: filepath.Join("testdata", "traces", "times.txt"), Factor: 2}
		}},
		{"load: {trace: traces/times.txt, repeat: true, duration: 1m, warmup: 5s}", func(p *Plan) {
			p.Load.Arrivals, p.Load.Warmup, p.Load.Duration, p.Load.Repeat = ArrivalsTrace, Warmup{Duration: 5 * time.Second}, time.Minute, true
			p.Load.Trace = TraceSpec{File: filepath.Join("testdata", "traces", "times.txt"), Factor: 1}
		}},
		{"load: {warmup: 0s}", func(p *Plan) { p.Load.Warmup = Warmup{} }},
		{"load: {records: 10}", func(p *Plan) { p.Load.Records, p.Load.Duration = 10, 24*time.Hour }},
		{"about: |\n  two\n  lines\n", func(p *Plan) { p.About = "two\nlines" }},
	} {
		p, err := ParseProfile(filepath.Join("testdata", "base.yaml"), []byte(c.src))
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		got, err := p.Plan()
		if err != nil {
			t.Errorf("%s: %v", c.src, err)
			continue
		}
		want := base
		want.Topics = []Topic{base.Topics[0]}
		c.want(&want)
		if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Plan{}, "Producer"), cmpopts.IgnoreFields(TraceSpec{}, "Data")); diff != "" {
			t.Errorf("%s: %s", c.src, diff)
		}
	}
}

// roundTrip writes a plan, reads it back as a profile and compares.
func roundTrip(t *testing.T, name string, plan Plan) {
	t.Helper()
	text, err := json.Marshal(plan)
	if err != nil {
		t.Fatal(err)
	}
	p, err := ParseProfile("plan.json", text)
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	again, err := p.Plan()
	if err != nil {
		t.Fatalf("%s: %v\n%s", name, err, text)
	}
	opts := []cmp.Option{cmp.AllowUnexported(ProducerConfig{}, Trace{}), cmpopts.EquateEmpty(), cmpopts.IgnoreFields(Objective{}, "Text"),
		cmpopts.IgnoreFields(ProducerConfig{}, "set")} // the texts as written; which are there shows in the JSON
	if diff := cmp.Diff(plan, again, opts...); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
	if second, err := json.Marshal(again); err != nil || string(second) != string(text) {
		t.Errorf("%s: %v: written again as\n%s, want\n%s", name, err, second, text)
	}
}

func TestPlanReadsBackAsProfile(t *testing.T) {
	for name, src := range map[string]string{"every form": everyForm, "empty": "{}", "closed": "load: {in.flight: 3}",
		"raised": "producer: {request.timeout.ms: 200s}", "weighted": "records: {value: {size: {weighted: {1: 2, 30: 0.5}}}}",
		"odd rate": "load: {rate: 10B/m, duration: 3h}", "file": "records: {value: {file: testdata/bad_units.txt}}",
		"ramp": "load: {ramp: {from: 0.1/s, to: 10B/m, over: 1h}, process: poisson, duration: 2h}", "steps": "load: {steps: [{rate: 1/m, duration: 5m}], repeat: true}",
		"burst": "load: {burst: {rate: 5/s, every: 10s, for: 1s}}", "base": "load: {burst: {base: 1MiB/s, rate: 1e9/s, every: 10s, for: 1us}, warmup: 1s}",
		"trace": "load: {trace: testdata/traces/small.csv}", "trace again": "load: {trace: {file: testdata/traces/small.csv.gz, factor: 0.3}, repeat: true, warmup: 1s, duration: 9s}",
		"trace's start": "load: {trace: testdata/traces/small.csv, warmup: 1s, duration: 100ms}", "trace's records": "load: {trace: testdata/traces/small.csv, records: 3}",
		"key": "records: {key: zipf}", "text": "name: '{a: \"b\"}'\nabout: \"\\u00e9 \\\\ # : é\""} {
		plan, err := parse(t, src).Plan()
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		roundTrip(t, name, plan)
	}
	files, err := filepath.Glob("../profiles/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		plan, err := parse(t, string(src)).Plan()
		if err != nil {
			t.Fatal(err)
		}
		roundTrip(t, file, plan)
	}
}

// TestValidatePlan: a plan built by hand is checked by the same rules, without places.
func TestValidatePlan(t *testing.T) {
	plan, err := parse(t, "{}").Plan()
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Validate(); err != nil {
		t.Error(err)
	}
	plan.Load.Rate.PerSecond = -5
	plan.Load.Producers = 0
	plan.Records.Value.Size.Distribution = "odd"
	plan.Records.Key.Distribution = ""
	plan.Topics = nil
	plan.Objectives = []Objective{{Metric: "x"}, {Metric: "response.p50"}}
	want := `topics: there is none: at least one is needed
records.key.distribution: bad value "": allowed none, sequential, uniform, zipf, hot
records.value.size: bad value "odd": allowed fixed, uniform, lognormal, weighted
load.producers: bad value "0": allowed 1 to 1024
load.rate: rate out of range "-5/s": allowed 1/h to 1000000000/s, or bytes up to 1TiB/s, or max
load.rate: -5/s contradicts arrivals max, which has no rate of its own: leave one of them out
objectives: bad value "x": allowed ` + strings.Join(ObjectiveMetrics(), ", ") + `
objectives.response.p50: bad value "0s": allowed a duration above 0`
	if diff := cmp.Diff(want, errorText(plan.Validate())); diff != "" {
		t.Error(diff)
	}
}

func TestObjectiveString(t *testing.T) {
	plan, err := parse(t, "objectives: {response.p99: 20ms, failed: 0, records_per_second: 500}").Plan()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, o := range plan.Objectives {
		got = append(got, o.String())
	}
	if diff := cmp.Diff([]string{"response.p99 ≤ 20ms", "failed ≤ 0", "records_per_second ≥ 500"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestDeepYAML: nesting is refused before it can exhaust the stack.
func TestDeepYAML(t *testing.T) {
	for _, src := range []string{strings.Repeat("[", 100_000), strings.Repeat("- ", 100_000), strings.Repeat("{a: ", 60_000),
		strings.Repeat("? ", 100_000), strings.Repeat("a: ", 80_000), "a: " + strings.Repeat("x", maxProfileBytes)} {
		if _, err := ParseProfile("deep.yaml", []byte(src)); err == nil {
			t.Errorf("%.20s…: no error", src)
		}
	}
}

func FuzzParseProfile(f *testing.F) {
	f.Add([]byte(everyForm))
	f.Add([]byte(overrideBase))
	f.Add([]byte("load: {ramp: {from: 0.1/s, to: 10B/m, over: 1h}, process: poisson, duration: 2h}"))
	f.Add([]byte("load:\n  steps:\n  - {rate: 1/m, duration: 5m}\n  repeat: true\nobjectives: {response.p99: 5ms}"))
	f.Add([]byte("load: {arrivals: burst, burst: {base: 1MiB/s, rate: 1e9/s, every: 10s, for: 1us}, warmup: 1s}"))
	f.Add([]byte("load: {trace: {file: testdata/traces/small.csv, factor: 0.3}, repeat: true, warmup: 1s, duration: 9s}"))
	f.Add([]byte("a: &x 1\nb: *x\n<<: {c: !!str d}\n? e\n: [f, 'g', \"h\"]\n--- |\n  x"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := ParseProfile("fuzz.yaml", src)
		if err != nil {
			if strings.TrimSpace(err.Error()) == "" {
				t.Error("an error without a text")
			}
			return
		}
		plan, err := p.Plan()
		if err != nil {
			return
		}
		roundTrip(t, "fuzz", plan)
	})
}
