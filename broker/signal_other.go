//go:build !unix

package broker

import (
	"errors"
	"fmt"
	"syscall"
)

// Signals that children get; only killing exists here.
const (
	sigKill      = syscall.SIGKILL
	sigTerminate = syscall.SIGTERM
	sigStop      = syscall.Signal(-1)
	sigContinue  = syscall.Signal(-2)
)

func childAttr() *syscall.SysProcAttr { return nil }

// signal kills the child; other signals don't exist on this system.
func (p *process) signal(s syscall.Signal) error {
	if s != sigKill {
		return errors.ErrUnsupported
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return fmt.Errorf("%s (process %d): %w", p.name, p.pid, err)
	}
	return nil
}
