//go:build !linux

package selftest

// usableCPUs are unknown: nothing is pinned here.
func usableCPUs() ([]int, error) { return nil, nil }

// processesCPU is unknown here.
func processesCPU() int64 { return 0 }

// processCPU is unknown here.
func processCPU(int) int64 { return 0 }
