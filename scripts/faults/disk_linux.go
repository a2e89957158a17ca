package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// mountMemory mounts a disk of diskMB in memory.
func mountMemory(dir string) error {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dm", diskMB)); err != nil {
		return fmt.Errorf("run as root, or under unshare -rm: %w", err)
	}
	return nil
}

// mountLoop mounts an ext4 file system of diskMB in a file, which is gone when it is unmounted. It becomes read-only at its
// first error.
func mountLoop(dir string) error {
	image := dir + ".image"
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		return err
	}
	defer os.Remove(image) // the loop device holds on to it
	if err := os.Truncate(image, diskMB<<20); err != nil {
		return err
	}
	for _, line := range [][]string{{"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop,errors=remount-ro", image, dir}} {
		if out, err := exec.Command(line[0], line[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("run as root: %s: %w: %s", line[0], err, strings.TrimSpace(string(out)))
		}
	}
	if err := os.Remove(filepath.Join(dir, "lost+found")); err != nil { // Kafka would take it for a partition
		return errors.Join(err, unmount(dir))
	}
	return nil
}

// spoil makes the ext4 file system at dir believe that it had an error, so that it becomes read-only while files are open.
func spoil(dir string) error {
	device, err := deviceOf(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join("/sys/fs/ext4", device, "trigger_fs_error"), []byte("on purpose"), 0)
}

// deviceOf is the name of the device that is mounted at dir, from proc(5)'s mountinfo:
// 36 35 98:0 / /mnt/point rw,noatime - ext4 /dev/loop0 rw
func deviceOf(dir string) (string, error) {
	raw, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(raw)) {
		left, right, _ := strings.Cut(line, " - ")
		at, source := strings.Fields(left), strings.Fields(right)
		if len(at) > 4 && at[4] == dir && len(source) > 1 {
			return filepath.Base(source[1]), nil
		}
	}
	return "", fmt.Errorf("nothing is mounted at %s", dir)
}

func unmount(dir string) error { return syscall.Unmount(dir, syscall.MNT_DETACH) }

func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
