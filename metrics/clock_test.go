package metrics

import (
	"testing"
	"time"
)

// TestClockFollowsMonotonic: after a while the two clocks agree to within what calibration promises, with ample room
// for a preemption between the readings.
func TestClockFollowsMonotonic(t *testing.T) {
	c := NewClock()
	start, own := time.Now(), c.Now()
	time.Sleep(50 * time.Millisecond)
	got, want := c.Now()-own, int64(time.Since(start))
	if diff := got - want; diff > 5e6 || diff < -5e6 {
		t.Errorf("%s clock: %d ns passed, monotonic says %d", c.Source(), got, want)
	}
	if w := c.Wall(c.Now()); time.Since(w).Abs() > time.Second {
		t.Errorf("Wall is off by %v", time.Since(w))
	}
}

func BenchmarkClockNow(b *testing.B) {
	b.ReportAllocs()
	c := NewClock()
	for b.Loop() {
		c.Now()
	}
}

// TestRestartCalibrates: a counter's rate that is off after NewClock is put right.
func TestRestartCalibrates(t *testing.T) {
	c := NewClock()
	c.mult += c.mult / 100 // 0 stays 0: the clock is the system's own
	c.Restart()
	start, own := time.Now(), c.Now()
	time.Sleep(100 * time.Millisecond)
	got, want := c.Now()-own, int64(time.Since(start))
	if diff := float64(got-want) / float64(want); diff > 1e-3 || diff < -1e-3 {
		t.Errorf("%d ns passed, monotonic says %d", got, want)
	}
}

// TestMonotonicPairs: two pairs agree on how long it was between them.
func TestMonotonicPairs(t *testing.T) {
	c := NewClock()
	run, system := c.Monotonic()
	if system == 0 {
		if run != 0 {
			t.Errorf("no system clock, but the run's reads %d", run)
		}
		return
	}
	time.Sleep(20 * time.Millisecond)
	run2, system2 := c.Monotonic()
	if diff := (run2 - run) - (system2 - system); diff > 1e6 || diff < -1e6 || run2-run < 20e6 {
		t.Errorf("%d ns by the run's clock, %d by the system's", run2-run, system2-system)
	}
}
