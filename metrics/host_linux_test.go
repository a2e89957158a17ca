package metrics

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

// machine is a made-up machine with these files.
func machine(files map[string]string) linuxHost {
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return linuxHost{tree}
}

const (
	procStat  = "4711 (a) b (c)) S 1 4711 4711 0 -1 4194304 100 0 0 0 1 2 3 4 20 0 1 0 "
	statYoung = procStat + "99800 1000000 200 18446744073709551615" // 2 s before uptime
	statOld   = procStat + "80000 1000000 200 18446744073709551615"
	uptime    = "1000.00 1900.00\n"
)

func TestDescribeHost(t *testing.T) {
	const memory = "MemTotal:       24684084 kB\nMemFree:        21199528 kB\n"
	tests := []struct {
		name  string
		files map[string]string
		want  Host // CPUs 0: as before
	}{
		{"nothing is readable", nil, Host{CPUs: 6}},
		{"a quiet virtual machine", map[string]string{
			"proc/cpuinfo":                  "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: AMD EPYC\nprocessor\t: 1\nmodel name\t: AMD EPYC\n",
			"proc/meminfo":                  memory,
			"proc/sys/kernel/osrelease":     "6.18.44\n",
			"proc/loadavg":                  "0.50 0.90 2.00 1/93 15081\n",
			"proc/self/cgroup":              "0::/user.slice\n",
			"sys/fs/cgroup/cpu.max":         "max 100000\n",
			"sys/devices/system/cpu/online": "0-1\n",
		}, Host{Kernel: "6.18.44", CPU: "AMD EPYC", CPUs: 2, MemoryBytes: 24684084 << 10}},
		{"ARM", map[string]string{
			"proc/cpuinfo":                  "processor\t: 0\nBogoMIPS\t: 243.75\nCPU implementer\t: 0x41\nCPU part\t: 0xd0c\n",
			"sys/devices/system/cpu/online": "0-2,7\n",
		}, Host{CPU: "implementer 0x41, part 0xd0c", CPUs: 4}},
		{"junk", map[string]string{
			"proc/cpuinfo":                  ":::\n\n",
			"proc/meminfo":                  "MemTotal: lots\n",
			"proc/loadavg":                  "high\n",
			"proc/self/cgroup":              "what\n",
			"sys/devices/system/cpu/online": "3-1,x\n",
		}, Host{CPUs: 6}},
		{"governors", map[string]string{
			"sys/devices/system/cpu/online":                        "0-2",
			"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
			"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor": "powersave\n",
			"sys/devices/system/cpu/cpu2/cpufreq/scaling_governor": "powersave\n",
		}, Host{CPUs: 3, Warnings: []string{`the CPU governor is "powersave" on 2 of 3 CPUs, not "performance": their clock follows the load, and so do latencies`}}},
		{"all at full clock", map[string]string{
			"sys/devices/system/cpu/online":                        "0",
			"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor": "performance\n",
		}, Host{CPUs: 1}},
		{"a busy neighbour", map[string]string{
			"proc/loadavg": "1.25 0.10 0.10 3/93 15081\n", "proc/uptime": uptime, "proc/self/stat": statYoung,
		}, Host{CPUs: 6, Warnings: []string{"the load average of the last minute is 1.25: other programs (or an earlier run) may disturb this run"}}},
		{"our own load", map[string]string{
			"proc/loadavg": "1.25 0.10 0.10 3/93 15081\n", "proc/uptime": uptime, "proc/self/stat": statOld,
		}, Host{CPUs: 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Host{CPUs: 6}
			machine(tt.files).describe(&got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestQuota(t *testing.T) {
	l := machine(map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "200000 100000\n"})
	if got := l.quota(2); got != "" {
		t.Errorf("a limit of all CPUs: warning %q", got)
	}
	if got, want := l.quota(4), "2.00 of 4 CPUs"; !strings.Contains(got, want) {
		t.Errorf("warning %q, want %q in it", got, want)
	}
	if got := machine(nil).quota(4); got != "" {
		t.Errorf("no limit: warning %q", got)
	}
}

// TestFingerprint looks at the machine that the tests run on.
func TestFingerprint(t *testing.T) {
	h := Fingerprint()
	if h.OS != "linux" || h.Arch != runtime.GOARCH || h.Kernel == "" || h.CPU == "" || h.CPUs < 1 || h.MemoryBytes < 1<<20 || h.Go == "" {
		t.Errorf("%+v", h)
	}
	if name, err := os.Hostname(); err == nil && len(name) > 3 && (strings.Contains(h.Kernel, name) || strings.Contains(h.CPU, name)) {
		t.Errorf("%+v gives the host's name", h)
	}
	if h.GeneratorCPUs == nil || h.TargetCPUs == nil || h.Warnings == nil {
		t.Errorf("%+v: lists are null in JSON", h)
	}
}
