//go:build !race

package workload

import "testing"

func TestFillAllocatesNothing(t *testing.T) {
	recs := make([]Record, 64)
	for _, c := range fillCases() {
		s := mustSource(t, c.plan).Shard(0, 2)
		if n := testing.AllocsPerRun(100, func() { s.Fill(recs) }); n != 0 {
			t.Errorf("%s: %v allocations for 64 records, want 0", c.name, n)
		}
	}
}

func TestAtAllocatesNothing(t *testing.T) {
	loads := map[string]Load{"trace": forever(replayLoad(&Trace{times: []int64{1, 2, 3}}, 2))}
	for _, arrivals := range []string{ArrivalsConstant, ArrivalsPoisson} {
		loads[arrivals] = Load{Arrivals: arrivals, Rate: Rate{PerSecond: 1e5}}
	}
	for name, load := range changing() {
		loads[name], loads[name+" poisson"] = load, poissonly(load)
	}
	for name, load := range loads {
		s := mustSchedule(t, load, ScheduleOptions{Shards: 1})
		n := uint64(0)
		if allocs := testing.AllocsPerRun(1000, func() { s.At(n); n++ }); allocs != 0 {
			t.Errorf("%s: %v allocations a record, want 0", name, allocs)
		}
	}
}
