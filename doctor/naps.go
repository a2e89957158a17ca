package doctor

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"
)

// Naps of the pacer: it sleeps until spin before a record is due. One that wakes later than that is late with the record,
// one that wakes later than the limit of the verdict is reason for an invalid run.
const (
	napTime  = time.Millisecond
	napCount = 300
	spinNS   = 100_000
	lateNS   = 1_000_000
)

// naps measures how late the kernel wakes a sleeper.
func naps(ctx context.Context) Finding {
	// A thread of its own: the timer slack that nap sets belongs to the thread, and ends with it.
	late := make([]int64, 0, napCount)
	done := make(chan int64)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		slack := setSlack()
		for len(late) < napCount && ctx.Err() == nil {
			start := time.Now()
			nap(napTime)
			late = append(late, int64(time.Since(start)-napTime))
		}
		done <- slack
	}()
	slack := <-done // before late is read, which belongs to the goroutine until then
	return rateNaps(late, slack)
}

// rateNaps judges how late naps woke, in ns; slack is the timer slack that was in force, −1 where the system has none.
func rateNaps(late []int64, slack int64) Finding {
	f := Finding{Check: "naps", Severity: OK, Why: "the pacer sleeps until 100 µs before a record is due and spins for the rest: a nap that ends later makes the record late"}
	if len(late) == 0 {
		return f.unknown()
	}
	slices.Sort(late)
	p50, p99, last := late[len(late)/2], late[len(late)*99/100], late[len(late)-1]
	f.Values = map[string]float64{"p50_ns": float64(p50), "p99_ns": float64(p99), "max_ns": float64(last), "timer_slack_ns": float64(slack)}
	f.Measured = fmt.Sprintf("naps of 1 ms wake %s late at the median, %s at p99, %s at most", times(float64(p50)), times(float64(p99)), times(float64(last)))
	if slack > 1 {
		f.worse(Note)
		f.Measured += fmt.Sprintf("; the timer slack stays at %s though 1 ns was asked", times(float64(slack)))
		f.Do = append(f.Do, "allow prctl (a seccomp profile forbids it)")
	}
	switch {
	case p99 > lateNS:
		f.worse(Bad)
	case p99 > spinNS:
		f.worse(Warning)
	default:
		return f
	}
	f.Do = append(f.Do, "end other load, keep CPUs out of deep sleep (sudo cpupower idle-set -D 10), take dedicated CPUs")
	return f
}
