package procfs

import (
	"strconv"
	"strings"
)

// tickNS is the unit of CPU time in /proc, in ns: a hundredth of a second on every architecture that Go runs on (USER_HZ).
const tickNS = 10_000_000

// CPUTimes are what became of CPUs' time since boot, in ns.
type CPUTimes struct {
	Busy   int64 // user, nice, system, irq, softirq
	All    int64 // besides, idle, iowait and Stolen
	Stolen int64 // by the hypervisor
}

// The columns of /proc/stat after the CPU's name; those after steal, guests' time, are part of user and nice: proc_stat(5).
const (
	columnUser = iota
	columnNice
	columnSystem
	columnIdle
	columnIOWait
	_
	_
	columnSteal
	columns
)

// ParseCPUTimes adds up, in the text of /proc/stat, the CPUs that are usable.
func ParseCPUTimes(text string, usable func(cpu int) bool) CPUTimes {
	var t CPUTimes
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(line, " ")
		number, isCPU := strings.CutPrefix(name, "cpu")
		if cpu, err := strconv.Atoi(number); !isCPU || err != nil || !usable(cpu) {
			continue // also the line of all CPUs
		}
		for i, ns := range cpuColumns(rest) {
			t.All += ns
			switch i {
			case columnIdle, columnIOWait:
			case columnSteal:
				t.Stolen += ns
			default:
				t.Busy += ns
			}
		}
	}
	return t
}

// cpuColumns are the columns of a CPU's line in ns; 0 from the first that is no number.
func cpuColumns(line string) (ns [columns]int64) {
	i := 0
	for field := range strings.FieldsSeq(line) {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil || i == columns {
			break
		}
		ns[i] = ticks * tickNS
		i++
	}
	return ns
}

// ParseProcessesTime is the CPU time that all processes took since boot, in ns, in the text of /proc/stat: user, nice and
// system. What interrupts took isn't among it, such as a packet's way through the loopback, which is nobody's time.
func ParseProcessesTime(text string) int64 {
	line, _, _ := strings.Cut(text, "\n")
	all, ok := strings.CutPrefix(line, "cpu ")
	if !ok {
		return 0
	}
	ns := cpuColumns(all)
	return ns[columnUser] + ns[columnNice] + ns[columnSystem]
}
