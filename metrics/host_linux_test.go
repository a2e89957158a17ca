package metrics

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// machine writes the files of a made-up machine and returns their root.
func machine(t *testing.T, files map[string]string) linuxHost {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return linuxHost{root}
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
		}, Host{CPUs: 6, Warnings: []string{"other programs (or an earlier run) kept 1.25 CPUs busy in the last minute: they may disturb this run"}}},
		{"our own load", map[string]string{
			"proc/loadavg": "1.25 0.10 0.10 3/93 15081\n", "proc/uptime": uptime, "proc/self/stat": statOld,
		}, Host{CPUs: 6}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Host{CPUs: 6}
			machine(t, tt.files).describe(&got)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestCPULimit(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string
		want  float64
	}{
		{"v2, the group's own", map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/cpu.max": "50000 100000\n"}, 0.5},
		{"v2, a group above is tighter", map[string]string{"proc/self/cgroup": "0::/a/b\n",
			"sys/fs/cgroup/a/cpu.max": "150000 100000\n", "sys/fs/cgroup/a/b/cpu.max": "200000 100000\n"}, 1.5},
		{"v2, a container sees its root only", map[string]string{"proc/self/cgroup": "0::/../outside\n", "sys/fs/cgroup/cpu.max": "25000 50000\n"}, 0.5},
		{"v2, none", map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/cpu.max": "max 100000\n"}, 0},
		{"v1", map[string]string{"proc/self/cgroup": "9:name=systemd:/\n3:cpu,cpuacct:/docker/x\n0::/\n",
			"sys/fs/cgroup/cpu/docker/x/cpu.cfs_quota_us": "120000\n", "sys/fs/cgroup/cpu/docker/x/cpu.cfs_period_us": "100000\n"}, 1.2},
		{"v1, none", map[string]string{"proc/self/cgroup": "1:cpu:/\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 0},
		{"v1, another controller", map[string]string{"proc/self/cgroup": "2:cpuset:/\n",
			"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "1000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"}, 0},
		{"no period", map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "50000\n"}, 0},
		{"nothing", nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := machine(t, tt.files)
			if got := l.cpuLimit(); got != tt.want {
				t.Errorf("limit %v CPUs, want %v", got, tt.want)
			}
			if got := l.quota(8); (got != "") != (tt.want > 0) {
				t.Errorf("of 8 CPUs: warning %q", got)
			}
		})
	}
	l := machine(t, map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "200000 100000\n"})
	if got := l.quota(2); got != "" {
		t.Errorf("a limit of all CPUs: warning %q", got)
	}
	if got, want := l.quota(4), "2.00 of 4 CPUs"; !strings.Contains(got, want) {
		t.Errorf("warning %q, want %q in it", got, want)
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
