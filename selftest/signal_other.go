//go:build !unix

package selftest

import (
	"errors"
	"os"
)

// killProcess ends a process at once. One that is gone already is no error here.
func killProcess(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

// stopProcess and continueProcess need Unix.
func stopProcess(int) error     { return errors.ErrUnsupported }
func continueProcess(int) error { return errors.ErrUnsupported }
