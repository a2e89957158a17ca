package broker

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	dataPrefix = "kbench-kafka-"
	ownerFile  = "owner.lock"
	// newDirGrace is how long a folder without its owner's lock counts as just being made.
	newDirGrace = time.Minute
	// baseSpace and brokerSpace are how many bytes must be free on the disk, in all and for each broker. One broker that
	// got 400 MB/s on 12 partitions never held more than 2.3 GB, since serverProperties keeps it to what is newest.
	baseSpace   = 2 << 30
	brokerSpace = 1 << 30
)

// dataDir is a folder for the data of one target. While its owner lives, the owner holds a lock on a file in it, which
// the system lets go of however the owner ends; that is how the next start tells a stale folder from one in use, also
// across containers that share a temporary folder but not their process ids.
type dataDir struct {
	path string
	lock *fileLock

	removing sync.Once
	err      error
}

// newDataDir makes a folder for so many brokers under parent ("": the system's temporary one), after removing stale ones
// there.
func newDataDir(parent string, brokers int, log func(string)) (*dataDir, error) {
	if parent == "" {
		parent = os.TempDir()
	}
	parent, err := filepath.Abs(parent)
	if err != nil {
		return nil, fmt.Errorf("data folder %q: %w", parent, err)
	}
	if info, err := os.Stat(parent); err != nil {
		return nil, fmt.Errorf("data folder %s: %w", parent, err)
	} else if !info.IsDir() {
		return nil, fmt.Errorf("data folder %s isn't a folder", parent)
	}
	removeStale(parent, log)
	if err := checkSpace(parent, baseSpace+uint64(brokers)*brokerSpace); err != nil {
		return nil, err
	}
	path, err := os.MkdirTemp(parent, fmt.Sprintf("%s%d-", dataPrefix, os.Getpid()))
	if err != nil {
		return nil, fmt.Errorf("can't make a data folder: %w", err)
	}
	d := &dataDir{path: path}
	// The lock is taken under another name first, so that under its own it is never seen without an owner.
	early := filepath.Join(path, ownerFile+".new")
	if d.lock, err = tryLock(early); err == nil {
		err = os.Rename(early, filepath.Join(path, ownerFile))
	}
	if err != nil {
		_ = d.remove() // the first error is the one to tell
		return nil, fmt.Errorf("can't lock the data folder: %w", err)
	}
	return d, nil
}

// remove deletes the folder. Also for a nil dataDir, and again.
func (d *dataDir) remove() error {
	if d == nil {
		return nil
	}
	d.removing.Do(func() {
		d.err = os.RemoveAll(d.path)
		if d.lock != nil {
			d.lock.unlock()
		}
	})
	return d.err
}

// removeStale deletes the data folders under parent whose owner is gone. One that can't be removed stays: it may be
// another user's, and doesn't keep this run from working.
func removeStale(parent string, log func(string)) {
	dirs, err := filepath.Glob(filepath.Join(parent, dataPrefix+"*"))
	if err != nil {
		return // the pattern comes from parent's own name: nothing to find then
	}
	for _, dir := range dirs {
		lock, stale := lockStale(dir)
		if !stale {
			continue
		}
		if err := os.RemoveAll(dir); err == nil {
			log("removed " + dir + ", left behind by an earlier run")
		}
		if lock != nil {
			lock.unlock()
		}
	}
}

// lockStale tells whether a data folder's owner is gone, and then holds its lock if it has one.
func lockStale(dir string) (*fileLock, bool) {
	info, err := os.Lstat(dir)
	if err != nil || !info.IsDir() || !ownedByUs(info) {
		return nil, false
	}
	path := filepath.Join(dir, ownerFile)
	if _, err := os.Lstat(path); os.IsNotExist(err) {
		return nil, time.Since(info.ModTime()) > newDirGrace
	}
	lock, err := tryLock(path)
	return lock, err == nil
}
