package bench

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// usableCPUs is the number of processors that this process may run on now; runtime.NumCPU doesn't follow --cpus.
func usableCPUs() int {
	var set unix.CPUSet
	if unix.SchedGetaffinity(0, &set) != nil {
		return runtime.NumCPU()
	}
	return set.Count()
}
