package doctor

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"kbench/metrics/procfs"
	"kbench/words"
)

// system names the machine and says whether it is a virtual one.
func (m *machine) system() Finding {
	f := Finding{Check: "system", Severity: OK, Why: "figures of virtual machines hold for their neighbours' behaviour too: repeat them at another time of day"}
	model := procfs.Field(m.read("proc/cpuinfo"), "model name")
	if model == "" {
		model = runtime.GOARCH
	}
	f.Measured = strings.TrimSpace(fmt.Sprintf("%s %s, %s", runtime.GOOS, m.line("proc/sys/kernel/osrelease"), model))
	if slices.Contains(strings.Fields(procfs.Field(m.read("proc/cpuinfo"), "flags")), "hypervisor") {
		f.Severity = Note
		f.Measured += ", a virtual machine"
		f.Do = []string{"compare only what was measured interleaved on the same machine"}
	}
	return f
}

// comfortable is the number of CPUs from which generator and target don't get in each other's way.
const comfortable = 4

// cores are the CPUs that this process may use.
func (m *machine) cores() Finding {
	f := Finding{Check: "cores", Severity: OK,
		Why: "the pacer spins shortly before each due time, beside the client's threads and an embedded target: with too few CPUs they wait for each other"}
	online, usable := m.online(), m.usable()
	if usable == nil {
		if usable = online; usable == nil {
			f.Measured = words.Count(runtime.NumCPU(), "CPU")
			f.Values = map[string]float64{"usable": float64(runtime.NumCPU())}
			f.rateCores(runtime.NumCPU(), nil)
			return f
		}
	}
	f.Values = map[string]float64{"cpus": float64(max(len(online), len(usable))), "usable": float64(len(usable))}
	f.Measured = words.Count(len(usable), "CPU")
	if len(usable) < len(online) {
		f.worse(Note)
		f.Measured = fmt.Sprintf("%d of %d CPUs usable (%s): this process is pinned (taskset, a cpuset or its parent's --cpus)",
			len(usable), len(online), procfs.Field(m.read("proc/self/status"), "Cpus_allowed_list"))
		f.Do = []string{"taskset -p $$"}
	}
	f.rateCores(len(usable), usable)
	return f
}

// rateCores judges the number of usable CPUs.
func (f *Finding) rateCores(n int, usable []int) {
	switch {
	case n < 2:
		f.worse(Warning)
		f.Measured += ": the pacer can't spin, generator and target take turns"
		f.Do = append(f.Do, "take a machine with at least 2 CPUs, better 4, or a target on another machine (--bootstrap-server)")
	case n < comfortable && len(usable) > 1:
		f.worse(Note)
		f.Measured += ": shared with an embedded target"
		f.Do = append(f.Do, fmt.Sprintf("kbench run --cpus %d --target-cpus %d", usable[0], usable[1]))
	}
}

// siblings are usable CPUs that share a core.
func (m *machine) siblings() Finding {
	f := Finding{Check: "siblings", Severity: OK,
		Why: "two hardware threads of one core slow each other down by up to a half: a generator beside the target's thread measures that"}
	cores, known := map[string][]int{}, false
	for _, cpu := range m.usable() {
		list := m.line(fmt.Sprintf("sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu))
		if list == "" {
			continue
		}
		known = true
		cores[list] = append(cores[list], cpu)
	}
	if !known {
		return f.unknown()
	}
	f.Values = map[string]float64{"cores": float64(len(cores))}
	var shared [][]int
	var first []int
	for _, cpus := range cores {
		first = append(first, cpus[0])
		if len(cpus) > 1 {
			shared = append(shared, cpus)
		}
	}
	f.Values["shared"] = float64(len(shared))
	if len(shared) == 0 {
		f.Measured = "every usable CPU is a core of its own, as far as the system says"
		return f
	}
	slices.Sort(first)
	slices.SortFunc(shared, slices.Compare)
	f.Severity = Note
	f.Measured = fmt.Sprintf("%s with several hardware threads, such as CPUs %s", words.Count(len(shared), "core"), cpuText(shared[0]))
	if len(first) < 2 {
		f.Severity = Warning
		f.Measured += ": all usable CPUs are one core"
		f.Do = []string{"take a machine with at least 2 cores, or a target on another machine (--bootstrap-server)"}
		return f
	}
	f.Do = []string{fmt.Sprintf("kbench run --cpus %d --target-cpus %d", first[0], first[1])}
	return f
}

// cpuText writes a set of CPUs as 0,2.
func cpuText(cpus []int) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(cpus), " ", ","), "[]")
}

// governor looks at what sets the CPUs' clock. Virtual machines mostly don't say.
func (m *machine) governor() Finding {
	f := Finding{Check: "governor", Severity: OK,
		Why: "a governor other than performance lets the clock follow the load, and latencies with it: at low rates they are worse than at high ones"}
	slow, known, name := 0, 0, ""
	for _, cpu := range m.usable() {
		g := m.line(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu))
		if g != "" {
			known++
		}
		if g != "" && g != "performance" {
			slow, name = slow+1, g
		}
	}
	f.Values = map[string]float64{"not_performance": float64(slow)}
	switch {
	case known == 0:
		f.Values = nil
		f.Severity, f.Measured = Note, "the system doesn't say (virtual machines mostly don't)"
	case slow == 0:
		f.Measured = "performance"
	default:
		f.Severity = Warning
		f.Measured = fmt.Sprintf("%q on %d of %d CPUs", name, slow, known)
		f.Do = []string{"sudo cpupower frequency-set -g performance"}
	}
	return f
}
