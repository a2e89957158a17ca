//go:build unix

package selftest

import "syscall"

// killProcess ends a process at once. One that is gone already is no error here.
func killProcess(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// stopProcess makes a process stand still, continueProcess go on.
func stopProcess(pid int) error     { return syscall.Kill(pid, syscall.SIGSTOP) }
func continueProcess(pid int) error { return syscall.Kill(pid, syscall.SIGCONT) }
