package metrics

import "golang.org/x/sys/unix"

// systemMonotonic reads CLOCK_MONOTONIC in ns; 0 if it can't.
func systemMonotonic() int64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) != nil {
		return 0
	}
	return ts.Nano()
}
