package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// errNoMount says that this user can't mount.
var errNoMount = errors.New("mounting a small disk isn't possible here: run as root, or under unshare -rm")

// diskMB is the size of the small disk.
const diskMB = 96

// fillDisk moves a leader's data to a small disk of its own, fills that under load until the broker goes down, makes room
// and starts the broker again.
func fillDisk(ctx context.Context, s *scene) error {
	i, err := s.leader(ctx)
	if err != nil {
		return err
	}
	data := filepath.Join(filepath.Dir(s.target.Nodes()[i].Log), "data")
	if err := s.target.Kill(i); err != nil {
		return err
	}
	undo, err := smallDisk(data)
	if err != nil {
		return errors.Join(err, s.target.Restart(ctx, i))
	}
	s.undo = append(s.undo, func() error { return errors.Join(s.target.Kill(i), undo()) })
	if err := s.target.Restart(ctx, i); err != nil {
		return err
	}
	if err := errors.Join(s.settle(ctx), s.lead(ctx), sleep(ctx, 2*time.Second)); err != nil {
		return err
	}
	ballast := filepath.Join(data, "ballast")
	if err := fill(ballast); err != nil {
		return err
	}
	began := time.Now()
	for s.target.Nodes()[i].Running && time.Since(began) < 40*time.Second {
		// What the broker frees by rolling or deleting files is taken as well.
		if err := errors.Join(fill(ballast), sleep(ctx, 500*time.Millisecond)); err != nil {
			return err
		}
	}
	s.seen = fmt.Sprintf("the broker went down %.0f s after its disk was full", time.Since(began).Seconds())
	if s.target.Nodes()[i].Running {
		s.seen = "the broker stayed up with a full disk for 40 s"
	}
	if err := errors.Join(s.target.Kill(i), os.Remove(ballast)); err != nil {
		return err
	}
	return s.target.Restart(ctx, i)
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

// smallDisk puts dir on a disk of its own with what it holds; undo takes that away.
func smallDisk(dir string) (undo func() error, err error) {
	aside := dir + ".aside"
	if err := os.Rename(dir, aside); err != nil {
		return nil, err
	}
	back := func() error { return errors.Join(os.RemoveAll(dir), os.Rename(aside, dir)) }
	if err := os.Mkdir(dir, 0o755); err != nil {
		return nil, errors.Join(err, back())
	}
	if err := mount(dir, diskMB<<20); err != nil {
		return nil, errors.Join(errNoMount, err, back())
	}
	// Index files are large and nearly empty: they have to stay sparse.
	if out, err := exec.Command("cp", "-a", "--sparse=always", aside+"/.", dir).CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("cp: %w: %s", err, out), unmount(dir), back())
	}
	return func() error { return unmount(dir) }, os.RemoveAll(aside)
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
