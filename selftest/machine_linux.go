package selftest

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"kbench/metrics/procfs"
)

// usableCPUs are those that this process may run on.
func usableCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil, fmt.Errorf("can't read this process's CPUs: %w", err)
	}
	var cpus []int
	for cpu := 0; len(cpus) < set.Count(); cpu++ {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}

// processesCPU is the CPU time of all processes so far, in ns, but for what interrupts took.
func processesCPU() int64 { return procfs.ParseProcessesTime(procfs.Text(os.DirFS("/"), "proc/stat")) }

// processCPU is the user and system time of a process so far, in ns; 0 where it can't be read.
func processCPU(pid int) int64 {
	p, _ := procfs.ParseProcess(procfs.Text(os.DirFS("/"), fmt.Sprintf("proc/%d/stat", pid)))
	return p.CPU
}
