package bench

import (
	"runtime"

	"kbench/workload"
)

// setProcs gives the scheduler one P for every usable processor, and where the load is paced one more for each sender and
// one for the watch: who sleeps in the kernel or spins keeps its P, and the client's goroutines must not wait for it.
// (Go takes such a P back after 20 µs to 10 ms; with a P too few, that is by how much acknowledgements were late.)
// It returns the undo.
func setProcs(load workload.Load) (undo func()) {
	procs := usableCPUs()
	if load.Scheduled() {
		procs += min(load.Producers, usableCPUs()) + 1
	}
	before := runtime.GOMAXPROCS(procs)
	return func() { runtime.GOMAXPROCS(before) }
}
