package procfs

import (
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// Group is a control group, as a folder of limits and counters.
type Group struct {
	Dir     string // below the root of the files
	Unified bool   // of version 2, where all controllers' files are in one folder
}

// Groups are the control groups of this process that may limit it by a controller ("cpu", "memory"), and those above each,
// the nearest first. In a container the path may be one of the outside, of which nothing is seen inside but the hierarchy's
// root: folders that aren't there are named all the same.
func Groups(fsys fs.FS, controller string) []Group {
	var list []Group
	for line := range strings.Lines(Text(fsys, "proc/self/cgroup")) {
		// hierarchy:controllers:path; the unified hierarchy (version 2) names no controllers: cgroups(7).
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		root, unified := "sys/fs/cgroup", parts[1] == ""
		if !unified {
			if !strings.Contains(","+parts[1]+",", ","+controller+",") {
				continue
			}
			root = path.Join(root, controller) // by custom a link to where several are mounted together
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			list = append(list, Group{path.Join(root, dir), unified})
			if dir == "/" {
				break
			}
		}
	}
	return list
}

// CPULimit is the tightest limit of CPU time of this process's groups, in CPUs; 0: none.
func CPULimit(fsys fs.FS) float64 {
	tightest := 0.0
	for _, g := range Groups(fsys, "cpu") {
		var quota, period string
		if g.Unified {
			quota, period, _ = strings.Cut(Line(fsys, path.Join(g.Dir, "cpu.max")), " ")
		} else {
			quota, period = Line(fsys, path.Join(g.Dir, "cpu.cfs_quota_us")), Line(fsys, path.Join(g.Dir, "cpu.cfs_period_us"))
		}
		if limit := share(quota, period); limit > 0 && (tightest == 0 || limit < tightest) {
			tightest = limit
		}
	}
	return tightest
}

// share is quota/period, both in µs; 0 where they say "no limit" ("max", or −1) or nothing.
func share(quota, period string) float64 {
	q, err := strconv.ParseInt(quota, 10, 64)
	if err != nil || q <= 0 {
		return 0
	}
	p, err := strconv.ParseInt(period, 10, 64)
	if err != nil || p <= 0 {
		return 0
	}
	return float64(q) / float64(p)
}

// Throttled is for how long, in ns on all CPUs added up, quotas stopped this process's groups so far: one number for each
// group that says. A stop of a group may be counted in those above it as well.
func Throttled(fsys fs.FS) []int64 {
	var list []int64
	for _, g := range Groups(fsys, "cpu") {
		name, unit := "throttled_time", int64(1)
		if g.Unified {
			name, unit = "throttled_usec", 1000
		}
		if n, ok := Count(Text(fsys, path.Join(g.Dir, "cpu.stat")), name); ok {
			list = append(list, n*unit)
		}
	}
	return list
}

// ThrottledPeriods is in how many periods, mostly of 100 ms, quotas stopped this process's groups so far, the groups added
// up.
func ThrottledPeriods(fsys fs.FS) int64 {
	sum := int64(0)
	for _, g := range Groups(fsys, "cpu") {
		n, _ := Count(Text(fsys, path.Join(g.Dir, "cpu.stat")), "nr_throttled")
		sum += n
	}
	return sum
}

// unlimited is what version 1 has no more than as a limit of memory: "none" is the largest multiple of a page there.
const unlimited = 1 << 60

// MemoryLimit is the tightest limit of memory of this process's groups in bytes; 0: none. From memory.high on the kernel
// slows the group down and reclaims; memory.max and version 1's limit_in_bytes end in killing.
func MemoryLimit(fsys fs.FS) int64 {
	tightest := int64(0)
	for _, g := range Groups(fsys, "memory") {
		names := []string{"memory.limit_in_bytes"}
		if g.Unified {
			names = []string{"memory.max", "memory.high"}
		}
		for _, name := range names {
			v, err := strconv.ParseInt(Line(fsys, path.Join(g.Dir, name)), 10, 64)
			if err == nil && v > 0 && v < unlimited && (tightest == 0 || v < tightest) {
				tightest = v
			}
		}
	}
	return tightest
}
