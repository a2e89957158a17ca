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
