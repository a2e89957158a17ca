package broker

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// maxCPU bounds what ParseCPUs accepts: the size of Linux's usual CPU set.
const maxCPU = 1023

// ParseCPUs reads a list of CPUs as taskset takes it, such as "0,2-3", and returns it sorted, each CPU once.
func ParseCPUs(s string) ([]int, error) {
	var cpus []int
	for part := range strings.SplitSeq(s, ",") {
		from, to, isRange := strings.Cut(strings.TrimSpace(part), "-")
		lo, err := parseCPU(from)
		hi := lo
		if err == nil && isRange {
			hi, err = parseCPU(to)
		}
		if err == nil && hi < lo {
			err = errors.New("the range goes backwards")
		}
		if err != nil {
			return nil, fmt.Errorf("CPU list %q: %w; want numbers and ranges such as 0,2-3", s, err)
		}
		for cpu := lo; cpu <= hi; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	slices.Sort(cpus)
	return slices.Compact(cpus), nil
}

func parseCPU(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q isn't a CPU number", s)
	}
	if n > maxCPU {
		return 0, fmt.Errorf("CPU %d is above %d", n, maxCPU)
	}
	return n, nil
}

// formatCPUs writes a sorted list the way ParseCPUs reads it.
func formatCPUs(cpus []int) string {
	var b strings.Builder
	for i := 0; i < len(cpus); {
		j := i
		for j+1 < len(cpus) && cpus[j+1] == cpus[j]+1 {
			j++
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		b.WriteString(strconv.Itoa(cpus[i]))
		if j > i {
			b.WriteString("-" + strconv.Itoa(cpus[j]))
		}
		i = j + 1
	}
	return b.String()
}
