package metrics

import (
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// tickNS is the unit of /proc/stat: a hundredth of a second on every architecture that Go runs on (USER_HZ).
const tickNS = 10_000_000

func readSystemPressure(p *Pressure) {
	var set unix.CPUSet
	usable := func(cpu int) bool { return true }
	if unix.SchedGetaffinity(0, &set) == nil {
		usable = set.IsSet
	}
	linuxHost{"/"}.pressure(p, usable)
}

// pressure reads what the kernel counts, for the CPUs that are usable.
func (l linuxHost) pressure(p *Pressure, usable func(cpu int) bool) {
	p.busy, p.all, p.stolen = l.cpuTimes(usable)
	p.threads = l.threadTimes()
	p.throttled = l.throttled()
}

// cpuTimes adds up the usable CPUs' times in /proc/stat: proc_stat(5).
func (l linuxHost) cpuTimes(usable func(cpu int) bool) (busy, all, stolen int64) {
	const (
		idle = iota + 3
		iowait
		_
		_
		steal
		fields // what follows, guests' time, is part of user and nice
	)
	for line := range strings.Lines(l.read("proc/stat")) {
		name, rest, _ := strings.Cut(line, " ")
		number, isCPU := strings.CutPrefix(name, "cpu")
		cpu, err := strconv.Atoi(number)
		if !isCPU || err != nil || !usable(cpu) {
			continue
		}
		for i, text := range strings.Fields(rest) {
			ticks, err := strconv.ParseInt(text, 10, 64)
			if err != nil || i >= fields {
				break
			}
			all += ticks * tickNS
			switch i {
			case idle, iowait:
			case steal:
				stolen += ticks * tickNS
			default:
				busy += ticks * tickNS
			}
		}
	}
	return busy, all, stolen
}

// threadTimes reads each thread's schedstat: ns on a CPU, ns waiting for one, time slices. Nil where the kernel was built
// without them.
func (l linuxHost) threadTimes() map[string]threadTime {
	dir, err := os.ReadDir(filepath.Join(l.root, "proc/self/task"))
	if err != nil {
		return nil
	}
	times := map[string]threadTime{}
	for _, e := range dir {
		fields := strings.Fields(l.line("proc/self/task/" + e.Name() + "/schedstat"))
		if len(fields) != 3 {
			continue // it ended just now, or there is no such file
		}
		ran, err1 := strconv.ParseInt(fields[0], 10, 64)
		waited, err2 := strconv.ParseInt(fields[1], 10, 64)
		if err1 == nil && err2 == nil {
			times[e.Name()] = threadTime{ran, waited}
		}
	}
	return times
}

// throttled is for how long quotas stopped this process's control group and those above it: one number a group that says.
func (l linuxHost) throttled() []int64 {
	var list []int64
	l.groups(func(dir string, unified bool) {
		name, unit := "throttled_time", int64(1)
		if unified {
			name, unit = "throttled_usec", 1000
		}
		for line := range strings.Lines(l.read(path.Join(dir, "cpu.stat"))) {
			if value, ok := strings.CutPrefix(line, name+" "); ok {
				if n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
					list = append(list, n*unit)
				}
			}
		}
	})
	return list
}
