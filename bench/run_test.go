package bench

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"kbench/driver/null"
	"kbench/metrics"
	"kbench/workload"
)

func mustRun(t *testing.T, ctx context.Context, opts Options) *metrics.Result {
	t.Helper()
	opts.Topics, opts.Payloads = []string{"t"}, payloads(t, opts.Plan)
	res, err := Run(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	tot := res.Totals
	if tot.Acked+tot.Failed+tot.Censored != tot.Scheduled {
		t.Errorf("%d acked + %d failed + %d censored ≠ %d scheduled", tot.Acked, tot.Failed, tot.Censored, tot.Scheduled)
	}
	if n := res.Latency.Response.Count; n != tot.Acked+tot.Censored {
		t.Errorf("response has %d values, want %d acked + %d censored", n, tot.Acked, tot.Censored)
	}
	return res
}

func TestRunCountsEveryRecord(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Warmup.Duration = 500 * time.Millisecond; p.Load.Producers = 3 })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{hold: time.Millisecond})})
	if got := res.Totals; got.Scheduled != 1000 || got.Acked != 1000 || got.WarmupRecords != 500 || got.Bytes != 100_000 {
		t.Errorf("totals %+v", got)
	}
	if min := res.Latency.Response.Min; min < int64(time.Millisecond) {
		t.Errorf("a response of %d ns, though each record was held for 1 ms", min)
	}
	if res.Latency.Response.Count != 1000 || res.Latency.GeneratorLateness.Count != 1000 {
		t.Errorf("latency counts %+v", res.Latency)
	}
}

// TestStalledSendIsBackpressure: a Send that blocks 300 ms delays the records due meanwhile. Their response counts from
// when they were due, and the delay is the client's, not the generator's.
func TestStalledSendIsBackpressure(t *testing.T) {
	sent := 0
	block := func(n int) {
		if sent += n; sent >= 500 && sent-n < 500 {
			time.Sleep(300 * time.Millisecond)
		}
	}
	res := mustRun(t, context.Background(), Options{Plan: testPlan(t, nil), Driver: fakeDriver(&fakeClient{block: block})})
	if got := res.Totals; got.Scheduled != 1000 || got.Acked != 1000 {
		t.Errorf("totals %+v", got)
	}
	l := res.Latency
	if l.Response.Max < 295e6 || l.Backpressure.Max < 290e6 {
		t.Errorf("response max %d, back-pressure max %d: the stall of 300 ms is missing", l.Response.Max, l.Backpressure.Max)
	}
	if l.Response.P90 < 150e6 {
		t.Errorf("response p90 %d: a quarter of the records waited over 50 ms", l.Response.P90)
	}
	if l.GeneratorLateness.P95 > 100e6 {
		t.Errorf("generator lateness p95 %d: the stall was counted as the generator's", l.GeneratorLateness.P95)
	}
}

// TestUnfinishedIsCensored: records that never come back are counted with their age, not dropped.
func TestUnfinishedIsCensored(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Producer.DeliveryTimeout = -drainSlack + 200*time.Millisecond })
	plan.Load.Send = workload.SendAsync
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{limit: 600})})
	if got := res.Totals; got.Scheduled != 1000 || got.Acked != 600 || got.Censored != 400 {
		t.Errorf("totals %+v", got)
	}
	if res.Latency.Response.P95 < 200e6 {
		t.Errorf("response p95 %d: the censored records' age is missing", res.Latency.Response.P95)
	}
}

// TestOverloadIsCensoredAndInvalid: a client that takes a tenth of the rate. The backlog is cut off after the grace, and
// counted.
func TestOverloadIsCensoredAndInvalid(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) {
		p.Load.Rate.PerSecond = 10_000
		p.Producer.DeliveryTimeout = 300 * time.Millisecond // bounds the grace as well
	})
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{block: func(n int) { time.Sleep(time.Duration(n) * time.Millisecond) }})})
	got := res.Totals
	if got.Scheduled != 10_000 || got.Censored < 8000 {
		t.Errorf("totals %+v", got)
	}
	if res.Verdict.State != "invalid" {
		t.Errorf("verdict %+v", res.Verdict)
	}
}

func TestFailuresKeepTheirCause(t *testing.T) {
	fail := func(n int) error {
		if n%10 == 0 {
			return errors.New("REQUEST_TIMED_OUT")
		}
		return nil
	}
	res := mustRun(t, context.Background(), Options{Plan: testPlan(t, nil), Driver: fakeDriver(&fakeClient{fail: fail})})
	if got := res.Totals; got.Failed != 100 || got.Acked != 900 || got.Errors["REQUEST_TIMED_OUT"] != 100 {
		t.Errorf("totals %+v", got)
	}
}

// TestSyncSendsOneByOne: with 5 ms of service and one record in flight, 1,000/s can't be kept, and the wait is
// back-pressure.
func TestSyncSendsOneByOne(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) {
		p.Load.Send = workload.SendSync
		p.Producer.DeliveryTimeout = 100 * time.Millisecond
	})
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{hold: 5 * time.Millisecond})})
	if got := res.Totals; got.Acked > 230 || got.Acked < 20 || got.Scheduled != 1000 {
		t.Errorf("totals %+v", got)
	}
	if res.Latency.Service.P50 > res.Latency.Response.P50 || res.Latency.Backpressure.P50 < 50e6 {
		t.Errorf("latency %+v", res.Latency)
	}
}

func TestFireAndForgetDoesNotDrain(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Send = workload.SendFireAndForget })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{limit: 900})})
	if got := res.Totals; got.Acked != 900 || got.Censored != 100 || got.Failed != 0 {
		t.Errorf("totals %+v", got)
	}
}

// afterRecords is a fakeClient's block that calls do once, when so many records were sent. A run that doesn't stop then lasts
// for an hour.
func afterRecords(n int, do func()) func(int) {
	sent, once := 0, sync.Once{}
	return func(more int) {
		if sent += more; sent >= n {
			once.Do(do)
		}
	}
}

func TestCancelKeepsWhatWasMeasured(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Duration = time.Hour })
	res := mustRun(t, ctx, Options{Plan: plan, Driver: fakeDriver(&fakeClient{block: afterRecords(100, cancel)})})
	if !res.Interrupted || res.Totals.Scheduled < 100 || res.Totals.Censored != 0 {
		t.Errorf("interrupted %v, totals %+v", res.Interrupted, res.Totals)
	}
}

func TestAbortGivesUpAtOnce(t *testing.T) {
	abort := make(chan struct{})
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Duration = time.Hour })
	client := &fakeClient{limit: 50, block: afterRecords(100, func() { close(abort) })}
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(client), Abort: abort})
	// What was acknowledged in time counts; how much that is, is the machine's affair.
	if got := res.Totals; got.Acked > 50 || got.Censored != got.Scheduled-got.Acked || got.Scheduled < 100 {
		t.Errorf("totals %+v", got)
	}
}

// TestOwnStopIsCensored: what Send still had in its hands when the harness stopped it is unfinished, and not the client's
// failure.
func TestOwnStopIsCensored(t *testing.T) {
	abort := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() { close(abort) })
	plan := testPlan(t, func(p *workload.Plan) {
		p.Load.Arrivals, p.Load.Rate, p.Load.Duration = workload.ArrivalsMax, workload.Rate{}, time.Hour
	})
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{room: 128}), Abort: abort})
	if got := res.Totals; got.Acked != 128 || got.Censored != got.Scheduled-128 || got.Censored == 0 || got.Failed != 0 || len(got.Errors) != 0 {
		t.Errorf("totals %+v", got)
	}
}

// TestClientDies: a client that can't be used any more ends the load, whatever the arrivals; what was due until then is
// counted, nothing later is invented, and the run is invalid.
func TestClientDies(t *testing.T) {
	for name, change := range map[string]func(*workload.Plan){
		"constant": func(p *workload.Plan) { p.Load.Duration = time.Hour },
		"auto":     func(p *workload.Plan) { p.Load.Warmup.Auto = true },
		"max":      func(p *workload.Plan) { p.Load.Arrivals, p.Load.Rate = workload.ArrivalsMax, workload.Rate{} },
	} {
		t.Run(name, func(t *testing.T) {
			plan := testPlan(t, change)
			plan.Load.Producers = 2
			begun := time.Now()
			res, err := Run(context.Background(), Options{Plan: plan, Payloads: payloads(t, plan), Topics: []string{"t"},
				Driver: fakeDriver(&fakeClient{dies: 250})})
			if !errors.Is(err, errDead) || res == nil {
				t.Fatalf("error %v, result %v", err, res)
			}
			if time.Since(begun) > 10*time.Second {
				t.Errorf("took %v", time.Since(begun))
			}
			tot := res.Totals
			all := tot.Scheduled + tot.WarmupRecords
			if tot.Acked+tot.Failed+tot.Censored != tot.Scheduled || all < 250 || name != "max" && all > 2000 {
				t.Errorf("totals %+v", tot)
			}
			if res.Verdict.State != "invalid" {
				t.Errorf("verdict %+v", res.Verdict)
			}
		})
	}
}

// TestTargetDies ends the run at once, and it isn't an interruption.
func TestTargetDies(t *testing.T) {
	died := make(chan struct{})
	time.AfterFunc(200*time.Millisecond, func() { close(died) })
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Duration = time.Hour })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{}), Died: died})
	if res.Interrupted || res.Verdict.State != "invalid" {
		t.Errorf("interrupted %v, verdict %+v", res.Interrupted, res.Verdict)
	}
}

func TestRecordsBound(t *testing.T) {
	for _, arrivals := range []string{workload.ArrivalsMax, workload.ArrivalsConstant, workload.ArrivalsClosed} {
		plan := testPlan(t, func(p *workload.Plan) {
			p.Load.Arrivals, p.Load.Records, p.Load.Producers, p.Load.InFlight = arrivals, 205, 2, 8
			if arrivals != workload.ArrivalsConstant {
				p.Load.Rate = workload.Rate{}
			}
		})
		res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{})})
		if got := res.Totals; got.Scheduled != 205 || got.Acked != 205 {
			t.Errorf("%s: totals %+v", arrivals, got)
		}
	}
}

func TestWarmupAuto(t *testing.T) {
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Warmup.Auto = true })
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{hold: 2 * time.Millisecond})})
	if got := res.Totals; got.WarmupNS < int64(3*time.Second) || got.WarmupNS%int64(time.Second) != 0 || got.Scheduled != 1000 {
		t.Errorf("totals %+v", got)
	}
}

func TestNullInBothAckModes(t *testing.T) {
	for _, d := range []func() (string, Options){
		func() (string, Options) { return "null", Options{Driver: null.Driver()} },
		func() (string, Options) { return "null-single", Options{Driver: null.Single()} },
	} {
		name, opts := d()
		opts.Plan = testPlan(t, func(p *workload.Plan) {
			p.Load = workload.Load{Arrivals: workload.ArrivalsMax, Producers: 1, Send: workload.SendAsync, Duration: 300 * time.Millisecond}
		})
		res := mustRun(t, context.Background(), opts)
		if res.Totals.Acked < 1000 || res.Totals.Censored+res.Totals.Failed > 0 {
			t.Errorf("%s: totals %+v", name, res.Totals)
		}
	}
}
