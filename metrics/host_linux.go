package metrics

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// linuxHost reads what the kernel says about the machine, in the files below root ("/", or a test's folder).
type linuxHost struct{ root string }

func describeHost(h *Host) { linuxHost{"/"}.describe(h) }

func (l linuxHost) describe(h *Host) {
	h.Kernel = l.line("proc/sys/kernel/osrelease") // what uname -r prints
	h.CPU = l.cpuModel()
	h.MemoryBytes = l.memory()
	online := cpuList(l.line("sys/devices/system/cpu/online"))
	if len(online) > 0 {
		h.CPUs = len(online)
	}
	for _, warning := range []string{l.governor(online), l.otherLoad(), l.quota(h.CPUs)} {
		if warning != "" {
			h.Warnings = append(h.Warnings, warning)
		}
	}
}

// read is a file's content; "" if it can't be read: not every kernel and container has every file.
func (l linuxHost) read(path string) string {
	b, err := os.ReadFile(filepath.Join(l.root, path))
	if err != nil {
		return ""
	}
	return string(b)
}

// line is a file's only line.
func (l linuxHost) line(path string) string { return strings.TrimSpace(l.read(path)) }

// field is the value of the first line "name : value" in a file's text.
func field(text, name string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// cpuModel is the processor's name. Architectures differ in how they call it; ARM gives numbers only.
func (l linuxHost) cpuModel() string {
	text := l.read("proc/cpuinfo")
	for _, name := range []string{"model name", "cpu model", "uarch", "cpu"} {
		if model := field(text, name); model != "" {
			return model
		}
	}
	if part := field(text, "CPU part"); part != "" {
		return fmt.Sprintf("implementer %s, part %s", field(text, "CPU implementer"), part)
	}
	return field(text, "vendor_id")
}

// memory is the size of the machine's memory in bytes.
func (l linuxHost) memory() int64 {
	kb, err := strconv.ParseInt(strings.TrimSuffix(field(l.read("proc/meminfo"), "MemTotal"), " kB"), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}

// cpuList reads the kernel's notation of a set of CPUs, such as "0-3,8"; nil if it is something else.
func cpuList(text string) []int {
	var list []int
	for part := range strings.SplitSeq(text, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := strconv.Atoi(first)
		if err != nil {
			return nil
		}
		to, err := strconv.Atoi(last)
		if err != nil || to < from || to-from > 1<<16 {
			return nil
		}
		for cpu := from; cpu <= to; cpu++ {
			list = append(list, cpu)
		}
	}
	return list
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
