package doctor

import (
	"fmt"
	"path"
	"strconv"
	"strings"
)

// quota looks at the control groups' limit of CPU time, and whether it struck within the window.
func (m *machine) quota(w window) Finding {
	f := Finding{Check: "cpu-quota", Severity: OK, Why: "at its quota the kernel stops this process for the rest of a period, mostly 100 ms: it looks like latency"}
	limit, throttled := m.cpuLimit(), w.after.throttled-w.before.throttled
	f.Values = map[string]float64{"limit_cpus": limit, "throttled_periods": throttled}
	usable := len(m.usable())
	switch {
	case limit == 0 && m.line("proc/self/cgroup") == "":
		return f.unknown()
	case limit == 0:
		f.Measured = "no limit of a control group"
		return f
	}
	f.Measured = fmt.Sprintf("a control group limits this process to %.2f CPUs", limit)
	f.Do = []string{"raise or remove the limit (docker run --cpus, a pod's resources.limits.cpu, systemd's CPUQuota=)"}
	switch {
	case throttled > 0:
		f.Severity = Bad
		f.Measured += fmt.Sprintf(", and stopped it in %.0f period%s while it was measured", throttled, plural(int(throttled)))
	case limit < 1:
		f.Severity = Bad
	case limit < float64(usable):
		f.Severity = Warning
		f.Measured += fmt.Sprintf(" of %d", usable)
	default:
		f.Do = nil
	}
	return f
}

// cpuLimit is the tightest limit of CPU time in CPUs; 0: none.
func (m *machine) cpuLimit() float64 {
	limit := 0.0
	for _, dir := range m.groups("cpu") {
		quota, period, _ := strings.Cut(m.line(path.Join(dir, "cpu.max")), " ")
		if quota == "" {
			quota, period = m.line(path.Join(dir, "cpu.cfs_quota_us")), m.line(path.Join(dir, "cpu.cfs_period_us"))
		}
		q, err := strconv.ParseFloat(quota, 64)
		p, err2 := strconv.ParseFloat(period, 64)
		if err != nil || err2 != nil || q <= 0 || p <= 0 {
			continue // "max", −1 or no such file
		}
		if limit == 0 || q/p < limit {
			limit = q / p
		}
	}
	return limit
}

// throttled is how many periods the process's groups were stopped in.
func (m *machine) throttled() float64 {
	sum := 0.0
	for _, dir := range m.groups("cpu") {
		n, _ := count(m.read(path.Join(dir, "cpu.stat")), "nr_throttled")
		sum += n
	}
	return sum
}

// memoryLimit is the tightest limit of memory in bytes; 0: none.
func (m *machine) memoryLimit() float64 {
	limit := 0.0
	for _, dir := range m.groups("memory") {
		for _, name := range []string{"memory.max", "memory.high", "memory.limit_in_bytes"} {
			if v, ok := m.number(path.Join(dir, name)); ok && v > 0 && v < 1<<60 && (limit == 0 || v < limit) {
				limit = v
			}
		}
	}
	return limit
}
