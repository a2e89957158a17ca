//go:build unix && !linux

package broker

import "syscall"

// childAttr puts a child into a process group of its own. There is no parent-death signal here: children of our own
// binary watch their standard input, a Java broker outlives a parent that was killed.
func childAttr() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}
