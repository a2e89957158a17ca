//go:build !linux

package broker

import (
	"errors"
	"os"
	"syscall"
)

// runPinned has nothing to do here.
func runPinned() error { return errors.ErrUnsupported }

// isAlive tells whether a process runs.
func isAlive(pid int) bool {
	p, err := os.FindProcess(pid)
	return err == nil && p.Signal(syscall.Signal(0)) == nil
}
