//go:build unix

package broker

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// fileLock is a lock on a file, held until unlock or the end of this process, whichever comes first.
type fileLock struct{ f *os.File }

// errLocked says that another process (or another holder in this one) has the lock.
var errLocked = errors.New("locked by another process")

// tryLock takes the lock on path, which is made if it isn't there, or fails with errLocked.
func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		f.Close() // nothing was written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return &fileLock{f: f}, nil
}

// unlock gives the lock back. Closing the file is what does it; nothing was written that could be lost.
func (l *fileLock) unlock() { l.f.Close() }

// checkSpace refuses a folder on a disk with less than need bytes free for this user.
func checkSpace(dir string, need uint64) error {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return fmt.Errorf("free space of %s: %w", dir, err)
	}
	return enoughSpace(dir, uint64(st.Bavail)*uint64(st.Bsize), need)
}

// ownedByUs tells whether a file is this user's.
func ownedByUs(info os.FileInfo) bool {
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
