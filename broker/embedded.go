package broker

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"kbench/words"
)

const (
	embeddedStart = 10 * time.Second // a sink or fake answers within a few ms; a machine may be busy
	embeddedGrace = 2 * time.Second  // between closing its input and killing it
	logGrace      = 30 * time.Second // the same where a timing log is to be completed
)

// startEmbedded starts a sink or a fake cluster as a child of the same binary.
func startEmbedded(ctx context.Context, spec Spec) (*Target, error) {
	line := &childOutput{got: make(chan struct{})}
	c, err := childCommand(spec)
	if err != nil {
		return nil, err
	}
	c.stdout = line
	p, err := startProcess(c)
	if err != nil {
		return nil, err
	}
	timeout := time.NewTimer(embeddedStart)
	defer timeout.Stop()
	select {
	case <-line.got:
	case <-p.done:
		return nil, fmt.Errorf("no address from it: %w", p.failure())
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), p.kill())
	case <-timeout.C:
		err := fmt.Errorf("%s told no address within %v; it wrote: %q", c.name, embeddedStart, p.stderr.text())
		return nil, errors.Join(err, p.kill())
	}
	addrs := strings.Split(line.first(), ",")
	if len(addrs) != spec.Brokers || !strings.Contains(addrs[0], ":") {
		err := fmt.Errorf("%s told %q instead of the addresses of %s", c.name, line.first(), words.Count(spec.Brokers, "broker"))
		return nil, errors.Join(err, p.kill())
	}
	m := &member{name: c.name, proc: p, ask: p.stdin.Close, grace: embeddedGrace}
	t := newTarget(spec.Kind, embeddedVersion(spec.Kind), addrs)
	if t.said = line; spec.TimingLog != "" {
		m.grace, t.logs = logGrace, true
	}
	t.add(m)
	return t, nil
}

// childCommand is the command line of the child. By default it keeps this process's own argv[0], because a binary may
// look at that to know what it is.
func childCommand(spec Spec) (command, error) {
	o := childOptions{kind: spec.Kind, partitions: spec.Partitions, brokers: spec.Brokers, port: spec.Port,
		hold: spec.Hold, holdSeed: spec.HoldSeed, timingLog: spec.TimingLog}
	c := command{name: "the " + spec.Kind + " broker", cpus: spec.CPUs, stdin: true}
	if len(spec.Exec) > 0 {
		c.path, c.args = spec.Exec[0], append(spec.Exec[:len(spec.Exec):len(spec.Exec)], o.args()...)
		return c, nil
	}
	exe, err := os.Executable()
	if err != nil {
		return c, fmt.Errorf("can't find this program to start %s from: %w", c.name, err)
	}
	c.path, c.args = exe, append([]string{os.Args[0], "broker-child"}, o.args()...)
	return c, nil
}

// embeddedVersion is the version of the module that the kind of broker comes from, as linked in.
func embeddedVersion(kind string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	if kind == KindSink {
		return strings.Trim(info.Main.Version, "()")
	}
	for _, dep := range info.Deps {
		if dep.Path == "github.com/twmb/franz-go/pkg/kfake" {
			return dep.Version
		}
	}
	return ""
}

// childOutput is a writer that keeps the first line written to it, says when it has it, and keeps what follows.
type childOutput struct {
	got chan struct{} // closed when the first line is complete

	mu   sync.Mutex
	line []byte
	done bool
	rest []byte
}

// mostRest is how much of what follows the first line is kept: a child has one more line to say.
const mostRest = 4096

// Write never fails.
func (f *childOutput) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	rest := p
	if !f.done {
		var head []byte
		head, rest, f.done = bytes.Cut(p, []byte("\n"))
		f.line = append(f.line, head...)
		if f.done {
			close(f.got)
		}
	}
	f.rest = append(f.rest, rest[:min(len(rest), mostRest-len(f.rest))]...)
	return len(p), nil
}

func (f *childOutput) first() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.TrimSpace(string(f.line))
}

func (f *childOutput) after() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return strings.TrimSpace(string(f.rest))
}
