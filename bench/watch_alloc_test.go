//go:build !race

package bench

import (
	"testing"

	"kbench/workload"
)

// TestWatchingAllocatesNothing: neither a look at the run nor the gaps of its records.
func TestWatchingAllocatesNothing(t *testing.T) {
	r, _ := lonelyWorker(t, workload.ArrivalsPoisson)
	watch, gaps, at := newWatch(r), newGapSample(1, 1), int64(0)
	if n := testing.AllocsPerRun(10_000, func() {
		at += 1000
		watch.sample(at)
		gaps.note([]int64{at, at + 1}, at+5, at)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
