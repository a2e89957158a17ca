package broker

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// stopTime bounds the wait for a stopped process to stand still.
const stopTime = 5 * time.Second

// waitStopped waits until every thread of the child stands still: the signal is sent at once, but a thread that runs on
// another processor stops a little later and may still answer a request meanwhile.
func (p *process) waitStopped() error {
	for begun := time.Now(); time.Since(begun) < stopTime; time.Sleep(time.Millisecond) {
		if p.ended() || threadsStopped(p.pid) {
			return nil
		}
	}
	return fmt.Errorf("%s (process %d) hasn't stopped within %v", p.name, p.pid, stopTime)
}

// threadsStopped says whether all threads are in the state T of /proc/PID/task/TID/stat (see proc(5)).
func threadsStopped(pid int) bool {
	stats, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil || len(stats) == 0 {
		return false
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		// The name, in parentheses, may hold anything; the state follows the last one.
		i := bytes.LastIndexByte(stat, ')')
		if err != nil || i < 0 || i+2 >= len(stat) || stat[i+2] != 'T' {
			return false
		}
	}
	return true
}
