package native

import (
	"context"
	"time"

	"kbench/native/wire"
)

// memory is buffer.memory: pooled batches, and those who wait for one, served in order. Guarded by Producer.mu.
type memory struct {
	avail   int64
	size    int       // batch.size
	slack   int       // extra bytes of a buffer for what compression adds to incompressible records
	tmpl    *template // of a Replayer: its batches have no room for records
	free    []*batch
	waiting []*waiter // in order of arrival
	spare   []*waiter
	closed  bool
	poison  bool // for tests: overwrite freed buffers, so that a writer that still holds one sends rubbish
	early   bool // for tests: free the buffers of batches that expire while a writer may hold them (KAFKA-19012)

	waits  int64 // Produce calls that had to wait
	waitNS int64
}

// waiter is one Produce call that waits for memory. Pooled, because waiting is the steady state at full speed.
type waiter struct {
	need  int64
	ready chan struct{} // of capacity 1
	given bool          // the memory is the waiter's
	timer *time.Timer
}

// packSlack is what compressing incompressible records may add, besides a 64th of their size.
const packSlack = 512

func newMemory(cfg *Config, tmpl *template) memory {
	m := memory{avail: cfg.BufferMemory, size: cfg.BatchSize, tmpl: tmpl}
	if cfg.Compression != CompressionNone {
		m.slack = packSlack
	}
	return m
}

// charge is the memory that a batch for a first record of size bytes takes.
func (m *memory) charge(size int) int64 { return int64(max(m.size, size)) }

// tryTake charges the memory if nobody waits for some already.
func (m *memory) tryTake(need int64) bool {
	if len(m.waiting) > 0 || m.avail < need {
		return false
	}
	m.avail -= need
	return true
}

// take makes a batch out of memory already charged.
func (m *memory) take(mem int64) *batch {
	if n := len(m.free); n > 0 && (mem == int64(m.size) || m.tmpl != nil) {
		b := m.free[n-1]
		m.free = m.free[:n-1]
		b.mem = mem
		return b
	}
	if m.tmpl != nil {
		return &batch{tmpl: m.tmpl, buf: make([]byte, wire.BatchHeaderSize), mem: mem}
	}
	size := max(int(mem), wire.BatchHeaderSize)
	return &batch{buf: make([]byte, wire.BatchHeaderSize, size+size/64+m.slack), limit: int(mem), mem: mem}
}

// give takes a batch back that neither the accumulator nor a writer uses any more.
func (m *memory) give(b *batch) {
	if m.poison {
		whole := b.buf[:cap(b.buf)]
		for i := range whole {
			whole[i] = 0xdb
		}
	}
	if b.mem == int64(m.size) || b.tmpl != nil {
		b.part, b.gen, b.err, b.block = nil, nil, nil, nil
		m.free = append(m.free, b)
	}
	m.refund(b.mem)
}

// giveEarly gives a batch's buffer back while a request still has it: the mistake that must not be made, for the tests that
// have to notice it.
func (m *memory) giveEarly(b *batch) {
	m.give(&batch{buf: b.buf, limit: b.limit, mem: b.mem})
	b.mem = 0
}

// refund gives memory back and serves who waits.
func (m *memory) refund(n int64) {
	m.avail += n
	for len(m.waiting) > 0 && m.avail >= m.waiting[0].need {
		w := m.waiting[0]
		m.avail -= w.need
		w.given = true
		m.leave(w)
		w.ready <- struct{}{}
	}
}

// leave takes w out of the queue.
func (m *memory) leave(w *waiter) {
	for i, x := range m.waiting {
		if x == w {
			copy(m.waiting[i:], m.waiting[i+1:])
			m.waiting[len(m.waiting)-1] = nil
			m.waiting = m.waiting[:len(m.waiting)-1]
			return
		}
	}
}

// close wakes everybody who waits.
func (m *memory) close() {
	m.closed = true
	for _, w := range m.waiting {
		w.ready <- struct{}{}
	}
	m.waiting = m.waiting[:0]
}

// waitMemory charges need bytes, waiting until the deadline (ns since the start) if it must. Producer.mu is held on entry
// and on return, not meanwhile.
func (pr *Producer) waitMemory(ctx context.Context, need, deadline int64) error {
	m := &pr.mem
	if m.tryTake(need) {
		return nil
	}
	if m.closed {
		return ErrClosed
	}
	var w *waiter
	if n := len(m.spare); n > 0 {
		w, m.spare = m.spare[n-1], m.spare[:n-1]
	} else {
		w = &waiter{ready: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	}
	w.need, w.given = need, false
	m.waiting = append(m.waiting, w)
	pr.hurry()
	began := pr.now()
	pr.mu.Unlock()

	w.timer.Reset(time.Duration(max(0, deadline-began)))
	var err error
	select {
	case <-w.ready:
	case <-w.timer.C:
		err = ErrBufferExhausted
	case <-ctx.Done():
		err = ctx.Err()
	}
	w.timer.Stop()

	pr.mu.Lock()
	m.waits++
	waited := pr.now() - began
	m.waitNS += waited
	pr.dist.BufferWaitNS.Record(waited)
	if err != nil {
		m.leave(w)
		select { // the memory may have come between the select and the lock
		case <-w.ready:
		default:
		}
	}
	given := w.given
	m.spare = append(m.spare, w)
	switch {
	case given && m.closed:
		m.refund(need)
		return ErrClosed
	case given:
		return nil
	case m.closed:
		return ErrClosed
	}
	return err
}
