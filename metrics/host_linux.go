package metrics

import (
	"fmt"
	"io/fs"
	"os"

	"kbench/metrics/procfs"
)

// linuxHost reads what the kernel says about the machine, in its files as seen from /, or a test's.
type linuxHost struct{ files fs.FS }

func describeHost(h *Host) { thisHost().describe(h) }

func thisHost() linuxHost { return linuxHost{os.DirFS("/")} }

func (l linuxHost) describe(h *Host) {
	h.Kernel = l.line("proc/sys/kernel/osrelease") // what uname -r prints
	h.CPU = l.cpuModel()
	h.MemoryBytes = l.memory()
	online := procfs.ParseCPUs(l.line("sys/devices/system/cpu/online"))
	if len(online) > 0 {
		h.CPUs = len(online)
	}
	for _, warning := range []string{l.governor(online), l.otherLoad(), l.quota(h.CPUs)} {
		if warning != "" {
			h.Warnings = append(h.Warnings, warning)
		}
	}
}

// line is a file's only line; "" if it can't be read.
func (l linuxHost) line(path string) string { return procfs.Line(l.files, path) }

// cpuModel is the processor's name. Architectures differ in how they call it; ARM gives numbers only.
func (l linuxHost) cpuModel() string {
	text := procfs.Text(l.files, "proc/cpuinfo")
	for _, name := range []string{"model name", "cpu model", "uarch", "cpu"} {
		if model := procfs.Field(text, name); model != "" {
			return model
		}
	}
	if part := procfs.Field(text, "CPU part"); part != "" {
		return fmt.Sprintf("implementer %s, part %s", procfs.Field(text, "CPU implementer"), part)
	}
	return procfs.Field(text, "vendor_id")
}

// memory is the size of the machine's memory in bytes.
func (l linuxHost) memory() int64 {
	n, _ := procfs.Bytes(procfs.Text(l.files, "proc/meminfo"), "MemTotal")
	return n
}

// governor warns of CPUs whose clock follows the load. Virtual machines mostly don't say.
func (l linuxHost) governor(online []int) string {
	slow, name := 0, ""
	for _, cpu := range online {
		g := l.line(fmt.Sprintf("sys/devices/system/cpu/cpu%d/cpufreq/scaling_governor", cpu))
		if g != "" && g != "performance" {
			slow, name = slow+1, g
		}
	}
	if slow == 0 {
		return ""
	}
	return fmt.Sprintf("the CPU governor is %q on %d of %d CPUs, not \"performance\": their clock follows the load, and so do latencies",
		name, slow, len(online))
}
