package bench

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"kbench/driver"
	"kbench/metrics"
	"kbench/workload"
)

// TestTogether hands bursts over of which some records are due together, around the end of the warm-up, and has them
// acknowledged in other groups, some with errors, twice, or though they were never handed over. Everything is counted as one by
// one.
func TestTogether(t *testing.T) {
	const ms = int64(time.Microsecond) // as if it were, so that all is over before the test's own clock gets there
	rng := rand.New(rand.NewPCG(5, 6))
	r, w := lonelyWorker(t, workload.ArrivalsConstant)
	r.phases.measure.Store(50 * ms)
	w.timeout = time.Hour.Nanoseconds()

	type sent struct{ due, handed int64 }
	out := map[uint32]sent{}
	var slots []uint32
	var want struct {
		lateness, pressure, response, service [2]tallied
		scheduled, failed, acked              counts
		served, stray                         int64
	}
	phase := func(due int64) int {
		if due < 50*ms {
			return 1
		}
		return 0
	}
	now, due := int64(0), int64(0)
	for now < 100*ms {
		now += rng.Int64N(3 * ms)
		n := 0
		if w.held == 0 && !w.takeSlots() {
			t.Fatal("no slots")
		}
		for ; n < min(8, w.held) && due <= now; n++ {
			w.due[n] = due
			if rng.IntN(3) == 0 {
				due += rng.Int64N(2 * ms)
			}
		}
		if n == 0 {
			continue
		}
		w.fill(n)
		idle := now - rng.Int64N(ms)
		w.hand(context.Background(), n, now, idle)
		for i := range n {
			due, p := w.due[i], phase(w.due[i])
			pressure := max(0, idle-due)
			want.lateness[p].add(now - due - pressure)
			want.pressure[p].add(pressure)
			want.scheduled.add(1, p == 1)
			out[w.recs[i].Slot] = sent{due, now}
			slots = append(slots, w.recs[i].Slot)
		}
	}

	refused := errors.New("refused")
	acks := []driver.Ack{{Slot: 1000}} // never handed over
	want.stray++
	for _, s := range slots {
		a := driver.Ack{Slot: s}
		if rng.IntN(5) == 0 {
			a.Err = refused
		}
		acks = append(acks, a)
		if rng.IntN(10) == 0 {
			acks = append(acks, a)
			want.stray++
		}
	}
	w.onAcks(acks)
	back := w.lastAck
	for i, a := range acks {
		s, fresh := out[a.Slot]
		if !fresh {
			continue
		}
		delete(out, a.Slot)
		p := phase(s.due)
		want.served += back - s.handed
		if acks[i].Err != nil {
			want.failed.add(1, p == 1)
			continue
		}
		want.acked.add(1, p == 1)
		want.response[p].add(back - s.due)
		want.service[p].add(back - s.handed)
	}
	w.send.Flush()
	w.ack.Flush()

	var got struct{ lateness, pressure, response, service [2]tallied }
	for _, in := range r.collector.Finish() {
		p := 0
		if in.Warmup {
			p = 1
		}
		got.lateness[p].merge(in.Generator)
		got.pressure[p].merge(in.Pressure)
		got.response[p].merge(in.Response)
		got.service[p].merge(in.Service)
	}
	for p := range 2 {
		want.lateness[p].check(t, "lateness", got.lateness[p])
		want.pressure[p].check(t, "back-pressure", got.pressure[p])
		want.response[p].check(t, "response", got.response[p])
		want.service[p].check(t, "service", got.service[p])
	}
	if w.scheduled != want.scheduled || w.acked != want.acked || w.failed != want.failed || w.served != want.served || int64(w.stray) != want.stray {
		t.Errorf("scheduled %v, acked %v, failed %v, served %d, stray %d; want %+v", w.scheduled, w.acked, w.failed, w.served, w.stray, want)
	}
	if want.acked[0] < 20 || want.acked[1] < 20 || want.failed[0] < 5 || want.stray < 5 {
		t.Errorf("too few of something: %+v", want)
	}
}

// tallied is what is known of a histogram exactly.
type tallied struct {
	n   uint64
	sum float64
}

func (c *tallied) add(v int64) { c.n, c.sum = c.n+1, c.sum+float64(v) }

func (c *tallied) merge(h *metrics.Histogram) {
	c.n, c.sum = c.n+h.Total(), c.sum+h.Mean()*float64(h.Total())
}

func (c *tallied) check(t *testing.T, what string, got tallied) {
	t.Helper()
	if got.n != c.n || math.Abs(got.sum-c.sum) > 1e-9*c.sum+1 {
		t.Errorf("%s: %d values that add up to %.0f, want %d and %.0f", what, got.n, got.sum, c.n, c.sum)
	}
}
