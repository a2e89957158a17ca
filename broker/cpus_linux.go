package broker

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// PinSelf binds all threads of this process, those of today and those to come, to cpus, and lets the Go scheduler use
// as many processors as there are CPUs (unless GOMAXPROCS is set in the environment). Children inherit it.
func PinSelf(cpus []int) error {
	if len(cpus) == 0 {
		return errors.New("no CPU to pin to")
	}
	if err := checkCPUs(cpus); err != nil {
		return err
	}
	// A thread that isn't pinned yet may start another one while this reads the list; that one inherits the old mask. So
	// read again until nobody new turns up.
	done := map[int]bool{}
	for {
		entries, err := os.ReadDir("/proc/self/task")
		if err != nil {
			return fmt.Errorf("can't list this process's threads: %w", err)
		}
		fresh := false
		for _, e := range entries {
			tid, err := strconv.Atoi(e.Name())
			if err != nil || done[tid] {
				continue
			}
			fresh, done[tid] = true, true
			if err := setAffinity(tid, cpus); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
		if !fresh {
			break
		}
	}
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.SetDefaultGOMAXPROCS()
	}
	return nil
}

// setAffinity binds a thread (0: the calling one) to cpus.
func setAffinity(tid int, cpus []int) error {
	var set unix.CPUSet
	for _, cpu := range cpus {
		set.Set(cpu)
	}
	if err := unix.SchedSetaffinity(tid, &set); err != nil {
		if errors.Is(err, unix.EINVAL) {
			return fmt.Errorf("this process may not run on CPU %s (a cgroup's cpuset?)", formatCPUs(cpus))
		}
		return fmt.Errorf("can't pin to CPU %s: %w", formatCPUs(cpus), err)
	}
	// The kernel silently drops CPUs that the cgroup doesn't allow.
	var got unix.CPUSet
	if err := unix.SchedGetaffinity(tid, &got); err != nil {
		return fmt.Errorf("can't read the CPUs pinned to: %w", err)
	}
	if got != set {
		return fmt.Errorf("asked for CPU %s, but only %s are allowed to this process (a cgroup's cpuset?)", formatCPUs(cpus), formatCPUs(cpusOf(&got)))
	}
	return nil
}

// currentCPUs are the CPUs that this process may run on now.
func currentCPUs() ([]int, error) {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(os.Getpid(), &set); err != nil {
		return nil, fmt.Errorf("can't read this process's CPUs: %w", err)
	}
	return cpusOf(&set), nil
}

func cpusOf(set *unix.CPUSet) []int {
	var cpus []int
	for cpu := range maxCPU + 1 {
		if set.IsSet(cpu) {
			cpus = append(cpus, cpu)
		}
	}
	return cpus
}

// checkCPUs refuses CPUs that the machine doesn't have.
func checkCPUs(cpus []int) error {
	if len(cpus) == 0 {
		return nil
	}
	raw, err := os.ReadFile("/sys/devices/system/cpu/online")
	if err != nil {
		return nil // no sysfs here: setting the affinity will tell
	}
	online, err := ParseCPUs(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("/sys/devices/system/cpu/online: %w", err)
	}
	for _, cpu := range cpus {
		if !slices.Contains(online, cpu) {
			return fmt.Errorf("there is no CPU %d; this machine has %s", cpu, formatCPUs(online))
		}
	}
	return nil
}
