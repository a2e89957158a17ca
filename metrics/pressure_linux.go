package metrics

import (
	"golang.org/x/sys/unix"

	"kbench/metrics/procfs"
)

func readSystemPressure(p *Pressure) {
	var set unix.CPUSet
	usable := func(cpu int) bool { return true }
	if unix.SchedGetaffinity(0, &set) == nil {
		usable = set.IsSet
	}
	thisHost().pressure(p, usable)
}

// pressure reads what the kernel counts, for the CPUs that are usable.
func (l linuxHost) pressure(p *Pressure, usable func(cpu int) bool) {
	p.cpus = procfs.ParseCPUTimes(procfs.Text(l.files, "proc/stat"), usable)
	p.threads = procfs.ThreadTimes(l.files)
	p.throttled = procfs.Throttled(l.files)
}
