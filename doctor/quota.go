package doctor

import (
	"fmt"

	"kbench/metrics/procfs"
	"kbench/words"
)

// quota looks at the control groups' limit of CPU time, and whether it struck within the window.
func (m *machine) quota(w window) Finding {
	f := Finding{Check: "cpu-quota", Severity: OK, Why: "at its quota the kernel stops this process for the rest of a period, mostly 100 ms: it looks like latency"}
	limit, throttled := procfs.CPULimit(m.files), w.after.throttled-w.before.throttled
	f.Values = map[string]float64{"limit_cpus": limit, "throttled_periods": float64(throttled)}
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
		f.Measured += fmt.Sprintf(", and stopped it in %s while it was measured", words.Count(throttled, "period"))
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
