package selftest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// quotaPeriod is a control group's: within each, a process may use its share and then stands still.
const quotaPeriod = 100 * time.Millisecond

// quotaDirs are where control groups of CPU time are by custom: version 1's hierarchy, and version 2's.
func quotaDirs() []string { return []string{"/sys/fs/cgroup/cpu", "/sys/fs/cgroup"} }

// limitProcess puts a process into a new control group that has so much of a CPU. undo removes the group, once the process
// has ended.
func limitProcess(pid int, share float64) (undo func() error, err error) {
	dir, err := newQuota(share)
	if err != nil {
		return nothing, fmt.Errorf("%w: a CPU quota can't be set: %w", ErrUnable, err)
	}
	undo = func() error { return removeGroup(dir) }
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		return undo, fmt.Errorf("%w: the generator can't be put under a CPU quota: %w", ErrUnable, err)
	}
	return undo, nil
}

// removeGroup removes an empty group. The kernel may take a moment to see that it is.
func removeGroup(dir string) (err error) {
	for range 20 {
		if err = os.Remove(dir); err == nil {
			return nil
		}
		time.Sleep(quotaPeriod)
	}
	return fmt.Errorf("a control group is left behind: %w", err)
}

// newQuota makes a group with a quota in the first hierarchy that allows it.
func newQuota(share float64) (string, error) {
	quota, period := int64(share*float64(quotaPeriod.Microseconds())), quotaPeriod.Microseconds()
	var errs []error
	for _, root := range quotaDirs() {
		dir := filepath.Join(root, fmt.Sprintf("kbench-selftest-%d-%d", os.Getpid(), trials.Add(1)))
		if err := os.Mkdir(dir, 0o755); err != nil {
			errs = append(errs, err)
			continue
		}
		err := errors.Join(
			writeExisting(filepath.Join(dir, "cpu.cfs_period_us"), strconv.FormatInt(period, 10)),
			writeExisting(filepath.Join(dir, "cpu.cfs_quota_us"), strconv.FormatInt(quota, 10)))
		if err != nil {
			err = writeExisting(filepath.Join(dir, "cpu.max"), fmt.Sprintf("%d %d", quota, period))
		}
		if err == nil {
			return dir, nil
		}
		errs = append(errs, err, os.Remove(dir))
	}
	return "", errors.Join(errs...)
}

// writeExisting writes a kernel's file; one that isn't there isn't made.
func writeExisting(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
