package workload

import (
	"testing"
	"time"
)

func checksum(t testing.TB, plan *Plan) string {
	t.Helper()
	sum, err := ScheduleChecksum(plan, mustSource(t, plan))
	if err != nil {
		t.Fatal(err)
	}
	return sum
}

// checksumPlan has some of everything.
func checksumPlan(change ...func(*Plan)) *Plan {
	p := testPlan(withKeys(KeySpec{Distribution: KeyZipf, Cardinality: 1000, S: 1.1, Size: 8}),
		withSizes(SizeSpec{Distribution: SizeLognormal, Median: 400, Sigma: 0.5, Max: 5000}),
		withHeaders(HeaderSpec{Key: "trace", Random: true, Size: 16}))
	p.Topics = []Topic{{Partitions: 1}, {Partitions: 3}}
	p.Load.Producers = 3
	for _, c := range change {
		c(p)
	}
	return p
}

// TestChecksumGolden pins the bytes and times of one plan: results of different versions and machines are compared by it.
func TestChecksumGolden(t *testing.T) {
	for _, tt := range []struct {
		name string
		plan *Plan
		want string
	}{
		{"poisson", checksumPlan(), "98023353cea91f7b"},
		{"constant", checksumPlan(func(p *Plan) { p.Load.Arrivals = ArrivalsConstant }), "98a8600a88b99201"},
		{"max", checksumPlan(func(p *Plan) { p.Load.Arrivals = ArrivalsMax }), "16f04fca85f6ba36"},
		{"file", testPlan(withFile("testdata/lines.jsonl")), "577eeb95b22f1fe3"},
		{"ramp", checksumPlan(func(p *Plan) { p.Load = withProducers(rampLoad(1000, 9000, time.Minute)) }), "3308b46ceccd3ba9"},
		{"poisson steps", checksumPlan(func(p *Plan) { p.Load = withProducers(poissonly(changing()["steps"])) }), "54abce63b43647b1"},
		{"burst", checksumPlan(func(p *Plan) { p.Load = withProducers(changing()["burst"]) }), "589cef796fb1d2c3"},
		{"trace", checksumPlan(withTrace(1000, 100, 7)), "8028232161e40853"},
	} {
		for range 2 { // and again: the same
			if got := checksum(t, tt.plan); got != tt.want {
				t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
			}
		}
	}
}

// TestChecksumSeesChanges: everything that changes the load changes the checksum.
func TestChecksumSeesChanges(t *testing.T) {
	seen := map[string]string{checksum(t, checksumPlan()): "the plan itself"}
	for name, change := range map[string]func(*Plan){
		"seed":            func(p *Plan) { p.Seed++ },
		"rate":            func(p *Plan) { p.Load.Rate.PerSecond *= 1.001 },
		"arrivals":        func(p *Plan) { p.Load.Arrivals = ArrivalsConstant },
		"max":             func(p *Plan) { p.Load.Arrivals = ArrivalsMax },
		"producers":       func(p *Plan) { p.Load.Producers = 2 },
		"topics":          func(p *Plan) { p.Topics = p.Topics[:1] },
		"keys":            withKeys(KeySpec{Distribution: KeyUniform, Cardinality: 1000, Size: 8}),
		"null keys":       withKeys(KeySpec{Distribution: KeyNone}),
		"zipf exponent":   withKeys(KeySpec{Distribution: KeyZipf, Cardinality: 1000, S: 1.2, Size: 8}),
		"sizes":           withSizes(SizeSpec{Distribution: SizeLognormal, Median: 401, Sigma: 0.5, Max: 5000}),
		"compressibility": func(p *Plan) { p.Records.Value.Compressibility = 0.6 },
		"header key":      withHeaders(HeaderSpec{Key: "trace2", Random: true, Size: 16}),
		"no headers":      withHeaders(),
	} {
		sum := checksum(t, checksumPlan(change))
		if seen[sum] != "" {
			t.Errorf("%s: the same checksum as %s", name, seen[sum])
		}
		seen[sum] = name
	}
}

func withProducers(l Load) Load {
	l.Producers = 3
	return l
}

// TestChecksumSeesAll: the checksum knows what comes after the records that it looks at.
func TestChecksumSeesAll(t *testing.T) {
	seen := map[string]string{}
	trace := func(change func(*Trace)) func(*Plan) {
		return func(p *Plan) {
			withTrace(3*checksumRecords, 100, 7)(p)
			change(p.Load.Trace.Data)
		}
	}
	load := func(l Load) func(*Plan) { return func(p *Plan) { p.Load = withProducers(l) } }
	const last = 3*checksumRecords - 1
	for name, change := range map[string]func(*Plan){
		"trace":        trace(func(*Trace) {}),
		"another time": trace(func(t *Trace) { t.times[last]++ }),
		"another size": trace(func(t *Trace) { t.sizes[last]++ }),
		"no last":      trace(func(t *Trace) { t.times, t.sizes = t.times[:last], t.sizes[:last] }),
		"repeated":     func(p *Plan) { trace(func(*Trace) {})(p); p.Load.Repeat = true },
		"faster":       func(p *Plan) { trace(func(*Trace) {})(p); p.Load.Trace.Factor = 2 },
		"steps":        load(stepsLoad(false, step(1e4, time.Minute), step(2e4, time.Minute))),
		"other steps":  load(stepsLoad(false, step(1e4, time.Minute), step(2e4+1, time.Minute))),
		"steps again":  load(stepsLoad(true, step(1e4, time.Minute), step(2e4, time.Minute))),
		"burst":        load(burstLoad(1e4, 2e4, time.Minute, time.Second)),
		"longer burst": load(burstLoad(1e4, 2e4, time.Minute, 2*time.Second)),
	} {
		sum := checksum(t, checksumPlan(change))
		if again := checksum(t, checksumPlan(change)); again != sum {
			t.Errorf("%s: %s, and again %s", name, sum, again)
		}
		if seen[sum] != "" {
			t.Errorf("%s: the same checksum as %s", name, seen[sum])
		}
		seen[sum] = name
	}
	p := checksumPlan(trace(func(*Trace) {})) // wherever the file is
	p.Load.Trace.File = "elsewhere.csv"
	if seen[checksum(t, p)] != "trace" {
		t.Error("the file's name changes the checksum")
	}
}

func TestChecksumError(t *testing.T) {
	plan := testPlan()
	p := mustSource(t, plan)
	plan.Load.Rate.PerSecond = 0
	if sum, err := ScheduleChecksum(plan, p); err == nil {
		t.Errorf("rate 0: %s and no error", sum)
	}
}

func BenchmarkChecksum(b *testing.B) {
	for name, plan := range map[string]*Plan{"default": testPlan(), "everything": checksumPlan()} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			p := mustSource(b, plan)
			for b.Loop() {
				if _, err := ScheduleChecksum(plan, p); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/checksumRecords, "ns/record")
		})
	}
}
