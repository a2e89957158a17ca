package doctor

import (
	"time"

	"golang.org/x/sys/unix"
)

// setSlack sets the calling thread's timer slack to 1 ns, as the pacer does, and returns what is in force then.
func setSlack() int64 {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // refused: what is read back tells
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		return -1
	}
	return int64(slack)
}

// nap sleeps in the kernel.
func nap(d time.Duration) {
	ts := unix.NsecToTimespec(int64(d))
	_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, 0, &ts, nil) // a signal cuts one short, which is no lateness
}
