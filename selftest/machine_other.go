//go:build !linux

package selftest

import "runtime"

// usableCPUs are all; nothing is pinned here.
func usableCPUs() ([]int, error) {
	return make([]int, min(1, runtime.NumCPU())), nil // one place: generator and target share it
}

// processCPU is unknown here.
func processCPU(int) int64 { return 0 }
