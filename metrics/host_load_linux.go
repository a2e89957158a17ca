package metrics

import (
	"fmt"
	"strconv"
	"strings"

	"kbench/metrics/procfs"
)

// busyLoad is the load average (processes that run or want to) from which others are in the way.
const busyLoad = 0.5

// youngSeconds is how old this process may be for the load average of the last minute to be about the others.
const youngSeconds = 10

// otherLoad warns where other programs kept the machine busy in the last minute. It has nothing to say once this process
// is older than some seconds: then its own work is part of the average, as in the later cells of a sweep.
func (l linuxHost) otherLoad() string {
	average, _, _ := strings.Cut(l.line("proc/loadavg"), " ")
	load, err := strconv.ParseFloat(average, 64)
	if err != nil || load <= busyLoad || l.age() > youngSeconds {
		return ""
	}
	return fmt.Sprintf("the load average of the last minute is %.2f: other programs (or an earlier run) may disturb this run", load)
}

// age is how long ago this process started, in seconds; 0 if unknown.
func (l linuxHost) age() float64 {
	first, _, _ := strings.Cut(l.line("proc/uptime"), " ")
	up, err := strconv.ParseFloat(first, 64)
	if err != nil {
		return 0
	}
	self, ok := procfs.Self(l.files)
	if !ok || self.Start == 0 {
		return 0
	}
	return up - float64(self.Start)/float64(Second)
}

// quota warns where control groups give this process less CPU time than there are CPUs.
func (l linuxHost) quota(cpus int) string {
	limit := procfs.CPULimit(l.files)
	if limit == 0 || limit >= float64(cpus) {
		return ""
	}
	return fmt.Sprintf("a control group limits this process to %.2f of %d CPUs: the kernel stops it in between, which looks like latency",
		limit, cpus)
}
