package metrics

import (
	"testing"
)

func TestRecorderSecondsAndPhases(t *testing.T) {
	c := NewCollector(2)
	a, b, s := c.Recorder(AckSide), c.Recorder(AckSide), c.Recorder(SendSide)
	for i := range int64(3000) { // one record a millisecond
		now := i * 1_000_000
		warmup := i < 1500
		for _, r := range []*Recorder{a, b} {
			r.Roll(now)
			r.Add(now+1, 7, warmup)
			r.Acked(1, 10, warmup)
		}
		s.Roll(now)
		s.Add(1000, 2000, warmup)
	}
	a.Failed(false)
	if got := c.Interval(7); got.Acked != 0 || got.Response.Total() != 0 {
		t.Errorf("an interval without records isn't empty: %+v", got)
	}
	a.Flush()
	b.Flush()
	s.Flush()
	got := c.Finish()
	want := []struct {
		second int64
		warmup bool
		acked  uint64
		failed uint64
	}{{0, true, 2000, 0}, {1, true, 1000, 0}, {1, false, 1000, 0}, {2, false, 2000, 1}}
	if len(got) != len(want) {
		t.Fatalf("%d intervals, want %d", len(got), len(want))
	}
	for i, w := range want {
		g := got[i]
		if int64(g.Start)/Second != w.second || g.Warmup != w.warmup || g.Acked != w.acked || g.Failed != w.failed || g.Bytes != 10*w.acked {
			t.Errorf("interval %d: %+v, want %+v", i, g, w)
		}
		if g.Response.Total() != w.acked || g.Service.Max() != 7 || g.Generator.Total() != w.acked/2 || g.Pressure.Min() != 2000 {
			t.Errorf("interval %d: response %d, service max %d, generator %d, pressure min %d", i, g.Response.Total(), g.Service.Max(), g.Generator.Total(), g.Pressure.Min())
		}
	}
}

// TestRunsCountEveryValue: runs of equal values are an optimisation and change nothing in what is counted.
func TestRunsCountEveryValue(t *testing.T) {
	c := NewCollector(1)
	r := c.Recorder(AckSide)
	for _, v := range []int64{5, 5, 5, 9, 5} {
		r.Add(v, 2*v, false)
	}
	r.AddN(5, 10, 1, false)
	r.AddN(9, 18, 2, false)
	r.Add(5, 10, true)
	r.Flush()
	got := c.Finish()
	if len(got) != 2 || got[0].Response.Total() != 1 || got[1].Response.Total() != 8 || got[1].Response.Mean() != 6.5 || got[1].Service.Mean() != 13 {
		t.Errorf("got %+v", got)
	}
}

func BenchmarkRecorderAdd(b *testing.B) {
	b.ReportAllocs()
	c := NewCollector(1)
	r := c.Recorder(AckSide)
	v := int64(1)
	for b.Loop() {
		v = v*6364136223846793005 + 1442695040888963407
		x := 200_000 + (v>>44)&0xfffff
		r.Add(x, x-100, false)
	}
	r.Flush()
	c.Finish()
}
