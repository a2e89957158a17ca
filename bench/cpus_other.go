//go:build !linux

package bench

import "runtime"

// usableCPUs is the number of processors that this process may run on.
func usableCPUs() int { return runtime.NumCPU() }
