package metrics

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
)

// busyLoad is the load average, in CPUs, from which others are in the way.
const busyLoad = 0.5

// youngSeconds is how old this process may be for the load average of the last minute to be about the others.
const youngSeconds = 10

// otherLoad warns where other programs kept the machine busy in the last minute. It has nothing to say once this process
// is older than some seconds: then its own work is part of the average, as in the later cells of a sweep.
func (l linuxHost) otherLoad() string {
	average, _, _ := strings.Cut(l.line("proc/loadavg"), " ")
	load, err := strconv.ParseFloat(average, 64)
	if err != nil || load <= busyLoad || l.age() > youngSeconds {
		return ""
	}
	return fmt.Sprintf("other programs (or an earlier run) kept %.2f CPUs busy in the last minute: they may disturb this run", load)
}

// age is how long ago this process started, in seconds; 0 if unknown.
func (l linuxHost) age() float64 {
	first, _, _ := strings.Cut(l.line("proc/uptime"), " ")
	up, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	// The second field, the program's name in parentheses, may contain anything; the start is the 22nd: proc(5).
	stat := l.read("proc/self/stat")
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	const start, ticksPerSecond = 22 - 3, 100
	if len(fields) <= start {
		return 0
	}
	ticks, err := strconv.ParseFloat(fields[start], 64)
	if err != nil {
		return 0
	}
	return up - ticks/ticksPerSecond
}

// quota warns where control groups give this process less CPU time than there are CPUs.
func (l linuxHost) quota(cpus int) string {
	limit := l.cpuLimit()
	if limit == 0 || limit >= float64(cpus) {
		return ""
	}
	return fmt.Sprintf("a control group limits this process to %.2f of %d CPUs: the kernel stops it in between, which looks like latency",
		limit, cpus)
}

// cpuLimit is the smallest CPU limit of the process's control group and those above it, in CPUs; 0: none.
func (l linuxHost) cpuLimit() float64 {
	var list []float64
	l.groups(func(dir string, unified bool) {
		if unified {
			quota, period, _ := strings.Cut(l.line(path.Join(dir, "cpu.max")), " ")
			list = appendLimit(list, quota, period)
		} else {
			list = appendLimit(list, l.line(path.Join(dir, "cpu.cfs_quota_us")), l.line(path.Join(dir, "cpu.cfs_period_us")))
		}
	})
	if len(list) == 0 {
		return 0
	}
	return slices.Min(list)
}

// groups calls f with the folder of each control group that may limit this process's CPU time, and of those above it;
// unified: of version 2. In a container the path may be one of the outside, of which nothing is seen inside but the
// hierarchy's root: folders that f can't find are to be passed over.
func (l linuxHost) groups(f func(dir string, unified bool)) {
	for line := range strings.Lines(l.read("proc/self/cgroup")) {
		// hierarchy:controllers:path; the unified hierarchy (version 2) names no controllers.
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		unified := parts[1] == ""
		root := "sys/fs/cgroup"
		if !unified {
			if !strings.Contains(","+parts[1]+",", ",cpu,") {
				continue
			}
			root = "sys/fs/cgroup/cpu" // by custom a link to where cpu,cpuacct is mounted
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			f(path.Join(root, dir), unified)
			if dir == "/" {
				break
			}
		}
	}
}

// appendLimit adds quota/period, unless they say "no limit" or nothing.
func appendLimit(list []float64, quota, period string) []float64 {
	q, err := strconv.ParseFloat(quota, 64)
	if err != nil || q <= 0 {
		return list // "max", −1 or no such file
	}
	p, err := strconv.ParseFloat(period, 64)
	if err != nil || p <= 0 {
		return list
	}
	return append(list, q/p)
}
