package main

import (
	"sync"

	"kbench/native"
)

// meter adds up the counters of a load's producers, of those that still run as well.
type meter struct {
	mu      sync.Mutex
	running map[*native.Producer]bool
	ended   native.Stats // Retries, ThrottleNS and ProduceVersion of those that were closed
	struck  int64        // Retries when the fault first struck
}

// open counts a producer from now on.
func (m *meter) open(p *native.Producer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.running == nil {
		m.running = map[*native.Producer]bool{}
	}
	m.running[p] = true
}

// close keeps the counters of a producer that was closed, and lets go of it.
func (m *meter) close(p *native.Producer) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.running, p)
	add(&m.ended, p.Stats())
}

// sum is Retries, ThrottleNS and ProduceVersion so far.
func (m *meter) sum() native.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.ended
	for p := range m.running {
		add(&s, p.Stats())
	}
	return s
}

func add(to *native.Stats, s native.Stats) {
	to.Retries += s.Retries
	to.ThrottleNS += s.ThrottleNS
	to.ProduceVersion = max(to.ProduceVersion, s.ProduceVersion)
}

// strike says that the fault is about to strike for the first time.
func (m *meter) strike() {
	retries := m.sum().Retries
	m.mu.Lock()
	defer m.mu.Unlock()
	m.struck = retries
}

// felt says whether anything was sent twice since the fault struck.
func (m *meter) felt() bool {
	retries := m.sum().Retries
	m.mu.Lock()
	defer m.mu.Unlock()
	return retries > m.struck
}
