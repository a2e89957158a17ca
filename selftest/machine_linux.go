package selftest

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
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

// tickNS is the unit of /proc/…/stat: a hundredth of a second on every architecture that Go runs on (USER_HZ).
const tickNS = 10_000_000

// processesCPU is the user, nice and system time of all processes so far, in ns. What interrupts took isn't among it: a
// packet's way through the loopback is nobody's time.
func processesCPU() int64 {
	raw, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	line, _, _ := strings.Cut(string(raw), "\n")
	fields := strings.Fields(line) // cpu user nice system idle …
	sum := int64(0)
	for i := 1; i <= 3 && i < len(fields); i++ {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return 0
		}
		sum += n * tickNS
	}
	return sum
}

// processCPU is the user and system time of a process so far, in ns; 0 where it can't be read.
func processCPU(pid int) int64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	// The name in parentheses may hold anything; after it, utime and stime are the 12th and 13th field (proc_pid_stat(5)).
	text := string(raw)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	sum := int64(0)
	for _, i := range []int{11, 12} {
		if i < len(fields) {
			n, err := strconv.ParseInt(fields[i], 10, 64)
			if err != nil {
				return 0
			}
			sum += n * tickNS
		}
	}
	return sum
}
