//go:build unix

package broker

import (
	"fmt"
	"os"
	"syscall"
)

// Signals that children get.
const (
	sigKill      = syscall.SIGKILL
	sigTerminate = syscall.SIGTERM
	sigStop      = syscall.SIGSTOP
	sigContinue  = syscall.SIGCONT
)

// signal sends a signal to the child's whole process group: mvn, for one, is a shell script with a JVM below it.
func (p *process) signal(s syscall.Signal) error {
	if p.ended() {
		return fmt.Errorf("%s: %w", p.name, os.ErrProcessDone)
	}
	if err := syscall.Kill(-p.pid, s); err != nil {
		return fmt.Errorf("%s (process %d): %w", p.name, p.pid, err)
	}
	return nil
}
