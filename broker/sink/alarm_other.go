//go:build !linux

package sink

import "time"

// alarm wakes one goroutine at a time of the clock, as well as Go's timers can.
type alarm struct{ timer *time.Timer }

func newAlarm() (*alarm, error) {
	t := time.NewTimer(time.Hour)
	t.Stop()
	return &alarm{t}, nil
}

// set makes the wait at hand, or the next one, end at a time; one that has passed ends it at once.
func (a *alarm) set(at int64, c *clock) { a.timer.Reset(time.Duration(max(at-c.now(), 0))) }

// wait returns at the time that was set.
func (a *alarm) wait() { <-a.timer.C }

func (a *alarm) close() error {
	a.timer.Stop()
	return nil
}
