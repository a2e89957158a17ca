package bench

import "golang.org/x/sys/unix"

// nap sleeps in the kernel for ns nanoseconds and returns the processor time that it took. The timer slack, 50 µs by
// default, is set to 1 ns on the thread that happens to carry the goroutine; that costs some 100 ns, and no thread has to
// be locked: a locked one would turn every channel hand-over of a client (sarama's input) into a thread switch.
func nap(ns int64) (cpu int64) {
	before := threadCPU()
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // refused: the naps are less exact, and lateness shows it
	ts := unix.NsecToTimespec(ns)
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // interrupted: the caller looks at the clock anyway
	// The goroutine may have been moved to another thread, whose time says nothing: then it is a large or negative number.
	if cpu = threadCPU() - before; cpu < 0 || cpu > longestNapCPU {
		return 0
	}
	return cpu
}

// longestNapCPU is more than any nap costs.
const longestNapCPU = 100_000

// threadCPU is the processor time of the calling thread in ns.
func threadCPU() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
