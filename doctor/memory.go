package doctor

import (
	"fmt"
	"strings"

	"kbench/metrics/procfs"
)

// What a run takes: buffer.memory (32 MiB unless set), as much in slots and payloads, and a sink.
const (
	tightMemory  = 1 << 30
	littleMemory = 256 << 20
)

// memory is what a run may still take.
func (m *machine) memory() Finding {
	f := Finding{Check: "memory", Severity: OK,
		Why: "a run holds buffer.memory and its payloads for every producer; once memory is short, the kernel reclaims or kills in the middle of it"}
	info := m.read("proc/meminfo")
	available, ok := procfs.Bytes(info, "MemAvailable")
	if !ok {
		return f.unknown()
	}
	f.Measured = bytesText(available) + " available"
	f.Values = map[string]float64{"available_bytes": float64(available)}
	if total, ok := procfs.Bytes(info, "MemTotal"); ok {
		f.Values["total_bytes"] = float64(total)
		f.Measured += " of " + bytesText(total)
	}
	if limit := procfs.MemoryLimit(m.files); limit > 0 && limit < available {
		f.Values["limit_bytes"] = float64(limit)
		f.Measured += fmt.Sprintf(", limited to %s by a control group", bytesText(limit))
		available = limit
	}
	switch {
	case available < littleMemory:
		f.Severity = Bad
	case available < tightMemory:
		f.Severity = Warning
	default:
		return f
	}
	f.Do = []string{"end other programs, raise the group's memory limit, or take fewer producers and a smaller buffer.memory"}
	return f
}

// swapping says whether pages were written to or read from swap within the window.
func (m *machine) swapping(w window) Finding {
	f := Finding{Check: "swapping", Severity: OK, Why: "a page that comes back from swap stops a thread for a disk's latency"}
	info := m.read("proc/meminfo")
	total, ok := procfs.Bytes(info, "SwapTotal")
	if !ok {
		return f.unknown()
	}
	free, _ := procfs.Bytes(info, "SwapFree")
	pages := w.after.swapped - w.before.swapped
	f.Values = map[string]float64{"swap_bytes": float64(total), "used_bytes": float64(total - free), "moved_pages": float64(pages)}
	switch {
	case total == 0:
		f.Measured = "no swap"
	case pages > 0:
		f.Severity = Warning
		f.Measured = fmt.Sprintf("%d pages went to or from swap in the sampled second", pages)
		f.Do = []string{"end other programs", "sudo swapoff -a"}
	case total-free > 0:
		f.Severity = Note
		f.Measured = fmt.Sprintf("%s of %s of swap in use, none moved in the sampled second", bytesText(total-free), bytesText(total))
		f.Do = []string{"sudo swapoff -a"}
	default:
		f.Measured = bytesText(total) + " of swap, unused"
	}
	return f
}

// hugePages looks at whether the kernel makes huge pages unasked.
func (m *machine) hugePages() Finding {
	f := Finding{Check: "huge-pages", Severity: OK, Why: "where huge pages are made unasked, the kernel compacts memory in between, and threads wait for it"}
	text := m.line("sys/kernel/mm/transparent_hugepage/enabled")
	_, rest, _ := strings.Cut(text, "[")
	mode, _, ok := strings.Cut(rest, "]")
	if !ok {
		return f.unknown()
	}
	f.Measured = "transparent huge pages: " + mode
	if mode == "always" {
		f.Severity = Note
		f.Do = []string{"echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"}
	}
	return f
}
