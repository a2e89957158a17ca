package metrics

import (
	"os"
	"strings"
)

// counter reads the time-stamp counter.
func counter() uint64

// counterUsable says whether the counter runs at a constant rate on all processors: exactly where the Linux kernel
// itself keeps time by it.
func counterUsable() bool {
	src, err := os.ReadFile("/sys/devices/system/clocksource/clocksource0/current_clocksource")
	return err == nil && strings.TrimSpace(string(src)) == "tsc"
}
