package bench

import (
	"runtime"

	"kbench/workload"
)

// setProcs gives the scheduler one P for every usable processor, and one more for each paced sender: a sender that
// sleeps in the kernel or spins keeps its P, and the client's goroutines must not wait for it. It returns the undo.
func setProcs(load workload.Load) (undo func()) {
	procs := usableCPUs()
	if load.Scheduled() {
		procs += min(load.Producers, usableCPUs())
	}
	before := runtime.GOMAXPROCS(procs)
	return func() { runtime.GOMAXPROCS(before) }
}
