package bench

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// acknowledged is a producer that acknowledges nothing by itself.
type acknowledged struct{}

func (acknowledged) Send(context.Context, []workload.Record) error { return nil }
func (acknowledged) Flush(context.Context) error                   { return nil }
func (acknowledged) Close() error                                  { return nil }

// lonelyWorker is a worker of a run that doesn't go on by itself.
func lonelyWorker(t testing.TB, arrivals string) (*run, *worker) {
	t.Helper()
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Arrivals = arrivals })
	r := &run{plan: plan, payloads: payloads(t, plan), clock: metrics.NewClock(), collector: metrics.NewCollector(1), stop: make(chan struct{})}
	w, err := r.newWorker(0, 1024)
	if err != nil {
		t.Fatal(err)
	}
	w.producer = acknowledged{}
	r.workers = []*worker{w}
	r.phases.end.Store(never)
	return r, w
}

// TestLateRecordsAreTakenOutOneByOne: of five records, one is late by the generator, one as late by the client's
// back-pressure, one in time, one late in the warm-up, and one for the most part by back-pressure. Only the first one's response
// is left out.
func TestLateRecordsAreTakenOutOneByOne(t *testing.T) {
	r, w := lonelyWorker(t, workload.ArrivalsConstant)
	const ms = int64(time.Millisecond)
	r.phases.measure.Store(10 * ms)
	hand := func(due, handed, idle int64) uint32 {
		if !w.takeSlots() {
			t.Fatal("no slots")
		}
		w.due[0] = due
		w.fill(1)
		w.hand(context.Background(), 1, handed, idle)
		return w.recs[0].Slot
	}
	slots := []uint32{
		hand(5*ms, 8*ms, 5*ms),      // in the warm-up
		hand(20*ms, 25*ms, 19*ms),   // free, and 5 ms late
		hand(20*ms, 25*ms, 25*ms),   // held up for 5 ms
		hand(30*ms, 30*ms+9, 29*ms), // in time
	}
	// Behind for 400 ms, of which a stop explains 10: that is a client with too much to do.
	w.blame = blame{stopped: 10 * ms, held: 390 * ms}
	slots = append(slots, hand(40*ms, 440*ms, 440*ms))
	w.blame = blame{}
	var acks []driver.Ack
	for _, s := range slots {
		acks = append(acks, driver.Ack{Slot: s})
	}
	w.onAcks(acks)
	w.ack.Flush()
	if w.late != (counts{1, 1}) || w.lateResponse.Histogram().Total() != 1 {
		t.Errorf("%v late, %d responses of them", w.late, w.lateResponse.Histogram().Total())
	}
	onTime := r.onTime(r.collector.Finish())
	if onTime.Total() != 3 {
		t.Errorf("%d responses in time, want 3", onTime.Total())
	}
	if w.returned != 5 || w.out.Load() != 5 || w.free.tail.Load() != 5 {
		t.Errorf("%d returned, %d out, %d back", w.returned, w.out.Load(), w.free.tail.Load())
	}
}

// realised hands Poisson arrivals over as a generator does that is late by lateness(n) ns for record n, to a client whose Send
// takes blocked ns, and returns the p-value of what the sample makes of it.
func realised(mean float64, blocked int64, lateness func(n int) int64) float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	g := newGapSample(1, time.Second)
	due, at := []int64{}, 0.0
	for range 200_000 {
		at += rng.ExpFloat64() * mean
		due = append(due, int64(at))
	}
	idle := int64(0)
	for n := 0; n < len(due); {
		handed := max(due[n], idle) + lateness(n)
		first := n
		for n < len(due) && due[n] <= handed && n-first < burst {
			n++
		}
		g.note(due[first:n], handed, idle)
		idle = handed + blocked
	}
	return exponentialP(g.gaps, time.Duration(mean))
}

func TestArrivals(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	clean := func(int) int64 { return 30 + rng.Int64N(40) }
	tests := []struct {
		name     string
		mean     float64
		blocked  int64
		lateness func(int) int64
		passes   bool
	}{
		{"100k/s", 10_000, 30, clean, true},
		{"1k/s", 1_000_000, 30, clean, true},
		{"a client that takes 2 µs a call", 10_000, 2000, clean, true},
		{"a client that takes 100 µs a call", 10_000, 100_000, clean, true},
		{"one record in a thousand is 30 µs late", 10_000, 30, func(n int) int64 {
			if n%1000 == 0 {
				return 30_000
			}
			return clean(n)
		}, true},
		{"always about 100 µs late", 10_000, 30, func(int) int64 { return rng.Int64N(200_000) }, false},
		{"every tenth wake-up is 1 ms late", 10_000, 30, func(n int) int64 {
			if n%10 == 0 {
				return 1_000_000
			}
			return clean(n)
		}, false},
		{"late by about a gap", 10_000, 30, func(int) int64 { return rng.Int64N(20_000) }, false},
		{"a millisecond's timer", 100_000, 30, func(int) int64 { return 500_000 + rng.Int64N(1_000_000) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if p := realised(tt.mean, tt.blocked, tt.lateness); (p >= arrivalsAlpha) != tt.passes || p < 0 || p > 1 {
				t.Errorf("p %v, passes: want %v", p, tt.passes)
			}
		})
	}
	if p := exponentialP(make([]int64, gapsNeeded-1), time.Millisecond); p != -1 {
		t.Errorf("too few gaps: p %v", p)
	}
}

// TestGapSampleIsSpread: it takes its stretches from the whole run, and no more than it has room for.
func TestGapSampleIsSpread(t *testing.T) {
	g := newGapSample(1, 16*time.Second)
	var taken []int64
	for at := int64(0); at < int64(20*time.Second); at += 100_000 {
		before := len(g.gaps)
		g.note([]int64{at}, at, at)
		if len(g.gaps) > before && (len(taken) == 0 || at-taken[len(taken)-1] > int64(time.Second)/10) {
			taken = append(taken, at)
		} else if len(taken) > 0 && len(g.gaps) > before {
			taken[len(taken)-1] = at
		}
	}
	if len(taken) != gapStretches || len(g.gaps) != gapsTested || taken[len(taken)-1] < int64(15*time.Second) {
		t.Errorf("%d gaps in %d stretches, the last until %v", len(g.gaps), len(taken), time.Duration(taken[len(taken)-1]))
	}
}

func TestSampleMeans(t *testing.T) {
	var s sampleMeans
	if mean, _ := s.mean(); !math.IsNaN(mean) {
		t.Errorf("mean of nothing: %v", mean)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	// A correlated series, of which the standard error of independent values would be 4.4 times too small.
	x, n, missed := 0.0, 20_000, 0
	for range 100 {
		s = sampleMeans{}
		for range n {
			x = 0.9*x + rng.NormFloat64()
			s.add(7+x, 1+rng.Float64())
		}
		mean, stderr := s.mean()
		if math.Abs(mean-7) > 2.5*stderr {
			missed++
		}
	}
	if missed > 8 {
		t.Errorf("%d of 100 means lie more than 2.5 standard errors from the truth", missed)
	}
	s = sampleMeans{}
	s.add(1, 3)
	s.add(5, 1)
	if mean, stderr := s.mean(); mean != 2 || !math.IsInf(stderr, 1) {
		t.Errorf("weighted mean %v ± %v", mean, stderr)
	}
}

// TestWatchCountsInFlight: what was handed over and hasn't come back.
func TestWatchCountsInFlight(t *testing.T) {
	r, w := lonelyWorker(t, workload.ArrivalsConstant)
	watch := newWatch(r)
	w.out.Store(10)
	watch.sample(1000)
	w.free.tail.Store(6)
	watch.sample(2000) // 10, then 4
	watch.sample(5000) // 4 all the time
	if mean, _ := watch.samples.mean(); mean != (7*1000+4*3000)/4000. || watch.first != 10 || watch.last != 4 {
		t.Errorf("mean %v, first %v, last %v", mean, watch.first, watch.last)
	}
}

// TestWatchNoticesStops: only waking far too late counts, and no more of it than lies in the measured part.
func TestWatchNoticesStops(t *testing.T) {
	var w watch
	w.woke(1000, 1000+int64(stoodStill)-1)
	w.woke(0, 5*int64(stoodStill))
	w.woke(100, 100+3*int64(stoodStill))
	w.woke(math.MaxInt64, 9*int64(stoodStill)) // the measurement hasn't begun
	if w.still != 8*int64(stoodStill) || w.longest != 5*int64(stoodStill) {
		t.Errorf("stood still for %d, at the longest for %d", w.still, w.longest)
	}
}

// TestLittlesLawHolds on a real run: what the watch counts is what the service times and the rate say.
func TestLittlesLawHolds(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Duration = 2 * time.Second })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{hold: 50 * time.Millisecond})})
	if e := res.Evidence; e.InFlightMean < 25 || math.Abs(e.LittleRatio-1) > 0.2 {
		t.Errorf("%v in flight, ratio %v", e.InFlightMean, e.LittleRatio)
	}
}

// TestEvidenceOfARun: on a real run everything that can be said is said, and placed in time.
func TestEvidenceOfARun(t *testing.T) {
	for _, arrivals := range []string{workload.ArrivalsPoisson, workload.ArrivalsMax} {
		plan := testPlan(t, func(p *workload.Plan) {
			p.Load.Arrivals, p.Load.Warmup.Duration = arrivals, 100*time.Millisecond
			if arrivals == workload.ArrivalsMax {
				p.Load.Rate = workload.Rate{}
			}
		})
		res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{hold: time.Millisecond})})
		e, paced := res.Evidence, arrivals == workload.ArrivalsPoisson
		if e.CPUShare < 0 || e.CPUShare > 1.5 || e.GCPauseMaxNS < 0 || e.SchedulerP99NS < 0 || e.InFlightMean < 0 || e.ResponseP99OnTime <= 0 || e.WarmupCut != -1 {
			t.Errorf("%s: %+v", arrivals, e)
		}
		if (e.LateShare >= 0) != paced || (e.AchievedShare >= 0) != paced || (e.ArrivalsP >= 0) != paced {
			t.Errorf("%s: %+v", arrivals, e)
		}
		if tm := res.Timing; tm.StartMonotonic != 0 {
			if off := (tm.EndMonotonic - tm.StartMonotonic) - (tm.EndRun - tm.StartRun); off > 1e6 || off < -1e6 || tm.EndRun < int64(time.Second) {
				t.Errorf("%s: timing %+v", arrivals, tm)
			}
		}
	}
}

// TestWrongSettingReadBack: a client that has another linger.ms than it was asked for makes the run invalid; one whose table
// says that it has no such setting doesn't.
func TestWrongSettingReadBack(t *testing.T) {
	effective := map[string]string{}
	plan := testPlan(t, nil)
	for _, s := range driver.Settings() {
		effective[s.Name] = plan.Producer.Get(s.Name)
	}
	effective["linger.ms"], effective["reconnect.backoff.ms"] = "17", "100"
	d := fakeDriver(&fakeClient{})
	open := d.Open
	d.Open = func(ctx context.Context, c driver.Config, ack driver.AckFunc) (driver.Session, error) {
		s, err := open(ctx, c, ack)
		s.Effective = effective
		return s, err
	}
	d.Capabilities = []driver.Capability{{Setting: "reconnect.backoff.ms", Support: driver.Unsupported, How: "it waits 100 ms"}}
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: d})
	v := res.Verdict
	said := slices.ContainsFunc(v.Reasons, func(s string) bool {
		return s == "configuration: linger.ms="+plan.Producer.Get("linger.ms")+" was asked for, and the client says 17"
	})
	if v.State != "invalid" || v.Cause != metrics.CauseConfiguration || !said || len(res.Driver.DiffersFromAsked) != 2 {
		t.Errorf("verdict %+v, differs %v", v, res.Driver.DiffersFromAsked)
	}
	if slices.ContainsFunc(v.Reasons, func(s string) bool { return s != v.Reasons[0] && len(s) > 14 && s[:14] == "configuration:" }) {
		t.Errorf("reasons %q: a difference that the table allows for is among them", v.Reasons)
	}
}
