package broker

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"
)

// terminateGrace is what Restart gives a broker to hand over its leaders and end.
const terminateGrace = 30 * time.Second

// Kill ends node i (an index into Nodes) with SIGKILL and waits until it is gone. Done isn't closed by it.
func (t *Target) Kill(i int) error {
	m, err := t.member(i, true)
	if err != nil {
		return err
	}
	return t.current(m).kill()
}

// Stop freezes node i with SIGSTOP and waits until it stands still: its connections stay open and nobody answers.
func (t *Target) Stop(i int) error {
	if err := t.signal(i, sigStop); err != nil {
		return err
	}
	m, err := t.member(i, false)
	if err != nil {
		return err
	}
	return t.current(m).waitStopped()
}

// Continue lets a stopped node i go on, with SIGCONT.
func (t *Target) Continue(i int) error { return t.signal(i, sigContinue) }

// Restart starts node i again on the same ports and data and waits until it answers; if it is running, it is shut down
// in an orderly way first. Sink and fake can't be restarted: they have no data to come back with.
func (t *Target) Restart(ctx context.Context, i int) error {
	m, err := t.member(i, true)
	if err != nil {
		return err
	}
	if m.start == nil {
		return fmt.Errorf("a %s broker can't be restarted; only kafka can", t.Kind)
	}
	if p := t.current(m); !p.ended() {
		if err := p.stop(m.asker(p), terminateGrace); err != nil {
			return err
		}
	}
	p, err := t.replace(m)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, kafkaStart)
	defer cancel()
	return waitReady(ctx, m, p, 1) // the others may be down
}

// replace starts a new process for m, unless the target is being closed: Close must not miss it.
func (t *Target) replace(m *member) (*process, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ending {
		return nil, errors.New("the target is closed")
	}
	p, err := m.start()
	if err != nil {
		return nil, err
	}
	m.proc, m.deliberate = p, false
	go t.watch(m, p)
	return p, nil
}

// member looks up node i; deliberate tells that its end from now on is wanted.
func (t *Target) member(i int, deliberate bool) (*member, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if i < 0 || i >= len(t.members) {
		return nil, fmt.Errorf("there is no node %d; the target has %d, counted from 0", i, len(t.members))
	}
	m := t.members[i]
	m.deliberate = m.deliberate || deliberate
	return m, nil
}

func (t *Target) signal(i int, s syscall.Signal) error {
	m, err := t.member(i, false)
	if err != nil {
		return err
	}
	return t.current(m).signal(s)
}
