package broker

import (
	"errors"
	"fmt"
	"sync"
	"time"
)

// Target is a running embedded target. Its methods may be called from any goroutine.
type Target struct {
	Kind      string   // sink, fake or kafka
	Version   string   // of Kafka; for sink and fake that of the module they come from
	Brokers   int      // how many were started
	Bootstrap []string // host:port of each

	data *dataDir     // kafka's; nil: none
	said *childOutput // of sink and fake; nil: none
	logs bool         // sink completes a timing log at its end, which may fail
	done chan struct{}

	closing sync.Once
	closed  error // Close's result; valid after closing

	mu      sync.Mutex
	members []*member
	ending  bool  // Close was called: nothing that ends now is news
	err     error // why done is closed
}

// Node is one broker of a target as it is now.
type Node struct {
	ID      int    // Kafka's node id
	PID     int    // process id; of the last process if it was killed
	Port    int    // where clients connect
	Running bool   // false: ended, on its own or by Kill
	Log     string // path of its log; "" for sink and fake
}

// member is one child process of a target, or one after the other if it is restarted.
type member struct {
	name  string
	id    int
	port  int
	log   string
	ask   func() error // asks the process to end
	grace time.Duration
	start func() (*process, error) // starts it again; nil: can't be

	proc       *process // the target's mu guards this and the next
	deliberate bool     // its end was asked for
}

func newTarget(kind, version string, bootstrap []string) *Target {
	return &Target{Kind: kind, Version: version, Brokers: len(bootstrap), Bootstrap: bootstrap, done: make(chan struct{})}
}

// add makes a running member part of the target.
func (t *Target) add(m *member) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.members = append(t.members, m)
	go t.watch(m, m.proc)
}

// watch waits for a member's process and tells if nobody asked for its end.
func (t *Target) watch(m *member, p *process) {
	<-p.done
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ending || t.err != nil || m.proc != p || m.deliberate {
		return
	}
	t.err = m.failure(p)
	close(t.done)
}

// failure says how a process ended, from its log too.
func (m *member) failure(p *process) error {
	if last := logTail(m.log); last != "" {
		return fmt.Errorf("%w; last in its log: %s", p.failure(), last)
	}
	return p.failure()
}

// Done is closed when a child ended though nobody asked for it; Err tells why. Close, Kill and Restart don't close it.
func (t *Target) Done() <-chan struct{} { return t.done }

// Err is nil until Done is closed, then why: how the child ended and the last that it wrote.
func (t *Target) Err() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}

// Close stops the children, waits until they are gone and deletes the data. Further calls return the same.
func (t *Target) Close() error {
	t.closing.Do(func() {
		t.mu.Lock()
		t.ending = true
		members := t.members
		t.mu.Unlock()
		t.closed = errors.Join(stopAll(t, members), t.data.remove())
		if m := members[0]; t.logs && t.closed == nil && !m.deliberate && m.proc.err != nil {
			t.closed = m.proc.failure()
		}
	})
	return t.closed
}

// TimingError is what a sink that held its answers or logged said about its own timing when it was closed: a line of text;
// "" before Close, and from other targets.
func (t *Target) TimingError() string {
	if t.said == nil {
		return ""
	}
	return t.said.after()
}

// abandon kills the children of a target that never came to be. The data stays for another attempt.
func (t *Target) abandon() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ending = true
	var errs []error
	for _, m := range t.members {
		errs = append(errs, m.proc.kill())
	}
	return errors.Join(errs...)
}

// stopAll stops members at the same time.
func stopAll(t *Target, members []*member) error {
	errs := make([]error, len(members))
	var wg sync.WaitGroup
	for i, m := range members {
		wg.Go(func() {
			p := t.current(m)
			if p.ended() {
				return
			}
			errs[i] = p.stop(m.asker(p), m.grace)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// asker is how to ask a process of m to end.
func (m *member) asker(p *process) func() error {
	if m.ask != nil {
		return m.ask
	}
	return func() error { return p.signal(sigTerminate) }
}

func (t *Target) current(m *member) *process {
	t.mu.Lock()
	defer t.mu.Unlock()
	return m.proc
}

// Nodes lists the target's processes: one per broker for kafka, one in all for sink and fake.
func (t *Target) Nodes() []Node {
	t.mu.Lock()
	defer t.mu.Unlock()
	nodes := make([]Node, len(t.members))
	for i, m := range t.members {
		nodes[i] = Node{ID: m.id, PID: m.proc.pid, Port: m.port, Running: !m.proc.ended(), Log: m.log}
	}
	return nodes
}
