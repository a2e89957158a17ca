package metrics

import (
	"runtime/metrics"
	"testing"
)

// pressureOf reads a made-up machine, with CPUs 0 and 2 usable.
func pressureOf(files map[string]string) Pressure {
	empty := &metrics.Float64Histogram{Counts: []uint64{0}, Buckets: []float64{0, 1}}
	p := Pressure{pauses: empty, latencies: empty}
	machine(files).pressure(&p, func(cpu int) bool { return cpu != 1 })
	return p
}

func TestHindrance(t *testing.T) {
	const tick = 10_000_000 // ns
	const times = "cpu  9 9 9 9 9 9 9 9 9 9\n"
	v2 := map[string]string{"proc/self/cgroup": "0::/a/b\n"}
	with := func(files ...map[string]string) map[string]string {
		all := map[string]string{}
		for _, m := range files {
			for k, v := range m {
				all[k] = v
			}
		}
		return all
	}
	tests := []struct {
		name          string
		before, after map[string]string
		want          Hindrance
	}{
		{"nothing is readable", nil, nil, Hindrance{BusyNS: -1, AllNS: -1, StealShare: -1, RunQueueShare: -1, ThrottledNS: -1}},
		{"CPU times of the usable CPUs", map[string]string{"proc/stat": times + "cpu0 100 0 0 0 0 0 0 0 0 0\ncpu1 0 0 0 0 0 0 0 0 0 0\ncpu2 0 0 0 0 0 0 0 0 0 0\nintr 7\n"},
			map[string]string{"proc/stat": times + "cpu0 110 1 2 40 3 4 5 10 50 50\ncpu1 999 0 0 0 0 0 0 999 0 0\ncpu2 0 0 0 25 0 0 0 0 0 0\nintr 9\n"},
			// busy: 10+1+2+4+5 ticks; all: these, 40 idle, 3 waiting for disks, 10 stolen, and 25 of CPU 2. Guests are part of user.
			Hindrance{BusyNS: 22 * tick, AllNS: 100 * tick, StealShare: 0.1, RunQueueShare: -1, ThrottledNS: -1}},
		{"threads come, go and wait", map[string]string{"proc/self/task/1/schedstat": "100 50 7\n", "proc/self/task/2/schedstat": "900 900 7\n", "proc/self/task/4/schedstat": "5000 5000 9\n"},
			map[string]string{"proc/self/task/1/schedstat": "400 100 9\n", "proc/self/task/3/schedstat": "500 150 2\n", "proc/self/task/4/schedstat": "100 0 1\n", "proc/self/task/5/schedstat": "junk\n"},
			// ran 300 + 500 + 100 (a new thread with an old id), waited 50 + 150 + 0
			Hindrance{BusyNS: -1, AllNS: -1, StealShare: -1, RunQueueShare: 200.0 / 1100, ThrottledNS: -1}},
		{"quota of a group above, version 2", with(v2, map[string]string{"sys/fs/cgroup/a/b/cpu.stat": "usage_usec 5\nthrottled_usec 10\n", "sys/fs/cgroup/a/cpu.stat": "throttled_usec 100\n"}),
			with(v2, map[string]string{"sys/fs/cgroup/a/b/cpu.stat": "usage_usec 9\nthrottled_usec 12\n", "sys/fs/cgroup/a/cpu.stat": "throttled_usec 5100\n"}),
			Hindrance{BusyNS: -1, AllNS: -1, StealShare: -1, RunQueueShare: -1, ThrottledNS: 5_000_000}},
		{"quota, version 1", map[string]string{"proc/self/cgroup": "1:cpu:/x\n", "sys/fs/cgroup/cpu/x/cpu.stat": "nr_throttled 1\nthrottled_time 7\n"},
			map[string]string{"proc/self/cgroup": "1:cpu:/x\n", "sys/fs/cgroup/cpu/x/cpu.stat": "nr_throttled 2\nthrottled_time 1007\n"},
			Hindrance{BusyNS: -1, AllNS: -1, StealShare: -1, RunQueueShare: -1, ThrottledNS: 1000}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := pressureOf(tt.after).Since(pressureOf(tt.before)); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}

// TestReadPressure looks at the machine that the tests run on.
func TestReadPressure(t *testing.T) {
	before := ReadPressure()
	for range 20_000_000 {
		before.cpu++ // takes some time
	}
	before.cpu -= 20_000_000
	h := ReadPressure().Since(before)
	if h.CPUNS <= 0 || h.AllNS < -1 || h.RunQueueShare > 1 || h.StealShare > 1 || h.GCPauseMaxNS < 0 || h.SchedulerP99NS < 0 {
		t.Errorf("%+v", h)
	}
}

func TestRuntimeHistograms(t *testing.T) {
	buckets := []float64{0, 1e-6, 2e-6, 4e-6, 8e-6}
	before := &metrics.Float64Histogram{Counts: []uint64{5, 5, 5, 5}, Buckets: buckets}
	after := &metrics.Float64Histogram{Counts: []uint64{103, 6, 6, 5}, Buckets: buckets}
	if got := highest(after, before); got != 4000 {
		t.Errorf("highest %d ns, want 4000", got)
	}
	if got := upperQuantile(after, before, 0.99); got != 2000 { // the 99th of 100
		t.Errorf("p99 %d ns, want 2000", got)
	}
	if a, b := highest(before, before), upperQuantile(before, before, 0.99); a != 0 || b != 0 {
		t.Errorf("nothing gained: %d and %d ns", a, b)
	}
	last := &metrics.Float64Histogram{Counts: []uint64{5, 5, 5, 6}, Buckets: buckets}
	if got := highest(last, before); got != 4000 {
		t.Errorf("the open bucket: %d ns, want its lower end 4000", got)
	}
}
