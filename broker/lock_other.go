//go:build !unix

package broker

import (
	"errors"
	"os"
)

// fileLock is a lock file: there is no lock here that a process loses by ending, so a stale one has to be removed by
// hand.
type fileLock struct{ f *os.File }

// errLocked says that another process has the lock.
var errLocked = errors.New("locked by another process")

func tryLock(path string) (*fileLock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrExist) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return &fileLock{f: f}, nil
}

func (l *fileLock) unlock() {
	l.f.Close() // nothing was written
	os.Remove(l.f.Name())
}

func checkSpace(string, uint64) error { return nil }

func ownedByUs(os.FileInfo) bool { return true }
