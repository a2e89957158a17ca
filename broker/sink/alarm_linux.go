package sink

import (
	"os"

	"golang.org/x/sys/unix"
)

// alarm wakes one goroutine at a time of the clock. It is a timerfd, which keeps the kernel's own precision (Go's timers
// are up to 1 ms late) while the goroutine waits in the runtime's poller, so that no processor of the scheduler is tied up
// and any other goroutine can end the wait.
type alarm struct {
	file *os.File
	fd   int
	spec unix.ItimerSpec
	buf  [8]byte
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	return &alarm{fd: fd, file: os.NewFile(uintptr(fd), "timerfd")}, nil
}

// set makes the wait at hand, or the next one, end at a time; one that has passed ends it at once.
func (a *alarm) set(at int64, _ *clock) {
	a.spec.Value = unix.NsecToTimespec(max(at, 1))                      // 0 would mean never
	_ = unix.TimerfdSettime(a.fd, unix.TFD_TIMER_ABSTIME, &a.spec, nil) // can only fail for times that don't exist
}

// wait returns at the time that was set, or earlier without reason.
func (a *alarm) wait() { _, _ = a.file.Read(a.buf[:]) }

func (a *alarm) close() error { return a.file.Close() }
