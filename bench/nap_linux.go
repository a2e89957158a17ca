package bench

import "golang.org/x/sys/unix"

// nap sleeps in the kernel for ns nanoseconds. The timer slack, 50 µs by default, is set to 1 ns on the thread that
// happens to carry the goroutine; that costs some 100 ns, and no thread has to be locked: a locked one would turn every
// channel hand-over of a client (sarama's input) into a thread switch.
func nap(ns int64) {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // refused: the naps are less exact, and lateness shows it
	ts := unix.NsecToTimespec(ns)
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // interrupted: the caller looks at the clock anyway
}
