package metrics

import "golang.org/x/sys/unix"

func describeHost(h *Host) {
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		h.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	if model, err := unix.Sysctl("machdep.cpu.brand_string"); err == nil {
		h.CPU = model
	}
	if bytes, err := unix.SysctlUint64("hw.memsize"); err == nil {
		h.MemoryBytes = int64(bytes)
	}
}
