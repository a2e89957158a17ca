package native

import (
	"context"
	"testing"
	"time"
)

// TestWallClock: records have the time of a wall clock that was set while the producer ran.
func TestWallClock(t *testing.T) {
	pr, _ := idle(1, func(c *Config) { c.DeliveryTimeout = 100 * time.Millisecond })
	pr.ctx, pr.cancel = context.WithCancel(context.Background())
	pr.wall.Store(0) // as if the clock had been set forward since
	pr.wg.Add(1)
	go pr.expireBatches()
	defer func() {
		pr.cancel()
		pr.wg.Wait()
	}()
	for deadline := time.Now().Add(10 * time.Second); pr.wall.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody looked at the wall clock")
		}
	}
	if off := time.Now().UnixMilli() - pr.wallMS(pr.now()); off < -1000 || off > 1000 {
		t.Errorf("records would have a time that is off by %d ms", off)
	}
}
