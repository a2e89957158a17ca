package bench

import (
	"context"
	"math"
	"time"

	"kbench/metrics"
)

// tickDelay is how long after a second's end it is looked at: its records' recorders hand it over when they see the
// first record of the next second.
const tickDelay = 100 * int64(time.Millisecond)

// never is a time that doesn't come.
const never = math.MaxInt64

// load runs the senders from the first record to the last and returns when it began. On return all senders rest.
func (r *run) load(ctx context.Context) time.Time {
	if load := r.plan.Load; load.Warmup.Auto {
		r.phases.measure.Store(never)
		r.phases.end.Store(never)
	} else {
		r.phases.measure.Store(int64(load.Warmup.Duration))
		r.phases.end.Store(int64(load.Warmup.Duration + load.Duration))
	}
	sends, cancel := context.WithCancel(context.Background())
	defer cancel()
	r.watch = newWatch(r)
	r.clock.Restart()
	r.told[0] = r.ask()
	r.pressure[0].Pressure = metrics.ReadPressure()
	r.clock.Restart() // calibrated by now: only the time begins here
	r.told[0].at = 0
	r.timing.StartRun, r.timing.StartMonotonic = r.clock.Monotonic()
	r.usage[0] = metrics.ReadUsage()
	go r.watch.run()
	done := make(chan struct{})
	go func() {
		defer close(done)
		r.each(func(_ int, w *worker) { w.run(sends) })
	}()
	r.control(ctx, done)
	select {
	case <-done:
	case <-time.After(r.handTime()):
	case <-r.opts.Abort:
	case <-r.opts.Died:
	}
	r.stopped.Store(true)
	close(r.stop)
	cancel()
	<-done
	<-r.watch.done
	return r.clock.Wall(0)
}

// handTime is how long a backlog may still be handed over after the end.
func (r *run) handTime() time.Duration { return min(handGrace, r.plan.Producer.DeliveryTimeout) }

// control watches the load until its end: it finds the end of the warm-up, reads the process's counters when the
// measurement starts, reports progress, and ends the load when ctx or Abort says so or all senders are done.
func (r *run) control(ctx context.Context, done <-chan struct{}) {
	wholly := false // the schedule came to its end: the last record was due before it, by up to one gap
	defer func() {
		r.end = r.phases.end.Load()
		if !wholly || r.end == never {
			r.end = min(r.clock.Now(), r.end)
		}
		// Records due later don't exist; with a bound on records the end is when the last was handed over.
		r.phases.end.Store(r.end)
		r.pressure[1] = reading{r.clock.Now(), metrics.ReadPressure()}
		r.told[1] = r.ask()
	}()
	warm := warmup{}
	r.measuring = r.phases.measure.Load() == 0
	for second := int64(1); ; {
		now := r.clock.Now()
		measure, end := r.phases.measure.Load(), r.phases.end.Load()
		if !r.measuring && now >= measure {
			r.pressure[0] = reading{now, metrics.ReadPressure()}
			r.told[0] = r.ask()
			r.usage[0] = metrics.ReadUsage()
			r.measuring = true
		}
		if now >= end {
			return
		}
		if now >= second*metrics.Second+tickDelay {
			r.tick(&warm, second-1, now)
			second++
			continue
		}
		wake := min(second*metrics.Second+tickDelay, end)
		if !r.measuring {
			wake = min(wake, measure)
		}
		select {
		case <-done:
			wholly = r.plan.Load.Records == 0 && r.clientError() == nil
			return
		case <-ctx.Done():
			r.interrupt = true
			return
		case <-r.opts.Abort:
			r.interrupt = true
			return
		case <-r.opts.Died:
			r.died = true
			return
		case <-r.broken:
			return
		case <-time.After(time.Duration(wake - now)):
		}
	}
}

// tick is called once a second, with the number of the second that has just passed.
func (r *run) tick(warm *warmup, second, now int64) {
	interval := r.collector.Interval(second)
	if r.phases.measure.Load() == never && second > 0 {
		// The second before: at a few records a second, the last one may not have been handed over yet.
		if settled := warm.settled(r.collector.Interval(second - 1)); settled || second+1 >= longestWarmup {
			if !settled {
				r.unsettled = warm.unsettledNote()
			}
			// From a full second that is far enough ahead for no worker to have passed it before it reads the new value.
			measure := ((r.clock.Now()+tickDelay)/metrics.Second + 1) * metrics.Second
			r.phases.end.Store(measure + int64(r.plan.Load.Duration))
			r.phases.measure.Store(measure)
		}
	}
	if r.opts.Observe != nil {
		r.opts.Observe(r.progress(interval, now))
	}
}

func (r *run) progress(last metrics.Interval, now int64) Progress {
	p := Progress{Elapsed: time.Duration(now), Left: -1, Warmup: now < r.phases.measure.Load(), Rate: float64(last.Acked),
		P50: time.Duration(last.Response.Quantile(0.5)), P99: time.Duration(last.Response.Quantile(0.99))}
	if end := r.phases.end.Load(); end != never {
		p.Left = time.Duration(max(0, end-now))
	}
	p.Acked, p.Failed = r.collector.Totals()
	return p
}
