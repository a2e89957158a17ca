//go:build unix

package metrics

import (
	"runtime"
	"syscall"
)

func processUsage() (cpuNS, maxRSS int64) {
	var ru syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &ru) != nil {
		return 0, 0
	}
	unit := int64(1024) // Linux and the BSDs count kilobytes
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return ru.Utime.Nano() + ru.Stime.Nano(), int64(ru.Maxrss) * unit
}
