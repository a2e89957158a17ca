package bench

import (
	"context"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"kbench/metrics"
	"kbench/workload"
)

// playBlame hands over records that are due every µs to a client that takes one µs for eight of them, and 300 ns between them. The
// generator stands still for stop from 1 ms on, the client holds on for block from 1 ms on. It returns the sums of the generator's
// and the client's part.
func playBlame(stop, block int64) (lateness, pressure int64) {
	const records, took, between = 1_000_000, 1000, 300
	var b blame
	var idle int64
	stopped, blocked := false, false
	for n := int64(0); n < records; {
		due := n * 1000
		b.free(idle, due)
		now := max(idle, due) + between
		if !stopped && now >= 1e6 && stop > 0 {
			now += stop
			stopped = true
		}
		first := due
		for range 8 {
			if due = n * 1000; due > now || n == records {
				break
			}
			p := b.pressure(min(idle, now) - due)
			pressure += p
			lateness += now - due - p
			n++
		}
		b.slow(idle, first, now)
		idle = now + took
		if !blocked && now >= 1e6 && block > 0 {
			idle += block
			blocked = true
		}
		b.hold(idle - now)
	}
	return lateness, pressure
}

// TestBlame: whoever put the sender behind has the whole delay, until it has caught up.
func TestBlame(t *testing.T) {
	const ms = 1_000_000
	calmLate, calmPressure := playBlame(0, 0)
	for _, c := range []struct{ stop, block int64 }{{300 * ms, 0}, {0, 300 * ms}, {150 * ms, 150 * ms}} {
		lateness, pressure := playBlame(c.stop, c.block)
		lateness, pressure = lateness-calmLate, pressure-calmPressure
		share := float64(lateness) / float64(lateness+pressure)
		want := float64(c.stop) / float64(c.stop+c.block)
		if share < want-0.1 || share > want+0.1 {
			t.Errorf("stopped %d ms, held %d ms: %.3f of the delay is called the generator's, want about %.1f", c.stop/ms, c.block/ms, share, want)
		}
	}
}

// TestStopIsNotBackpressure: the process is stopped for 300 ms of 1 s, and all that was due meanwhile is late by the
// generator, not only what it hands over first. A stop that strikes in the middle of a Send can't be told from the client's:
// then it is tried again.
func TestStopIsNotBackpressure(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there is no SIGSTOP")
	}
	var late, lateness, pressure float64
	for range 3 {
		l, share := stoppedRun(t)
		if l.Response.Max < 295e6 {
			t.Fatalf("response max %d: it wasn't stopped", l.Response.Max)
		}
		late, lateness, pressure = 2000*share, float64(l.GeneratorLateness.Max), float64(l.Backpressure.Max)
		if late >= 400 && lateness > 250e6 {
			return
		}
	}
	t.Errorf("%.0f late records, generator lateness max %v ns, back-pressure max %v ns: want the 600 that were due in the stop", late, lateness, pressure)
}

// stoppedRun is a run of 2,000 records in 1 s, in the middle of which this process is stopped.
func stoppedRun(t *testing.T) (l metrics.Latencies, lateShare float64) {
	t.Helper()
	plan := testPlan(t, func(p *workload.Plan) { p.Load.Rate.PerSecond, p.Load.Duration = 2000, time.Second })
	sent := 0
	var cmd *exec.Cmd
	stop := func(n int) {
		if sent += n; sent < 500 || cmd != nil {
			return
		}
		cmd = exec.Command("sh", "-c", "sleep 0.05; kill -STOP $PPID; sleep 0.3; kill -CONT $PPID")
		if err := cmd.Start(); err != nil {
			t.Error(err)
		}
	}
	res := mustRun(t, context.Background(), Options{Plan: plan, Driver: fakeDriver(&fakeClient{block: stop})})
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
	return res.Latency, res.Evidence.LateShare
}
