package doctor

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func text(n int) string { return strconv.Itoa(n) }

// all are the findings of every check that looks at files, with the made-up machine's quiet second and load.
func all(m *machine) []Finding {
	w := window{m.sample(), m.sample()}
	w.after.cpus.All += 4e9 // a second of 4 CPUs in which nothing ran
	return append(m.standing("/tmp"), m.otherLoad(w), m.swapping(w), m.steal(w), m.quota(w), m.rateClock("tsc", 10, 25))
}

func TestHealthyMachineHasNothingToNote(t *testing.T) {
	for _, f := range all(machineOf(nil)) {
		if f.Severity != OK || len(f.Do) > 0 || f.Why == "" || f.Measured == "" {
			t.Errorf("%+v", f)
		}
		if !slices.Contains(Checks(), f.Check) {
			t.Errorf("%s isn't among Checks", f.Check)
		}
	}
}

// TestUnknown: a system without any of the files is no reason to fail, and nothing is claimed about it.
func TestUnknown(t *testing.T) {
	m := bare()
	for _, f := range append(m.standing("/tmp"), m.otherLoad(window{}), m.swapping(window{}), m.steal(window{}), m.quota(window{}), m.rateClock("monotonic", 40, 40)) {
		if f.Severity == Bad || f.Measured == "" {
			t.Errorf("%+v", f)
		}
	}
}

// TestChecksFind holds every check against a machine on which it has something to find.
func TestChecksFind(t *testing.T) {
	const (
		status = "proc/self/status"
		v1     = "3:cpu,cpuacct:/docker/x\n9:memory:/docker/x\n"
	)
	tests := []struct {
		name, check string
		files       map[string]string
		severity    Severity
		measured    string // part of it
		do          string // part of the first thing to do; "": nothing
	}{
		{"virtual", "system", map[string]string{"proc/cpuinfo": "model name\t: EPYC\nflags\t\t: fpu hypervisor tsc\n"}, Note, "EPYC, a virtual machine", "interleaved"},
		{"one CPU", "cores", map[string]string{status: "Cpus_allowed_list:\t0\n", "sys/devices/system/cpu/online": "0\n"}, Warning, "can't spin", "2 CPUs"},
		{"two CPUs", "cores", map[string]string{status: "Cpus_allowed_list:\t2-3\n", "sys/devices/system/cpu/online": "2-3\n"}, Note, "2 CPUs", "--cpus 2 --target-cpus 3"},
		{"pinned", "cores", map[string]string{status: "Cpus_allowed_list:\t1\n"}, Warning, "1 of 4 CPUs usable (1)", "taskset"},
		{"pinned to many", "cores", map[string]string{status: "Cpus_allowed_list:\t0-3\n", "sys/devices/system/cpu/online": "0-7\n"}, Note, "4 of 8", "taskset"},
		{"siblings", "siblings", map[string]string{
			"sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0,2\n", "sys/devices/system/cpu/cpu2/topology/thread_siblings_list": "0,2\n",
			"sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1,3\n", "sys/devices/system/cpu/cpu3/topology/thread_siblings_list": "1,3\n",
		}, Note, "2 cores with several hardware threads, such as CPUs 0,2", "--cpus 0 --target-cpus 1"},
		{"one core", "siblings", map[string]string{status: "Cpus_allowed_list:\t0-1\n",
			"sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0-1\n", "sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "0-1\n",
		}, Warning, "all usable CPUs are one core", "2 cores"},
		{"governor", "governor", map[string]string{"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n"}, Warning, `"powersave" on 1 of 2`, "cpupower frequency-set -g performance"},
		{"no governor", "governor", map[string]string{"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "", "sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": ""}, Note, "doesn't say", ""},
		{"quota", "cpu-quota", map[string]string{"sys/fs/cgroup/user.slice/cpu.max": "250000 100000\n"}, Warning, "2.50 CPUs of 4", "resources.limits.cpu"},
		{"tiny quota", "cpu-quota", map[string]string{"sys/fs/cgroup/cpu.max": "50000 100000\n"}, Bad, "0.50 CPUs", "CPUQuota"},
		{"wide quota", "cpu-quota", map[string]string{"sys/fs/cgroup/cpu.max": "800000 100000\n"}, OK, "8.00 CPUs", ""},
		{"quota, version 1", "cpu-quota", map[string]string{"proc/self/cgroup": v1,
			"sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "120000\n", "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n"}, Warning, "1.20 CPUs", "docker"},
		{"little memory", "memory", map[string]string{"proc/meminfo": "MemTotal: 2048000 kB\nMemAvailable: 800000 kB\n"}, Warning, "781 MiB available", "buffer.memory"},
		{"no memory", "memory", map[string]string{"proc/meminfo": "MemTotal: 2048000 kB\nMemAvailable: 80000 kB\n"}, Bad, "78 MiB", "buffer.memory"},
		{"memory limit", "memory", map[string]string{"sys/fs/cgroup/user.slice/memory.max": "134217728\n"}, Bad, "limited to 128 MiB by a control group", "limit"},
		{"memory limit, version 1", "memory", map[string]string{"proc/self/cgroup": v1, "sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": "536870912\n"}, Warning, "limited to 512 MiB", "limit"},
		{"no memory limit, version 1", "memory", map[string]string{"proc/self/cgroup": v1, "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, OK, "of 16 GiB", ""},
		{"used swap", "swapping", map[string]string{"proc/meminfo": "SwapTotal: 1024000 kB\nSwapFree: 512000 kB\n"}, Note, "500 MiB of 1000 MiB", "swapoff"},
		{"unused swap", "swapping", map[string]string{"proc/meminfo": "SwapTotal: 1024000 kB\nSwapFree: 1024000 kB\n"}, OK, "unused", ""},
		{"huge pages", "huge-pages", map[string]string{"sys/kernel/mm/transparent_hugepage/enabled": "[always] madvise never\n"}, Note, "always", "echo madvise"},
		{"socket buffers", "socket-buffers", map[string]string{"proc/sys/net/core/wmem_max": "65536\n"}, Warning, "64 KiB to send", "net.core.wmem_max"},
		{"listen backlog", "listen-backlog", map[string]string{"proc/sys/net/core/somaxconn": "16\n"}, Warning, "16", "somaxconn"},
		{"open files", "open-files", map[string]string{"proc/self/limits": "Max open files            256                4096                files\n"}, Warning, "256", "ulimit -n"},
		{"some open files", "open-files", map[string]string{"proc/self/limits": "Max open files            1024                4096                files\n"}, Note, "1024", "ulimit -n"},
		{"unlimited files", "open-files", map[string]string{"proc/self/limits": "Max open files            unlimited            unlimited            files\n"}, OK, "no limit", ""},
		{"ports taken", "ports", map[string]string{"proc/net/sockstat": "TCP: inuse 3000 orphan 0 tw 25000 alloc 40 mem 2\n"}, Bad, "28000 TCP connections", "ip_local_port_range"},
		{"half the ports taken", "ports", map[string]string{"proc/net/sockstat": "TCP: inuse 30 orphan 0 tw 15000 alloc 40 mem 2\n"}, Warning, "15030", "ip_local_port_range"},
		{"few ports", "ports", map[string]string{"proc/sys/net/ipv4/ip_local_port_range": "60000 60500\n"}, Warning, "501 local ports", "ip_local_port_range"},
		{"junk", "ports", map[string]string{"proc/sys/net/ipv4/ip_local_port_range": "9 1\n"}, Note, "not known", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { expect(t, all(machineOf(tt.files)), tt.check, tt.severity, tt.measured, tt.do) })
	}
}

// expect holds the finding of a check against what is expected of it.
func expect(t *testing.T, list []Finding, check string, severity Severity, measured, do string) {
	t.Helper()
	i := slices.IndexFunc(list, func(f Finding) bool { return f.Check == check })
	if i < 0 {
		t.Fatalf("no finding of %s", check)
	}
	f := list[i]
	if f.Severity != severity || !strings.Contains(f.Measured, measured) {
		t.Errorf("%s: %s %q, want %s with %q", check, f.Severity, f.Measured, severity, measured)
	}
	if first := append(slices.Clone(f.Do), "")[0]; !strings.Contains(first, do) || (do == "") != (first == "") {
		t.Errorf("%s: to do %q, want %q in it", check, f.Do, do)
	}
}

// TestWindows: what two samples tell.
func TestWindows(t *testing.T) {
	watch := func(before, after map[string]string) (*machine, window) {
		m := machineOf(after)
		return m, window{machineOf(before).sample(), m.sample()}
	}
	// Samples of 100 ticks, a second, on each of 4 CPUs: the files' counters sum up to 1000 before and 1100 after.
	later := func(busy, stolen int) string {
		return strings.NewReplacer(" "+text(1000-busy-stolen)+" ", " "+text(1100-busy-stolen)+" ").Replace(cpuLines(busy, stolen))
	}
	t.Run("idle", func(t *testing.T) {
		m, w := watch(nil, map[string]string{"proc/stat": later(100, 0)})
		expect(t, []Finding{m.otherLoad(w)}, "other-load", OK, "0.00 of 4", "")
	})
	t.Run("ourselves", func(t *testing.T) {
		m, w := watch(nil, map[string]string{"proc/stat": later(125, 0), "proc/self/stat": processLine("42", "kbench", 110)})
		expect(t, []Finding{m.otherLoad(w)}, "other-load", OK, "0.00 of 4", "")
	})
	t.Run("some", func(t *testing.T) {
		m, w := watch(map[string]string{"proc/7/stat": processLine("7", "a) b", 10), "proc/8/stat": processLine("8", "idle", 500)},
			map[string]string{"proc/stat": later(105, 0), "proc/7/stat": processLine("7", "a) b", 30), "proc/8/stat": processLine("8", "idle", 500)})
		expect(t, []Finding{m.otherLoad(w)}, "other-load", Note, "0.20 of 4 CPUs busy in the sampled second, most of all a) b (process 7)", "taskset")
	})
	t.Run("busy", func(t *testing.T) {
		m, w := watch(nil, map[string]string{"proc/stat": later(150, 0)})
		expect(t, []Finding{m.otherLoad(w)}, "other-load", Warning, "2.00 of 4", "taskset")
	})
	t.Run("full", func(t *testing.T) {
		m, w := watch(nil, map[string]string{"proc/stat": later(190, 0)})
		expect(t, []Finding{m.otherLoad(w)}, "other-load", Bad, "3.60 of 4", "taskset")
	})
	t.Run("busy CPUs that aren't ours", func(t *testing.T) {
		pinned := map[string]string{"proc/self/status": "Cpus_allowed_list:\t7\n", "proc/stat": later(190, 0)}
		m, w := watch(map[string]string{"proc/self/status": "Cpus_allowed_list:\t7\n"}, pinned)
		expect(t, []Finding{m.otherLoad(w)}, "other-load", Note, "not known", "")
	})
	t.Run("little stolen", func(t *testing.T) {
		m, w := watch(map[string]string{"proc/stat": cpuLines(100, 0)}, map[string]string{"proc/stat": strings.ReplaceAll(cpuLines(600, 2), " 398 ", " 1398 ")})
		expect(t, []Finding{m.steal(w)}, "steal", Note, "0.2 %", "dedicated")
	})
	t.Run("stolen", func(t *testing.T) {
		m, w := watch(nil, map[string]string{"proc/stat": later(100, 50)})
		expect(t, []Finding{m.steal(w)}, "steal", Bad, "50.0 %", "dedicated")
	})
	t.Run("stolen from a process that was pinned in between", func(t *testing.T) {
		m := machineOf(nil)
		m.keepCPUs()
		w := window{before: m.sample()}
		m.files = machineOf(map[string]string{"proc/self/status": "Cpus_allowed_list:\t0\n", "proc/stat": later(100, 50)}).files
		w.after = m.sample()
		expect(t, []Finding{m.steal(w)}, "steal", Bad, "50.0 %", "dedicated")
	})
	t.Run("swapped", func(t *testing.T) {
		swap := "MemTotal: 1 kB\nSwapTotal: 1024000 kB\nSwapFree: 512000 kB\n"
		m, w := watch(nil, map[string]string{"proc/vmstat": "pswpin 107\npswpout 29\n", "proc/meminfo": swap})
		expect(t, []Finding{m.swapping(w)}, "swapping", Warning, "120 pages", "end other programs")
	})
	t.Run("throttled", func(t *testing.T) {
		quota := map[string]string{"sys/fs/cgroup/cpu.max": "400000 100000\n", "sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_throttled 3\n"}
		m, w := watch(quota, map[string]string{"sys/fs/cgroup/cpu.max": "400000 100000\n", "sys/fs/cgroup/cpu.stat": "usage_usec 9\nnr_throttled 5\n"})
		expect(t, []Finding{m.quota(w)}, "cpu-quota", Bad, "stopped it in 2 periods", "raise")
	})
}

func TestDiskAndJava(t *testing.T) {
	for _, tt := range []struct {
		free int64
		want Severity
	}{{1 << 20, Bad}, {1 << 30, Warning}, {1 << 40, OK}} {
		m := machineOf(nil)
		m.disk = func(string) (int64, error) { return tt.free, nil }
		if f := m.diskSpace("/tmp"); f.Severity != tt.want {
			t.Errorf("%d bytes free: %+v", tt.free, f)
		}
	}
	for _, tt := range []struct {
		name string
		has  []string // programs
		env  string
		want string
	}{{"all", []string{"java", "mvn"}, "", "Java, and Maven"}, {"no Maven", []string{"java"}, "", "no Maven"}, {"nothing", nil, "", "no Java"},
		{"an unpacked Kafka", []string{"java"}, "KAFKA_HOME", "Java, and"}, {"Java elsewhere", []string{"mvn"}, "JAVA_HOME", "Java, and"}} {
		m := machineOf(nil)
		m.look = func(program string) (string, error) {
			if slices.Contains(tt.has, program) {
				return program, nil
			}
			return "", errors.New("not found")
		}
		m.env = func(name string) string { return map[bool]string{true: "/opt"}[name == tt.env] }
		if f := m.java(); !strings.Contains(f.Measured, tt.want) || (f.Severity == OK) != strings.HasPrefix(tt.want, "Java") || f.Severity == Bad {
			t.Errorf("%s: %+v", tt.name, f)
		}
	}
}

func TestRateClock(t *testing.T) {
	const dir = "sys/devices/system/clocksource/clocksource0/"
	hpet := machineOf(map[string]string{dir + "current_clocksource": "hpet\n"})
	kvm := machineOf(map[string]string{dir + "current_clocksource": "kvm-clock\n", dir + "available_clocksource": "kvm-clock acpi_pm\n"})
	for _, tt := range []struct {
		m            *machine
		source       string
		ours, theirs float64
		want         Severity
		do           string
	}{
		{machineOf(nil), "tsc", 10, 30, OK, ""},
		{machineOf(nil), "tsc", 400, 400, Warning, "echo tsc"},
		{kvm, "monotonic", 30, 30, Note, "tsc=reliable"},
		{kvm, "monotonic", 300, 300, Warning, "tsc=reliable"},
		{hpet, "monotonic", 1500, 1500, Bad, "echo tsc"},
		{bare(), "monotonic", 40, 40, OK, ""},
	} {
		expect(t, []Finding{tt.m.rateClock(tt.source, tt.ours, tt.theirs)}, "clock", tt.want, tt.source, tt.do)
	}
}

func TestRateNaps(t *testing.T) {
	series := func(usual, rare int64) []int64 {
		list := make([]int64, 100)
		for i := range list {
			list[i] = usual
		}
		list[0], list[1] = rare, rare
		return list
	}
	for _, tt := range []struct {
		late  []int64
		slack int64
		want  Severity
		do    string
	}{
		{series(10_000, 50_000), 1, OK, ""},
		{series(10_000, 300_000), 1, Warning, "other load"},
		{series(10_000, 3_000_000), 1, Bad, "other load"},
		{series(60_000, 70_000), 50_000, Note, "prctl"},
		{series(10_000, 20_000), -1, OK, ""},
		{nil, 1, Note, ""},
	} {
		expect(t, []Finding{rateNaps(tt.late, tt.slack)}, "naps", tt.want, "", tt.do)
	}
	if f := naps(context.Background()); f.Values["max_ns"] <= 0 {
		t.Errorf("naps that take no time: %+v", f)
	}
}
