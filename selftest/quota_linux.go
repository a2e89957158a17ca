package selftest

import (
	"context"
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

// limitProcess puts a process into a new control group that has so much of a CPU, and removes the group once the process
// has ended.
func limitProcess(ctx context.Context, pid int, share float64) error {
	dir, err := newQuota(share)
	if err != nil {
		return fmt.Errorf("%w: a CPU quota can't be set: %w", ErrUnable, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0); err != nil {
		return errors.Join(fmt.Errorf("%w: the generator can't be put under a CPU quota: %w", ErrUnable, err), os.Remove(dir))
	}
	go func() {
		// A group can be removed when nothing runs in it any more.
		for os.Remove(dir) != nil && ctx.Err() == nil {
			time.Sleep(quotaPeriod)
		}
	}()
	return nil
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
