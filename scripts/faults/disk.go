package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// errNoMount says that this user can't mount.
var errNoMount = errors.New("mounting a small disk isn't possible here")

// diskMB is the size of the small disk.
const diskMB = 96

// disk is a small one of its own that holds a broker's data for a while.
type disk struct {
	node    int
	dir     string
	mounted bool
}

// fillDisk fills a leader's disk under load until the broker goes down, and makes room again.
func fillDisk(ctx context.Context, s *scene) error {
	d, err := s.ownDisk(ctx, mountMemory)
	if err != nil {
		return err
	}
	ballast := filepath.Join(d.dir, "ballast")
	// What the broker frees by rolling or deleting files is taken as well.
	if err := s.awaitDown(ctx, d, "was full", func() error { return fill(ballast) }); err != nil {
		return err
	}
	if err := os.Remove(ballast); err != nil {
		return err
	}
	return s.mend(ctx, d)
}

// readOnlyDisk has a leader's disk become read-only under load, as the kernel makes one that had an error, and gives the
// broker a good disk with the same data when it is down.
func readOnlyDisk(ctx context.Context, s *scene) error {
	d, err := s.ownDisk(ctx, mountLoop)
	if err != nil {
		return err
	}
	once := sync.OnceValue(func() error { return spoil(d.dir) })
	if err := s.awaitDown(ctx, d, "became read-only", once); err != nil {
		return err
	}
	return s.mend(ctx, d)
}

// ownDisk moves a leader's data to a small disk and has it lead again from there.
func (s *scene) ownDisk(ctx context.Context, mount func(dir string) error) (*disk, error) {
	i, err := s.leader(ctx)
	if err != nil {
		return nil, err
	}
	d := &disk{node: i, dir: filepath.Join(filepath.Dir(s.target.Nodes()[i].Log), "data")}
	if err := s.target.Kill(i); err != nil {
		return nil, err
	}
	s.undo = append(s.undo, func() error { // only where the scene was broken off
		if !d.mounted {
			return nil
		}
		return errors.Join(s.target.Kill(i), unmount(d.dir))
	})
	if err := d.put(mount); err != nil {
		return nil, errors.Join(err, s.target.Restart(ctx, i))
	}
	if err := s.target.Restart(ctx, i); err != nil {
		return nil, err
	}
	return d, errors.Join(s.settle(ctx), s.lead(ctx), sleep(ctx, 2*time.Second))
}

// awaitDown harms a disk again and again until its broker is down, 40 s at most, and makes sure that it is.
func (s *scene) awaitDown(ctx context.Context, d *disk, what string, harm func() error) error {
	began := time.Now()
	for s.target.Nodes()[d.node].Running && time.Since(began) < 40*time.Second {
		if err := errors.Join(harm(), sleep(ctx, 500*time.Millisecond)); err != nil {
			return err
		}
	}
	s.seen = fmt.Sprintf("the broker went down %.0f s after its disk %s", time.Since(began).Seconds(), what)
	if s.target.Nodes()[d.node].Running {
		s.seen = fmt.Sprintf("the broker stayed up for 40 s after its disk %s", what)
	}
	return s.target.Kill(d.node)
}

// mend takes the data back from the small disk and starts its broker again.
func (s *scene) mend(ctx context.Context, d *disk) error {
	if err := d.takeBack(); err != nil {
		return err
	}
	return s.target.Restart(ctx, d.node)
}

// lead waits until each node leads some partition again: the controller rebalances every few seconds.
func (s *scene) lead(ctx context.Context) error {
	for range 100 {
		ts, err := s.adm.ListTopics(ctx, s.topics()...)
		if err != nil {
			return err
		}
		leaders := map[int32]bool{}
		for _, t := range ts {
			for _, p := range t.Partitions {
				leaders[p.Leader] = true
			}
		}
		if len(leaders) == s.nodes {
			return nil
		}
		if err := sleep(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("a node that was restarted doesn't lead again")
}

// put mounts the disk with what its folder holds.
func (d *disk) put(mount func(dir string) error) error {
	aside := d.dir + ".aside"
	if err := os.Rename(d.dir, aside); err != nil {
		return err
	}
	back := func() error { return errors.Join(os.RemoveAll(d.dir), os.Rename(aside, d.dir)) }
	if err := os.Mkdir(d.dir, 0o755); err != nil {
		return errors.Join(err, back())
	}
	if err := mount(d.dir); err != nil {
		return errors.Join(errNoMount, err, back())
	}
	if err := copyAll(aside, d.dir); err != nil {
		return errors.Join(err, unmount(d.dir), back())
	}
	d.mounted = true
	return os.RemoveAll(aside)
}

// takeBack copies what the disk holds into a folder in its place. A disk that became read-only is read while it is mounted:
// what wasn't written out to it is still in memory then.
func (d *disk) takeBack() error {
	aside := d.dir + ".aside"
	if err := os.Mkdir(aside, 0o755); err != nil {
		return err
	}
	if err := errors.Join(copyAll(d.dir, aside), unmount(d.dir)); err != nil {
		return err
	}
	d.mounted = false
	return errors.Join(os.Remove(d.dir), os.Rename(aside, d.dir))
}

// copyAll copies what a folder holds. Index files are large and nearly empty: they have to stay sparse.
func copyAll(from, to string) error {
	out, err := exec.Command("cp", "-a", "--sparse=always", from+"/.", to).CombinedOutput()
	if err != nil {
		return fmt.Errorf("cp: %w: %s", err, out)
	}
	return nil
}

// fill appends to a file until the disk is full.
func fill(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for _, size := range []int{64 << 10, 1} { // to the last byte
		block := make([]byte, size)
		for err == nil {
			_, err = f.Write(block)
		}
		if !isFull(err) {
			return errors.Join(err, f.Close())
		}
		err = nil
	}
	return f.Close()
}
