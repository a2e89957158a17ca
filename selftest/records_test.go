package selftest

import (
	"slices"
	"testing"

	"kbench/broker/sink"
	"kbench/metrics"
)

func TestMonotonic(t *testing.T) {
	at := monotonic(metrics.Timing{StartRun: 100, StartMonotonic: 5_000_000_000_000, EndRun: 10_000_000_100, EndMonotonic: 5_010_000_001_000})
	for _, c := range []struct{ run, want int64 }{{100, 5_000_000_000_000}, {0, 4_999_999_999_900}, {10_000_000_100, 5_010_000_001_000}, {5_000_000_100, 5_005_000_000_500}} {
		if got := at(c.run); got != c.want {
			t.Errorf("%d: %d, want %d", c.run, got, c.want)
		}
	}
	if got := monotonic(metrics.Timing{StartRun: 5, StartMonotonic: 1000})(7); got != 1002 {
		t.Errorf("without an end: %d", got)
	}
}

func TestAnswered(t *testing.T) {
	log := []sink.LogEntry{{Conn: 2, Records: 2, Departed: 30}, {Conn: 2, Records: 1, Code: 6, Departed: 31}, {Conn: 2, Records: 1, Departed: 40}, {Conn: 2, Records: 1}}
	left, err := answered(log)
	if err != nil || !slices.Equal(left, []int64{30, 30, 40, 0}) {
		t.Fatalf("%v %v", left, err)
	}
	got, missing := trueResponses([]int64{0, 10, 20, 25, 28}, left, func(v int64) int64 { return v + 1 }, 1, 5)
	if !slices.Equal(got, []int64{19, 19}) || missing != 2 {
		t.Errorf("responses %v, %d missing", got, missing)
	}
	if _, err := answered(append(log, sink.LogEntry{Conn: 3, Records: 1})); err == nil {
		t.Error("two connections pass")
	}
}
