package selftest

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"kbench/broker/sink"
	"kbench/metrics"
	"kbench/workload"
)

// simulated is a run that is known record by record: a client with a bounded buffer before a sink with a hold.
type simulated struct {
	due, handed, acked []int64 // ns
	end                int64   // of the load
}

// play sends a record a request for so long, at Poisson arrivals; a client with a buffer of so many records blocks where it is full.
func play(t *testing.T, rate float64, length time.Duration, buffer int, holds ...string) simulated {
	t.Helper()
	return playLoad(t, workload.Load{Arrivals: workload.ArrivalsPoisson, Rate: workload.Rate{PerSecond: rate}, Duration: length}, buffer, holds)
}

func playLoad(t *testing.T, load workload.Load, buffer int, holds []string) simulated {
	t.Helper()
	schedule, err := workload.NewSchedule(load,
		workload.ScheduleOptions{Seed: 9, Shards: 1, RecordBytes: 100})
	if err != nil {
		t.Fatal(err)
	}
	hold, err := sink.ParseHold(holds)
	if err != nil {
		t.Fatal(err)
	}
	departs := hold.Departures(1)
	s := simulated{end: int64(load.Duration)}
	last := int64(0)
	for n := uint64(0); ; n++ {
		due := int64(schedule.At(n))
		if due >= s.end {
			return s
		}
		handed := due
		if k := int(n) - buffer; k >= 0 {
			handed = max(handed, s.acked[k])
		}
		last = max(last, departs(handed, 1)) // answers leave in order
		s.due, s.handed, s.acked = append(s.due, due), append(s.handed, handed), append(s.acked, last)
	}
}

// truth is the true responses.
func (s simulated) truth() truth {
	values := make([]int64, len(s.due))
	for i := range values {
		values[i] = s.acked[i] - s.due[i]
	}
	return newTruth(values)
}

// The views: one that is right, and ways in which benchmarks are wrong.
func views() []struct {
	name string
	of   func(s simulated) view
} {
	pick := func(value func(s simulated, i int) (int64, bool)) func(s simulated) view {
		return func(s simulated) view {
			var values []int64
			for i := range s.due {
				if v, ok := value(s, i); ok {
					values = append(values, v)
				}
			}
			return histogramView(values)
		}
	}
	return []struct {
		name string
		of   func(s simulated) view
	}{
		{"right", pick(func(s simulated, i int) (int64, bool) { return s.acked[i] - s.due[i], true })},
		{"clock started at dispatch", pick(func(s simulated, i int) (int64, bool) { return s.acked[i] - s.handed[i], true })},
		{"unfinished dropped", pick(func(s simulated, i int) (int64, bool) { return s.acked[i] - s.due[i], s.acked[i] < s.end })},
		{"percentiles averaged", averaged},
		{"coordinated omission", coordinated},
	}
}

// averaged is the mean of the percentiles of the seconds.
func averaged(s simulated) view {
	seconds := map[int64][]int64{}
	for i := range s.due {
		k := s.acked[i] / metrics.Second
		seconds[k] = append(seconds[k], s.acked[i]-s.due[i])
	}
	var views []view
	for _, values := range seconds {
		views = append(views, histogramView(values))
	}
	return func(q float64) float64 {
		sum := 0.0
		for _, v := range views {
			sum += v(q)
		}
		return sum / float64(len(views))
	}
}

// coordinated is what a loop sees that sends its next record when it has an answer: a handful of records in a stall.
func coordinated(s simulated) view {
	var values []int64
	free := int64(0)
	for i := range s.due {
		if s.due[i] >= free {
			values = append(values, s.acked[i]-s.due[i])
			free = s.acked[i]
		}
	}
	return histogramView(values)
}

// TestStallMutants: of every stall, the right view passes, and each wrong one fails where it is wrong.
func TestStallMutants(t *testing.T) {
	const rate, length = 5000, 10 * time.Second
	caught := map[string]bool{}
	for _, c := range []struct {
		name   string
		end    bool
		buffer int
		wrong  []string
	}{
		{"middle", false, math.MaxInt32, []string{"percentiles averaged", "coordinated omission"}},
		{"end", true, math.MaxInt32, []string{"unfinished dropped", "percentiles averaged", "coordinated omission"}},
		{"buffer full", false, 500, []string{"clock started at dispatch", "percentiles averaged", "coordinated omission"}},
	} {
		at := length/2 - stallLength/2
		if c.end {
			at = length - stallLength
		}
		s := playLoad(t, workload.Load{Arrivals: workload.ArrivalsConstant, Rate: workload.Rate{PerSecond: rate}, Duration: length}, c.buffer,
			[]string{"cap:10000", fmt.Sprintf("stall:at=%s,for=%s", at, stallLength)})
		exact := s.truth()
		form := stallForm{length: length.Seconds(), end: c.end}
		if n := len(form.quantiles()); n < 4 {
			t.Errorf("%s: compared at %d percentiles", c.name, n)
		}
		for _, v := range views() {
			form.calm = v.of(s)(.1)
			state := judge(Outcome{Rows: form.compare("", v.of(s))}).State
			logged := compareAll("", exact, v.of(s), func(float64) tolerance { return tolerance{.01, 200e3} }).State
			want := Pass
			if slices.Contains(c.wrong, v.name) {
				want = Fail
				caught[v.name] = true
			} else if v.name != "right" {
				continue // it isn't wrong here
			}
			if state != want || logged != want {
				t.Errorf("%s, %s: %s against the closed form, %s against the log, want %s", c.name, v.name, state, logged, want)
			}
		}
	}
	if len(caught) != len(views())-1 {
		t.Errorf("only %v were caught", caught)
	}
}

// TestInjectedMutants: a view that is off by more than the claim fails, and so do wrong ones.
func TestInjectedMutants(t *testing.T) {
	for _, h := range held() {
		s := play(t, 20_000, 2*time.Second, 400, h.hold)
		exact := s.truth()
		for _, v := range views() {
			printed := metrics.Latency{}
			of := v.of(s)
			for i, to := range []*int64{&printed.P50, &printed.P90, &printed.P95, &printed.P99, &printed.P999, &printed.P9999} {
				*to = int64(of(reported()[i]))
			}
			state := judge(Outcome{Rows: injectedCompare("", exact, of, &printed)}).State
			switch {
			case v.name == "right" && state != Pass:
				t.Errorf("%s: the right view: %s", h.name, state)
			case (v.name == "percentiles averaged" || v.name == "coordinated omission") && h.name != "constant" && state != Fail:
				t.Errorf("%s: %s passes", h.name, v.name)
			}
		}
		right := views()[0].of(s)
		for _, off := range []func(v float64) float64{func(v float64) float64 { return 1.015*v + 60e3 }, func(v float64) float64 { return 0.985*v - 60e3 }} {
			if compareAll("", exact, func(q float64) float64 { return off(right(q)) }, injectedTolerance).State != Fail {
				t.Errorf("%s: a view that is off passes", h.name)
			}
		}
	}
	// The client's buffer is what the clock at dispatch leaves out.
	s := play(t, 20_000, 2*time.Second, 20, "exponential:mean=3ms")
	if compareAll("", s.truth(), views()[1].of(s), injectedTolerance).State != Fail {
		t.Error("a clock that starts at dispatch passes")
	}
}

// TestQueueMutants: responses without the wait, and those of a busier queue, fail; the right ones pass.
func TestQueueMutants(t *testing.T) {
	for _, k := range []queueKind{mm1, md1} {
		hold := map[queueKind]string{mm1: "mm1:mean=", md1: "md1:time="}[k] + queueService.String()
		c := queueCell{kind: k, rho: 0.5, client: "simulated"}
		load := workload.Load{Rate: workload.Rate{PerSecond: c.rho / queueService.Seconds()}, Duration: 30 * time.Second}
		band := c.band(load)
		s := play(t, load.Rate.PerSecond, load.Duration, math.MaxInt32, hold)
		exact := s.truth()
		if o := judge(Outcome{Rows: c.rows("", func(q float64) float64 { return exact.quantile(q) + 100e3 }, exact, band)}); o.State != Pass {
			t.Errorf("%s: the right view: %s", k, o.Reason)
		}
		var service []int64
		for i := range s.due {
			from := s.due[i]
			if i > 0 {
				from = max(from, s.acked[i-1])
			}
			service = append(service, s.acked[i]-from)
		}
		busier := play(t, 1.4*load.Rate.PerSecond, load.Duration, math.MaxInt32, hold)
		for name, v := range map[string]view{"service without wait": histogramView(service), "a busier queue": views()[0].of(busier)} {
			rows := c.rows("", v, exact, band)
			theory, same := rows[:len(queueQuantiles())], rows[len(queueQuantiles()):]
			if judge(Outcome{Rows: theory}).State != Fail || judge(Outcome{Rows: same}).State != Fail {
				t.Errorf("%s: %s passes", k, name)
			}
		}
	}
}

// TestPacingMutants: records sent in ticks of a millisecond fail on their lateness and on their gaps, and a lateness that
// is reported as none fails.
func TestPacingMutants(t *testing.T) {
	const rate = 100_000
	s := play(t, rate, time.Second, math.MaxInt32)
	ticked := make([]int64, len(s.due))
	late, none := make([]int64, len(s.due)), make([]int64, len(s.due))
	for i, due := range s.due {
		ticked[i] = (due/1e6 + 1) * 1e6
		late[i] = ticked[i] - due
		none[i] = 100
	}
	exact := newTruth(none)
	right := func(q float64) float64 { return exact.quantile(q) }
	if o := judge(Outcome{Rows: append(pacingCompare("", exact, right), gapsRow("", someGaps(s.due), rate))}); o.State != Pass {
		t.Errorf("exact pacing: %s", o.Reason)
	}
	ticks := newTruth(late)
	for _, r := range pacingCompare("", ticks, right) {
		if r.State != Fail {
			t.Errorf("ticks: %s passes", r.What)
		}
	}
	if gapsRow("", someGaps(ticked), rate).State != Fail {
		t.Error("the gaps of ticks pass")
	}
	if gapsRow("", someGaps(s.due), 1.1*rate).State != Fail {
		t.Error("gaps of another rate pass")
	}
}

// TestAccountedMutants: a record that nobody knows the end of, and one that was due and isn't counted, are found.
func TestAccountedMutants(t *testing.T) {
	seen := func(change func(*metrics.Result)) *observed {
		res := &metrics.Result{Totals: metrics.Totals{Scheduled: 90, Acked: 85, Failed: 2, Censored: 3, WarmupRecords: 10}}
		change(res)
		return &observed{res: res, due: make([]int64, 100)}
	}
	for _, c := range []struct {
		name   string
		change func(*metrics.Result)
		want   State
	}{
		{"all known", func(*metrics.Result) {}, Pass},
		{"end unknown", func(r *metrics.Result) { r.Totals.Censored-- }, Fail},
		{"counted twice", func(r *metrics.Result) { r.Totals.Acked++ }, Fail},
		{"due but not counted", func(r *metrics.Result) { r.Totals.Scheduled--; r.Totals.Acked-- }, Fail},
		{"counted but not due", func(r *metrics.Result) { r.Totals.Scheduled++; r.Totals.Acked++ }, Fail},
		{"handed over in the moment of Ctrl-C", func(r *metrics.Result) { r.Interrupted = true; r.Totals.Scheduled++; r.Totals.Acked++ }, Pass},
		{"lost by Ctrl-C", func(r *metrics.Result) { r.Interrupted = true; r.Totals.Scheduled--; r.Totals.Acked-- }, Fail},
	} {
		if got := accounted("", seen(c.change)).State; got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}
