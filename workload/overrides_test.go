package workload

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// planText is the part of a plan's JSON that the tests below look at.
func planText(t *testing.T, p *Profile) string {
	t.Helper()
	plan, err := p.Plan()
	if err != nil {
		return err.Error()
	}
	var all map[string]json.RawMessage
	text, err := json.Marshal(plan)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join([]string{string(all["topics"]), string(all["records"]), string(all["load"]), string(all["producer"])}, " ")
}

func TestOverrides(t *testing.T) {
	const (
		topics  = `[{"name":"a","partitions":3,"replication.factor":1},{"name":"b","partitions":12,"replication.factor":1}]`
		records = `{"key":{"distribution":"zipf","cardinality":100000,"size":16,"s":1.1},"value":{"size":1024,"compressibility":0.5}}`
		load    = `{"arrivals":"poisson","rate":"1000/s","producers":1,"send":"async","warmup":"0s","duration":"1s"}`
		start   = topics + " " + records + " " + load + " {}"
	)
	for _, c := range []struct{ sets, old, new string }{
		{"", "", ""},
		{"records.value.size=100", `"size":1024`, `"size":100`},
		{"records.value=2KiB", `"size":1024`, `"size":2048`},
		{"records.value.file=testdata/bad_units.txt", `{"size":1024,"compressibility":0.5}`, `{"file":"testdata/bad_units.txt"}`},
		{"records.value.size={weighted: {100: 0.8, 10KiB: 0.2}}", `"size":1024`, `"size":{"weighted":{"100":0.8,"10240":0.2}}`},
		{"records.value.size={uniform: {min: 1, max: 2}} + records.value.size.uniform.max=9", `"size":1024`, `"size":{"uniform":{"min":1,"max":9}}`},
		{"records.key=none", `{"distribution":"zipf","cardinality":100000,"size":16,"s":1.1}`, `{"distribution":"none"}`},
		{"records.key.s=1.5", `"s":1.1`, `"s":1.5`},
		{"records.key.size=20", `"size":16`, `"size":20`},
		{"records.key.distribution=uniform", `{"distribution":"zipf","cardinality":100000,"size":16,"s":1.1}`, `{"distribution":"uniform","cardinality":100000,"size":16}`},
		{"records.headers.traceparent=random", `"compressibility":0.5}`, `"compressibility":0.5},"headers":{"traceparent":{"random":55}}`},
		{"records.headers.a.b={value: random}", `"compressibility":0.5}`, `"compressibility":0.5},"headers":{"a.b":{"value":"random"}}`},
		{"load.rate=20MiB/s", `"1000/s"`, `"20MiB/s"`},
		{"load.rate=max", `"arrivals":"poisson","rate":"1000/s"`, `"arrivals":"max"`},
		{"load.arrivals=max", `"arrivals":"poisson","rate":"1000/s"`, `"arrivals":"max"`},
		{"load.in.flight=50", `"arrivals":"poisson","rate":"1000/s"`, `"arrivals":"closed","in.flight":50`},
		{"load.in.flight=50 + load.producers=2", `"arrivals":"poisson","rate":"1000/s","producers":1`, `"arrivals":"closed","in.flight":50,"producers":2`},
		{"load.send=sync + load.arrivals=closed + load.producers=3", `"arrivals":"poisson","rate":"1000/s","producers":1,"send":"async"`,
			`"arrivals":"closed","in.flight":3,"producers":3,"send":"sync"`},
		{"load.ramp.from=10/s + load.ramp.to=20/s", `"poisson","rate":"1000/s",`, `"ramp","ramp":{"from":"10/s","to":"20/s","over":"1s"},"process":"constant",`},
		{"load.arrivals=ramp + load.ramp={from: 10/s, to: 20/s} + load.process=poisson + load.duration=5s", load,
			`{"arrivals":"ramp","ramp":{"from":"10/s","to":"20/s","over":"5s"},"process":"poisson","producers":1,"send":"async","warmup":"0s","duration":"5s"}`},
		{"load.steps=[{rate: 5/s, duration: 2s}, {rate: 6/s, duration: 3s}] + load.steps.1.rate=7/s", load,
			`{"arrivals":"steps","steps":[{"rate":"5/s","duration":"2s"},{"rate":"7/s","duration":"3s"}],"process":"constant","producers":1,"send":"async","warmup":"0s","duration":"5s"}`},
		{"load.burst={rate: 5/s, every: 300ms, for: 1ms} + load.burst.base=2/s", `"poisson","rate":"1000/s",`,
			`"burst","burst":{"base":"2/s","rate":"5/s","every":"300ms","for":"1ms"},"process":"constant",`},
		{"load.arrivals=trace + load.trace.file=testdata/traces/small.csv", load,
			`{"arrivals":"trace","trace":{"file":"testdata/traces/small.csv","factor":1},"producers":1,"send":"async","warmup":"0s","duration":"1.87475s"}`},
		{"load.duration=9s + load.trace=testdata/traces/small.csv + load.trace.factor=0.5 + load.repeat=true", load,
			`{"arrivals":"trace","repeat":true,"trace":{"file":"testdata/traces/small.csv","factor":0.5},"producers":1,"send":"async","warmup":"0s","duration":"9s"}`},
		{"load.trace=nosuch.csv + load.trace.file=testdata/traces/small.csv", load,
			`{"arrivals":"trace","trace":{"file":"testdata/traces/small.csv","factor":1},"producers":1,"send":"async","warmup":"0s","duration":"1.87475s"}`},
		{"load.records=500", `"duration":"1s"`, `"duration":"24h0m0s","records":500`},
		{"load.warmup=auto", `"warmup":"0s"`, `"warmup":"auto"`},
		{"topics.partitions=5", topics, strings.NewReplacer(":3,", ":5,", ":12,", ":5,").Replace(topics)},
		{"topics.1.partitions=5", ":12,", ":5,"},
		{"topics.1.name=c", `"b"`, `"c"`},
		{"topics.1.config.retention.ms=1h", `12,"replication.factor":1`, `12,"replication.factor":1,"config":{"retention.ms":"3600000"}`},
		{"topics=[x]", topics, `[{"name":"x","partitions":12,"replication.factor":1}]`},
		{"producer.linger.ms=7ms + producer.batch.size=1KiB", " {}", ` {"linger.ms":"7","batch.size":"1024"}`},
	} {
		p := parse(t, overrideBase)
		if c.sets != "" {
			for _, set := range strings.Split(c.sets, " + ") {
				path, value, _ := strings.Cut(set, "=")
				if err := p.Override("--set", path, value); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := strings.Replace(start, c.old, c.new, 1)
		if diff := cmp.Diff(want, planText(t, p)); diff != "" {
			t.Errorf("%s: %s", c.sets, diff)
		}
	}
}

// TestObjectiveSpellings: p99.9 is p999, also over a profile that has the other spelling; both at once are one too many.
func TestObjectiveSpellings(t *testing.T) {
	for _, written := range []string{"response.p999: 5ms", "response.p99.9: 5ms", "service.p99.99: 1s"} {
		for _, set := range []string{"objectives.response.p999", "objectives.response.p99.9"} {
			p := parse(t, "objectives: {"+written+"}")
			if err := p.Override("--set", set, "7ms"); err != nil {
				t.Fatal(err)
			}
			plan, err := p.Plan()
			if err != nil {
				t.Fatal(err)
			}
			last := plan.Objectives[len(plan.Objectives)-1]
			if last.Metric != "response.p999" || last.Max != 7*time.Millisecond || last.Text != strings.TrimPrefix(set, "objectives.")+": 7ms" {
				t.Errorf("%s over %s: %+v", set, written, plan.Objectives)
			}
			if want := 1 + strings.Count(written, "service"); len(plan.Objectives) != want {
				t.Errorf("%s over %s: %d objectives, want %d", set, written, len(plan.Objectives), want)
			}
		}
	}
	_, err := ParseProfile("p.yaml", []byte("objectives: {response.p99.9: 5ms, response.p999: 5ms}"))
	if want := "p.yaml:1:50: objectives.response.p999: the same objective as response.p99.9, given at p.yaml:1:14"; errorText(err) != want {
		t.Errorf("got %q, want %q", errorText(err), want)
	}
}

// TestSizeGivesWay: a distribution takes the place of the profile's single size, but not of a flag's.
func TestSizeGivesWay(t *testing.T) {
	p := parse(t, "records: {value: 1KiB}")
	if err := p.Override("--set", "records.value.size.lognormal.median", "2KiB"); err != nil {
		t.Fatal(err)
	}
	if err := p.Override("--set", "records.value.size.lognormal.sigma", "0.8"); err != nil {
		t.Fatal(err)
	}
	plan, err := p.Plan()
	if size := plan.Records.Value.Size; err != nil || size.Distribution != SizeLognormal || size.Median != 2048 || size.Sigma != 0.8 {
		t.Errorf("%v: %+v", err, size)
	}
	p = parse(t, "{}")
	if err := p.Override("--set", "records.value.size", "2KiB"); err != nil {
		t.Fatal(err)
	}
	if err := p.Override("--set", "records.value.size.lognormal.median", "2KiB"); err == nil || !strings.Contains(err.Error(), "a single value stands there") {
		t.Errorf("error %v", err)
	}
}

// TestOverridesOfNothing: paths that the profile doesn't have yet are made.
func TestOverridesOfNothing(t *testing.T) {
	p := parse(t, "{}")
	for _, set := range []string{"topics.partitions=4", "topics.config.flush.ms=5s", "records.key.distribution=hot", "records.key.hot.share=0.9",
		"records.value.size.fixed=5", "load.rate=90/s", "objectives.response.p99=5ms", "sweep.linger.ms=[0, 5]"} {
		path, value, _ := strings.Cut(set, "=")
		if err := p.Override("--set", path, value); err != nil {
			t.Fatal(err)
		}
	}
	want := `[{"name":"base","partitions":4,"replication.factor":1,"config":{"flush.ms":"5000"}}] ` +
		`{"key":{"distribution":"hot","cardinality":100000,"size":16,"hot.keys":1,"hot.share":0.9},"value":{"size":5,"compressibility":0.5}} ` +
		`{"arrivals":"constant","rate":"90/s","producers":1,"send":"async","warmup":"auto","duration":"30s"} {}`
	if diff := cmp.Diff(want, planText(t, p)); diff != "" {
		t.Error(diff)
	}
	plan, err := p.Plan()
	if err != nil || len(plan.Objectives) != 1 || len(plan.Sweep) != 1 {
		t.Errorf("%v: %v %v", err, plan.Objectives, plan.Sweep)
	}
}

// TestChangingLoadGivesWay: what a load that changes has in the profile gives way to another kind of load, and an automatic
// warm-up to a load that changes.
func TestChangingLoadGivesWay(t *testing.T) {
	for _, c := range []struct{ base, set, want string }{
		{"{ramp: {from: 1/s, to: 9/s}, process: poisson}", "load.rate=5/s", `{"arrivals":"constant","rate":"5/s",`},
		{"{arrivals: ramp, ramp: {from: 1/s, to: 9/s}, process: poisson}", "load.arrivals=max", `{"arrivals":"max","producers"`},
		{"{arrivals: burst, burst: {rate: 5/s, every: 2s, for: 1s}}", "load.rate=max", `{"arrivals":"max","producers"`},
		{"{arrivals: burst, burst: {rate: 5/s, every: 2s, for: 1s}}", "load.in.flight=7", `{"arrivals":"closed","in.flight":7,`},
		{"{arrivals: steps, steps: [{rate: 5/s, duration: 10s}], repeat: true, process: poisson}", "load.ramp={from: 1/s, to: 9/s}",
			`{"arrivals":"ramp","ramp":{"from":"1/s","to":"9/s","over":"30s"},"process":"poisson","producers"`},
		{"{arrivals: steps, steps: [{rate: 5/s, duration: 10s}], repeat: true, process: poisson}", "load.trace=testdata/traces/times.txt",
			`{"arrivals":"trace","repeat":true,"trace":{"file":"testdata/traces/times.txt","factor":1},"producers"`},
		{"{steps: [{rate: 5/s, duration: 10s}], duration: 4s}", "load.steps.0.rate=7/s", `"duration":"4s"`},
		{"{rate: 5/s, duration: 4s}", "load.steps=[{rate: 5/s, duration: 10s}]", `"duration":"10s"`},
		{"{rate: 5/s, warmup: auto}", "load.ramp={from: 1/s, to: 9/s}", `"warmup":"0s"`},
		{"{rate: 5/s, warmup: 2s}", "load.ramp={from: 1/s, to: 9/s}", `"warmup":"0s"`},
		{"{ramp: {from: 1/s, to: 9/s}, warmup: 2s}", "load.ramp.to=5/s", `"warmup":"2s"`},
		{"{in.flight: 5}", "load.burst={rate: 5/s, every: 2s, for: 1s}", `{"arrivals":"burst","burst":`},
	} {
		p := parse(t, "load: "+c.base)
		path, value, _ := strings.Cut(c.set, "=")
		if err := p.Override("--set", path, value); err != nil {
			t.Fatal(err)
		}
		if got := planText(t, p); !strings.Contains(got, c.want) {
			t.Errorf("%s with %s: %s, want %s in it", c.base, c.set, got, c.want)
		}
	}
}

// TestPrecedence: flags over variables over command-config over the profile, in the order of the calls.
func TestPrecedence(t *testing.T) {
	p := parse(t, overrideBase+"producer: {linger.ms: 1, acks: 1, retries: 7}\n")
	for _, err := range []error{
		p.SetProducer("linger.ms", "2", "client.properties:1"),
		p.SetProducer("acks", "0", "client.properties:2"),
		p.Override("KBENCH_RATE", "load.rate", "7/s"),
		p.Override("--set", "load.arrivals", "max"), // KBENCH_RATE gives way
		p.SetProducer("linger.ms", "3", "-X"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	if c := plan.Producer; c.Get("linger.ms") != "3" || c.Acks != 0 || c.Retries != 7 || plan.Load.Arrivals != ArrivalsMax {
		t.Errorf("got linger.ms %s, acks %d, retries %d, arrivals %s", c.Get("linger.ms"), c.Acks, c.Retries, plan.Load.Arrivals)
	}
	for path, want := range map[string]string{"producer.linger.ms": "-X", "producer.acks": "client.properties:2", "load.arrivals": "--set",
		"load.rate": "", "producer.retries": "base.yaml:6:44", "topics.0.partitions": "base.yaml:3:32", "load.send": ""} {
		if got := p.Where(path); got != want {
			t.Errorf("%s comes from %q, want %q", path, got, want)
		}
	}
	if err := p.SetProducer("enable.idempotence", "true", "-X"); err != nil {
		t.Fatal(err)
	}
	_, err = p.Plan()
	if want := "-X: enable.idempotence: true contradicts acks=0: idempotence needs acks=all, retries above 0 and max.in.flight.requests.per.connection of at most 5"; errorText(err) != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if err := p.SetProducer("acks", "2", "client.properties:2"); errorText(err) != `client.properties:2: acks: bad value "2": allowed all, -1, 0, 1` {
		t.Error(err)
	}
}

// TestFileIsRelativeToWhoNamesIt: in a profile to its folder, in a flag to the working directory.
func TestFileIsRelativeToWhoNamesIt(t *testing.T) {
	p, err := ParseProfile("testdata/x.yaml", []byte("records: {value: {file: bad_units.txt}}"))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		plan, err := p.Plan()
		if want := filepath.Join("testdata", "bad_units.txt"); err != nil || plan.Records.Value.File != want {
			t.Errorf("got %q, %v; want %q", plan.Records.Value.File, err, want)
		}
		if err := p.Override("--set", "records.value.file", "testdata/bad_units.txt"); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFailedOverrideChangesNothing also guards clones: cells must not see each other's values.
func TestFailedOverrideChangesNothing(t *testing.T) {
	p := parse(t, overrideBase)
	before := planText(t, p)
	c := p.Clone()
	if err := c.Override("--set", "topics.0.partitions", "99"); err != nil {
		t.Fatal(err)
	}
	if err := p.Override("--set", "load.rate", "abc"); err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(before, planText(t, p)); diff != "" {
		t.Error(diff)
	}
}

// TestEveryPathIsAField: the table of paths and the decoder know the same fields.
func TestEveryPathIsAField(t *testing.T) {
	for _, pattern := range profilePaths() {
		path := strings.NewReplacer("/*", "/0", "/", ".", "+", "zz").Replace(pattern)
		p := parse(t, "topics: [{name: a}]")
		// An odd value: an error about the value is fine, one about the key isn't.
		if err := p.Override("--set", path, "zz"); err != nil && strings.Contains(err.Error(), "unknown key") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
