package procfs

import (
	"io/fs"
	"math"
	"os"
	"path"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// of is a machine of testdata; "" is one without any file.
func of(name string) fs.FS {
	if name == "" {
		return fstest.MapFS{}
	}
	return os.DirFS(path.Join("testdata", name))
}

func TestGroups(t *testing.T) {
	tests := []struct {
		machine   string
		groups    []Group // of cpu
		cpus      float64
		throttled []int64
		periods   int64
		memory    int64
	}{
		{machine: ""},
		{machine: "v2", groups: []Group{{"sys/fs/cgroup/system.slice/bench.slice/run.service", true}, {"sys/fs/cgroup/system.slice/bench.slice", true},
			{"sys/fs/cgroup/system.slice", true}, {"sys/fs/cgroup", true}},
			cpus: 1.5, throttled: []int64{1_000_000, 123_456_000, 0}, periods: 7, memory: 1 << 30},
		{machine: "v1", groups: []Group{{"sys/fs/cgroup/cpu/docker/3a9f", false}, {"sys/fs/cgroup/cpu/docker", false}, {"sys/fs/cgroup/cpu", false},
			{"sys/fs/cgroup/system.slice/containerd.service", true}, {"sys/fs/cgroup/system.slice", true}, {"sys/fs/cgroup", true}},
			cpus: 1.2, throttled: []int64{654_321_987, 0}, periods: 7, memory: 512 << 20},
		{machine: "v2-container", groups: []Group{{"sys/fs/cgroup/kubepods.slice/pod12.slice", true}, {"sys/fs/cgroup/kubepods.slice", true}, {"sys/fs/cgroup", true}},
			cpus: 0.5, throttled: []int64{40_000}, periods: 3, memory: 256 << 20},
		{machine: "v2-free", groups: []Group{{"sys/fs/cgroup/user.slice/a: b:c", true}, {"sys/fs/cgroup/user.slice", true}, {"sys/fs/cgroup", true}}},
		{machine: "junk", groups: []Group{{"sys/fs/cgroup", true}}},
	}
	for _, tt := range tests {
		t.Run(tt.machine, func(t *testing.T) {
			files := of(tt.machine)
			if diff := cmp.Diff(tt.groups, Groups(files, "cpu")); diff != "" {
				t.Errorf("groups (-want +got):\n%s", diff)
			}
			if got := CPULimit(files); got != tt.cpus {
				t.Errorf("limit %v CPUs, want %v", got, tt.cpus)
			}
			if diff := cmp.Diff(tt.throttled, Throttled(files)); diff != "" {
				t.Errorf("throttled (-want +got):\n%s", diff)
			}
			if got := ThrottledPeriods(files); got != tt.periods {
				t.Errorf("throttled in %d periods, want %d", got, tt.periods)
			}
			if got := MemoryLimit(files); got != tt.memory {
				t.Errorf("memory limit %d, want %d", got, tt.memory)
			}
		})
	}
}

func TestCPUTimes(t *testing.T) {
	const tick = 10_000_000
	all := func(int) bool { return true }
	tests := []struct {
		name, machine string
		usable        func(int) bool
		want          CPUTimes
		processes     int64
	}{
		// Guests' columns aren't counted: they are part of user and nice.
		{"all", "machine", all, CPUTimes{Busy: 96 * tick, All: 555 * tick, Stolen: 50 * tick}, 93 * tick},
		{"some", "machine", func(cpu int) bool { return cpu == 3 }, CPUTimes{Busy: 31 * tick, All: 194 * tick, Stolen: 10 * tick}, 93 * tick},
		{"none", "machine", func(int) bool { return false }, CPUTimes{}, 93 * tick},
		{"no file", "", all, CPUTimes{}, 0},
		{"junk", "junk", all, CPUTimes{Busy: 3 * tick, All: 3 * tick}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text := Text(of(tt.machine), "proc/stat")
			if got := ParseCPUTimes(text, tt.usable); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			if got := ParseProcessesTime(text); got != tt.processes {
				t.Errorf("processes took %d ns, want %d", got, tt.processes)
			}
		})
	}
}

func TestProcesses(t *testing.T) {
	const start = 99800 * tickNS
	want := []Process{
		{1, "systemd", 1000 * tickNS, start},
		{17, "a) b (c", 40 * tickNS, start},
		{18, "Web Content", 3 * tickNS, start},
		{19, ") S 1 1 1 (", 7 * tickNS, start},
		{20, "two\nlines", 11 * tickNS, 99900 * tickNS},
	}
	if diff := cmp.Diff(want, Processes(of("machine")), cmpopts.SortSlices(func(a, b Process) bool { return a.ID < b.ID })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if self, ok := Self(of("machine")); !ok || self != want[1] {
		t.Errorf("self is %+v, %t", self, ok)
	}
	for _, machine := range []string{"", "junk"} {
		if list := Processes(of(machine)); len(list) != 0 {
			t.Errorf("%q: %+v", machine, list)
		}
		if self, ok := Self(of(machine)); ok {
			t.Errorf("%q: self is %+v", machine, self)
		}
	}
	if p, ok := ParseProcess("7 (old) S 1 1 1 0 -1 4 0 0 0 0 1 2 0 0"); !ok || p != (Process{7, "old", 3 * tickNS, 0}) {
		t.Errorf("without a start: %+v, %t", p, ok)
	}
}

func TestThreadTimes(t *testing.T) {
	want := map[string]ThreadTime{"17": {2_684_541, 301_255}, "21": {100, 0}}
	if diff := cmp.Diff(want, ThreadTimes(of("machine"))); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if got := ThreadTimes(of("")); got != nil {
		t.Errorf("without threads: %v", got)
	}
	if got := ThreadTimes(of("junk")); got == nil || len(got) != 0 {
		t.Errorf("without times: %v", got)
	}
}

func TestTexts(t *testing.T) {
	files := of("machine")
	info := Text(files, "proc/cpuinfo")
	for name, want := range map[string]string{"model name": "AMD EPYC", "processor": "0", "flags": "fpu tsc", "model": "", "none": ""} {
		if got := Field(info, name); got != want {
			t.Errorf("field %q is %q, want %q", name, got, want)
		}
	}
	memory := Text(files, "proc/meminfo")
	if n, ok := Bytes(memory, "MemTotal"); !ok || n != 24684084<<10 {
		t.Errorf("MemTotal is %d, %t", n, ok)
	}
	for _, text := range []string{"", "MemTotal: lots", "MemTotal: -1 kB", "MemTotal: 9223372036854775807 kB", "MemTotal: 12 MB"} {
		if n, ok := Bytes(text, "MemTotal"); ok {
			t.Errorf("%q is %d", text, n)
		}
	}
	swap := Text(files, "proc/vmstat")
	if n, ok := Count(swap, "pswpout"); !ok || n != 9 {
		t.Errorf("pswpout is %d, %t", n, ok)
	}
	if n, ok := Count(swap, "pswp"); ok {
		t.Errorf("pswp is %d", n)
	}
}

func TestParseCPUs(t *testing.T) {
	tests := []struct {
		text string
		want []int
	}{
		{"0", []int{0}}, {"0-3,8\n", []int{0, 1, 2, 3, 8}}, {"5,7-7", []int{5, 7}},
		{"", nil}, {"3-1", nil}, {"0-1,x", nil}, {"1,1", nil}, {"4,0-1", nil}, {"-1", nil}, {"0-65537", nil}, {"0,", nil},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, ParseCPUs(tt.text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.text, diff)
		}
	}
}

// FuzzGroups makes up what control groups say.
func FuzzGroups(f *testing.F) {
	for _, name := range []string{"v2", "v1", "junk"} {
		files := of(name)
		groups := Groups(files, "cpu")
		f.Add(Text(files, "proc/self/cgroup"), Text(files, path.Join(groups[0].Dir, "cpu.max")), "-1", "100000", Text(files, path.Join(groups[0].Dir, "cpu.stat")), "max")
	}
	f.Fuzz(func(t *testing.T, cgroup, limit, quota, period, stat, memory string) {
		if len(cgroup) > 4096 {
			return // longer than the kernel's
		}
		files := fstest.MapFS{"proc/self/cgroup": {Data: []byte(cgroup)}}
		for _, controller := range []string{"cpu", "memory"} {
			for _, g := range Groups(files, controller) {
				if !fs.ValidPath(g.Dir) && strings.ToValidUTF8(g.Dir, "") == g.Dir || !strings.HasPrefix(g.Dir+"/", "sys/fs/cgroup/") {
					t.Fatalf("%q in %q", g.Dir, cgroup)
				}
				for name, text := range map[string]string{"cpu.max": limit, "cpu.cfs_quota_us": quota, "cpu.cfs_period_us": period, "cpu.stat": stat, "memory.max": memory,
					"memory.limit_in_bytes": memory} {
					files[path.Join(g.Dir, name)] = &fstest.MapFile{Data: []byte(text)}
				}
			}
		}
		if n := CPULimit(files); n < 0 || math.IsNaN(n) || math.IsInf(n, 0) {
			t.Errorf("limit %v", n)
		}
		if n := MemoryLimit(files); n < 0 || n >= unlimited {
			t.Errorf("memory limit %v", n)
		}
		if groups := Groups(files, "cpu"); len(Throttled(files)) > len(groups) {
			t.Errorf("%d groups, %v", len(groups), Throttled(files))
		}
		ThrottledPeriods(files)
	})
}

// FuzzTexts gives every reader of a text any text.
func FuzzTexts(f *testing.F) {
	for _, name := range []string{"stat", "17/stat", "20/stat", "self/task/17/schedstat", "meminfo", "vmstat", "cpuinfo"} {
		f.Add(Text(of("machine"), path.Join("proc", name)), "pswpin")
	}
	f.Add("0-3,8", "")
	f.Fuzz(func(t *testing.T, text, name string) {
		none := ParseCPUTimes(text, func(int) bool { return false })
		if none != (CPUTimes{}) {
			t.Errorf("of no CPU: %+v", none)
		}
		ParseCPUTimes(text, func(int) bool { return true })
		ParseProcessesTime(text)
		if p, ok := ParseProcess(text); ok && !strings.Contains(text, "("+p.Name+")") {
			t.Errorf("name %q in %q", p.Name, text)
		}
		ParseThreadTime(text)
		if n, ok := Bytes(text, name); ok && n < 0 {
			t.Errorf("%d bytes in %q", n, text)
		}
		Count(text, name)
		if v := Field(text, name); !strings.Contains(text, v) {
			t.Errorf("%q in %q", v, text)
		}
		if cpus := ParseCPUs(text); len(cpus) > 0 && cpus[len(cpus)-1] > maxCPU {
			t.Errorf("CPUs up to %d", cpus[len(cpus)-1])
		}
	})
}
