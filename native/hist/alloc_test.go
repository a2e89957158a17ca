//go:build !race

package hist_test

import (
	"testing"

	"kbench/native/hist"
)

// TestRecordAllocatesNothing holds what is counted for each batch to its word.
func TestRecordAllocatesNothing(t *testing.T) {
	h, v := new(hist.Histogram), int64(1)
	if n := testing.AllocsPerRun(100, func() { h.Record(v); v *= 3 }); n != 0 {
		t.Errorf("%v allocations for a value", n)
	}
}
